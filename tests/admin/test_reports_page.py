"""The page of the reports: rights, periods, links to the orders behind each figure, and files."""

import csv
import datetime
import io
import re
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse
from openpyxl import load_workbook
from support import factories, world

from shop.admin import period_filter
from shop.admin.reports import page, periods
from shop.admin.reports.charts import Point, bar_chart, column_chart
from shop.admin.reports.declarations import REPORTS
from shop.models import Order, OrderItem, Product
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid, refund_order
from shop.services.returns import ReturnedUnits, return_items

FIGURES = ("view_order", "view_revenue")
DELIVERED = ("confirmed", "shipped", "delivered")


def url_of(name, query=""):
    return reverse("admin:report", args=[name]) + query


def texts(response):
    """Return the texts of the table's cells, the totals last."""
    context = response.context
    return [[cell.text for cell in row] for row in [*context["rows"], context["totals"]]]


def links(response):
    return re.findall(r'<a class="shop-link" href="([^"]*)"', unescape(response.content.decode()))


@pytest.fixture
def sold(ada, carl, dora, mug, lamp):
    """Orders of today: one with a return and refunds, one by card, one cancelled."""
    Product.objects.filter(pk=mug.pk).update(tax_rate=Decimal(19))
    first = world.create_order(carl, (mug, 4), (lamp, 1))
    world.create_order(dora, (mug, 1), payment_method="bank_transfer")
    cancelled = world.create_order(dora, (lamp, 2))
    mark_paid(order_id=first.pk, actor=ada)
    for status in DELIVERED:
        move_order(order_id=first.pk, to=status, actor=ada, by_staff=True)
    return_items(order_id=first.pk, returned={mug.pk: ReturnedUnits(put_back=2)}, actor=ada)
    refund_order(order_id=first.pk, actor=ada)
    move_order(order_id=cancelled.pk, to="cancelled", actor=ada, by_staff=True)


EXPECTED = {
    "day": ["2", "112.40", "25.00", "87.40"],
    "product": ["", "", "6", "2", "112.40", "87.40"],
    "payment": ["2", "112.40", "25.00", "87.40"],
    "tax": ["", "112.40", "25.00", "81.41", "5.99"],
    "refunds": ["1", "25.00", "25.00"],
    "stock": ["", "11", "", "287.10"],
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_has_figures_with_links_and_a_file(adas_browser, sold, name):
    response = adas_browser.get(url_of(name, "?period=today"))
    assert texts(response)[-1][1:] == EXPECTED[name]
    assert len(response.context["cards"]) == len(list(filter(None, EXPECTED[name])))
    for file_format in ("csv", "xlsx"):
        file = adas_browser.get(url_of(name, f"?period=today&file={file_format}"))
        assert file["Content-Disposition"].startswith(f'attachment; filename="{name}-20')
        rows = read_file(b"".join(file.streaming_content), file_format)
        assert len(rows) == len(response.context["rows"]) + 1


def read_file(data, file_format):
    if file_format == "csv":
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(data)).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "stock"])
def test_each_figure_links_to_as_many_orders_as_it_has(adas_browser, sold, name):
    response = adas_browser.get(url_of(name, "?period=today"))
    names = [column.name for column in REPORTS[name].columns]
    seen = 0
    for row in [*response.context["rows"], response.context["totals"]]:
        cells = dict(zip(names, row, strict=True))
        for column, cell in cells.items():
            if not cell.url.startswith("/admin/shop/order/"):
                continue
            listed = adas_browser.get(cell.url).context["cl"]
            assert listed.filter_errors == []
            counts = {"refunds": "refunds", "paid_back": "refunds"}
            of_refunds = name == "refunds" or (column == "credited" and name != "tax")
            expected = "1" if of_refunds else cells.get(counts.get(column, "orders")).text or "2"
            assert str(listed.result_count) == expected, (name, column)
            seen += 1
    assert seen >= 6


def test_a_product_links_to_its_orders_and_the_list_names_the_filter(adas_browser, sold, mug):
    response = adas_browser.get(url_of("product", "?period=today"))
    mug_row = next(row for row in response.context["rows"] if row[0].text == "Mug")
    page = adas_browser.get(mug_row[3].url)
    assert [order.items.count() for order in page.context["cl"].result_list] == [1, 2]
    titles = [str(spec.title) for spec in page.context["cl"].filter_specs]
    assert {"Product", "Refund date", "Tax rate"} <= set(titles)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("items__product__id__exact={mug}", 2),
        ("items__product__id__exact={mug}&items__product__id__exact={lamp}", 3),
        ("items__product__id__exact=999999", 0),
        ("items__tax_rate_from=19&items__tax_rate_to=19", 2),
        ("items__tax_rate__isempty=1", 2),
        ("payments__created_at_from=2020-01-01", 1),
        ("payments__created_at_to=2020-01-01", 0),
    ],
)
def test_orders_are_filtered_by_their_items_and_refunds(
    adas_browser, sold, mug, lamp, query, count
):
    url = f"/admin/shop/order/?{query.format(mug=mug.pk, lamp=lamp.pk)}"
    assert adas_browser.get(url).context["cl"].result_count == count


@pytest.mark.parametrize(
    "query",
    [
        *("items__product__id__exact=x", "items__tax_rate_from=x", "items__tax_rate__isempty=5"),
        *("payments__created_at_from=x", "payments__created_at_to=31.2.2026"),
    ],
)
def test_an_unreadable_filter_of_items_shows_no_order(adas_browser, sold, query):
    cl = adas_browser.get(f"/admin/shop/order/?{query}", follow=True).context["cl"]
    assert (cl.filter_errors != [], cl.result_count) == (True, 0)


# Rights


@pytest.mark.parametrize(
    ("rights", "names"),
    [
        ((), []),
        (("view_order",), []),
        (("view_revenue",), []),
        (FIGURES, ["day", "payment", "tax", "refunds"]),
        (("view_product",), ["stock"]),
        ((*FIGURES, "view_product"), list(REPORTS)),
    ],
)
def test_a_report_needs_its_rights(staff_client_with, sold, rights, names):
    client = staff_client_with(*rights)
    sidebar = client.get("/admin/").content.decode()
    assert ('href="/admin/reports/"' in sidebar) is bool(names)
    for name in REPORTS:
        for query in ("", "?file=csv"):
            response = client.get(url_of(name, query))
            if response.streaming:
                b"".join(response.streaming_content)
            assert response.status_code == (200 if name in names else 403)
        if name in names:
            tabs = client.get(url_of(name)).context["tabs"]
            assert [url for _label, url, _current in tabs] == [url_of(other) for other in names]
    response = client.get("/admin/reports/")
    assert response.status_code == (200 if names else 403)


def test_who_may_not_search_products_has_no_filter_by_product(staff_client_with, sold, mug):
    client = staff_client_with("view_order")
    titles = [spec.title for spec in client.get("/admin/shop/order/").context["cl"].filter_specs]
    assert "Product" not in titles


def test_the_public_is_asked_to_sign_in(client):
    for name in REPORTS:
        assert client.get(url_of(name)).status_code == 302


def test_an_unknown_report_is_not_found(adas_browser):
    assert adas_browser.get("/admin/reports/profit/").status_code == 404


def test_reports_are_found_by_the_command_search(adas_browser, staff_client_with):
    # "report" also finds the page that shows the first of them.
    for term, number in (("tax", 1), ("sales by", 3), ("report", len(REPORTS) + 1)):
        text = adas_browser.get(f"/admin/search/?s={term}").content.decode()
        assert text.count('href="/admin/reports/') == number
    text = staff_client_with("view_product").get("/admin/search/?s=tax").content.decode()
    assert "/admin/reports/" not in text


# Periods


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("?first=2026-02-30&last=2026-03-01", "first", "invalid"),
        ("?first=2026-02-01&last=x", "last", "invalid"),
        ("?first=2026-02-02&last=2026-02-01", "last", "reversed"),
        ("?first=2026-02-02", "last", "required"),
        ("?last=2026-02-02", "first", "required"),
        ("?first=0001-01-01&last=2026-02-01", "first", "out_of_range"),
        ("?first=2026-01-01&last=9999-12-31", "last", "out_of_range"),
        ("?first=2020-01-01&last=2026-12-31", "last", "too_long"),
        ("?period=last_century", "period", "invalid_choice"),
    ],
)
def test_a_bad_period_is_an_error_at_its_field_and_shows_nothing(
    adas_browser, sold, statements, query, field, code
):
    response = adas_browser.get(url_of("day", query))
    errors = response.context["period_form"].errors.as_data()
    assert {name: [e.code for e in found] for name, found in errors.items()} == {field: [code]}
    text = response.content.decode()
    assert "112.40" not in text
    assert "<table" not in text
    assert "rows" not in response.context
    assert adas_browser.get(url_of("day", f"{query}&file=csv"))["Content-Type"].startswith(
        "text/html"
    )


def test_dates_win_over_a_named_period(adas_browser, sold):
    response = adas_browser.get(url_of("day", "?period=today&first=2026-01-01&last=2026-01-02"))
    assert response.context["is_empty"] is True


@pytest.mark.parametrize("period", period_filter.PERIODS)
def test_named_periods_are_those_of_the_order_list(adas_browser, carl, mug, period):
    world.create_order(carl, (mug, 1))
    world.create_order(carl, (mug, 1), days_ago=1)
    world.create_order(carl, (mug, 1), days_ago=400)
    listed = adas_browser.get(f"/admin/shop/order/?period={period}").context["cl"].result_count
    response = adas_browser.get(url_of("day", f"?period={period}"))
    if response.context["is_empty"]:
        assert listed == 0
    else:
        assert texts(response)[-1][1] == str(listed)


@pytest.mark.parametrize("period", period_filter.PERIODS)
def test_an_empty_period_offers_the_next_one(adas_browser, db, period):
    response = adas_browser.get(url_of("day", f"?period={period}"))
    offered = periods.NEXT_PERIOD.get(period)
    next_period = response.context["next_period"]
    assert response.context["is_empty"] is True
    assert (next_period and next_period.query) == (offered and f"period={offered}")
    assert "<table" not in response.content.decode()


def test_a_period_is_of_days_of_the_shop(adas_browser, carl, mug, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    order = world.create_order(carl, (mug, 1))
    moment = datetime.datetime(2026, 2, 28, 15, tzinfo=datetime.UTC)
    Order.objects.filter(pk=order.pk).update(created_at=moment)
    for day, is_empty in (("2026-02-28", True), ("2026-03-01", False)):
        response = adas_browser.get(url_of("day", f"?first={day}&last={day}"))
        assert response.context["is_empty"] is is_empty


# Size


def test_a_long_report_shows_some_rows_and_the_totals_of_all(adas_browser, carl, monkeypatch):
    monkeypatch.setattr(page, "MAX_ROWS", 2)
    plates = [factories.create_product(f"Plate {n}", price=f"{n}.00") for n in range(1, 5)]
    world.create_order(carl, *((plate, 1) for plate in plates))
    response = adas_browser.get(url_of("product"))
    assert [row[0] for row in texts(response)] == ["Plate 4", "Plate 3", ""]
    assert (texts(response)[-1][5], response.context["hidden_rows"]) == ("10.00", "2")
    file = adas_browser.get(url_of("product", "?file=csv"))
    assert len(read_file(b"".join(file.streaming_content), "csv")) == 5


@pytest.mark.parametrize("name", REPORTS)
def test_the_number_of_statements_does_not_depend_on_the_rows(
    adas_browser, carl, mug, lamp, statements, name
):
    for lines in ([(mug, 1)], [(mug, 1), (lamp, 1)]):
        order = world.create_order(carl, *lines)
        OrderItem.objects.filter(order=order).update(tax_rate=len(lines))
        adas_browser.get(url_of(name))
        with statements(4):
            adas_browser.get(url_of(name))


def test_a_name_that_a_spreadsheet_would_run_is_text_in_files(adas_browser, carl):
    world.create_order(carl, (factories.create_product("=1+1"), 1))
    cells = {}
    for file_format in ("csv", "xlsx"):
        file = adas_browser.get(url_of("product", f"?file={file_format}"))
        cells[file_format] = read_file(b"".join(file.streaming_content), file_format)[1][0]
    assert cells == {"csv": "'=1+1", "xlsx": "=1+1"}


# Charts


@pytest.mark.parametrize(
    ("values", "grid"),
    [
        ([0, 0], ["0"]),
        ([3], ["0", "1", "2", "3"]),
        ([87, 12], ["0", "50", "100"]),
        ([-30, 100], ["-50", "0", "50", "100"]),
        ([45_000], ["0", "20k", "40k", "60k"]),
        ([1_500_000], ["0", "500k", "1M", "1.5M"]),
        (["0.04"], ["0", "0.01", "0.02", "0.03", "0.04"]),
    ],
)
def test_the_grid_of_a_chart_contains_its_values(values, grid):
    chart = column_chart([Point("1 Mar", Decimal(value), "") for value in values])
    assert [line["text"] for line in chart["grid"]] == grid
    for column in chart["columns"]:
        assert 8 <= float(column["y"]) <= float(column["y"]) + float(column["height"]) <= 184.1


def test_bars_are_as_wide_as_their_part_of_the_highest():
    points = [Point("A", Decimal(50), ""), Point("B", Decimal(25), ""), Point("C", Decimal(-5), "")]
    assert [bar["width"] for bar in bar_chart(points)] == ["100.0%", "50.0%", "0.0%"]
    assert [bar["width"] for bar in bar_chart([Point("A", Decimal(0), "")])] == ["0.0%"]
