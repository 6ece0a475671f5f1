"""List actions on many products: change prices, and the way to the stock room."""

from decimal import Decimal

import pytest
from support import factories

from shop.admin.products import actions
from shop.admin.products.page import HINTS
from shop.models import AuditEntry, Product

LIST = "/admin/shop/product/"


def run(browser, action, selected, **values):
    data = {"action": action, "_selected_action": [product.pk for product in selected], **values}
    return browser.post(LIST, data, follow=True)


def hidden(response):
    return dict(response.context["hidden"])


def previewed(response):
    """Return name, current and new price of each product in the preview."""
    return [(row["product"].name, row["old"], row["new"]) for row in response.context["rows"]]


def prices():
    return list(Product.objects.order_by("pk").values_list("price", flat=True))


def test_prices_change_as_previewed(adas_browser, mug, lamp):
    run(adas_browser, "change_prices", [mug, lamp])
    assert prices() == [Decimal("12.50"), Decimal("49.90")]
    change = {"by": "percent", "value": "5"}
    preview = run(adas_browser, "change_prices", [mug, lamp], **change)
    assert previewed(preview) == [
        ("Lamp", "49.90 EUR", "52.40 EUR"),
        ("Mug", "12.50 EUR", "13.13 EUR"),
    ]
    assert prices() == [Decimal("12.50"), Decimal("49.90")]
    response = run(
        adas_browser,
        "change_prices",
        [mug, lamp],
        **change,
        fingerprint=hidden(preview)["fingerprint"],
    )
    assert [message.level_tag for message in response.context["messages"]] == ["success"]
    assert prices() == [Decimal("13.13"), Decimal("52.40")]
    entries = AuditEntry.objects.filter(model_name="product")
    assert set(entries.values_list("record_label", "changes")) == {
        ("Mug", "price: 12.50 → 13.13"),
        ("Lamp", "price: 49.90 → 52.40"),
    }


def test_a_preview_sent_twice_changes_prices_once(adas_browser, mug):
    change = {"by": "amount", "value": "-0.50"}
    fingerprint = hidden(run(adas_browser, "change_prices", [mug], **change))["fingerprint"]
    run(adas_browser, "change_prices", [mug], **change, fingerprint=fingerprint)
    second = run(adas_browser, "change_prices", [mug], **change, fingerprint=fingerprint)
    assert prices() == [Decimal("12.00")]
    assert previewed(second) == [("Mug", "12.00 EUR", "11.50 EUR")]


@pytest.mark.parametrize("other", [{"value": "6"}, {"by": "amount"}])
def test_another_change_than_the_previewed_one_is_previewed_first(adas_browser, mug, other):
    change = {"by": "percent", "value": "5"}
    fingerprint = hidden(run(adas_browser, "change_prices", [mug], **change))["fingerprint"]
    run(adas_browser, "change_prices", [mug], **change | other, fingerprint=fingerprint)
    assert prices() == [Decimal("12.50")]


def test_a_price_changed_after_the_preview_is_previewed_again(adas_browser, mug):
    change = {"by": "percent", "value": "10"}
    fingerprint = hidden(run(adas_browser, "change_prices", [mug], **change))["fingerprint"]
    Product.objects.update(price="20.00")
    response = run(adas_browser, "change_prices", [mug], **change, fingerprint=fingerprint)
    assert previewed(response) == [("Mug", "20.00 EUR", "22.00 EUR")]
    assert prices() == [Decimal("20.00")]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"by": "amount", "value": "-20"}, "__all__"),
        ({"by": "percent", "value": "99999999"}, "__all__"),
        ({"by": "percent", "value": "0"}, "value"),
        ({"by": "percent", "value": "1.005"}, "value"),
        ({"by": "guess", "value": "1"}, "by"),
    ],
)
def test_an_invalid_change_changes_no_price(adas_browser, mug, lamp, values, field):
    Product.objects.filter(pk=lamp.pk).update(price="99999999")
    form = run(adas_browser, "change_prices", [mug, lamp], **values).context["form"]
    assert list(form.errors) == [field]
    assert prices() == [Decimal("12.50"), Decimal("99999999.00")]


def stocks():
    return list(Product.objects.order_by("pk").values_list("stock", flat=True))


@pytest.mark.parametrize("action", ["change_prices", "receive", "count"])
def test_too_many_products_are_refused(adas_browser, mug, lamp, monkeypatch, action):
    monkeypatch.setitem(actions.MAX_SELECTED, action, 1)
    response = run(adas_browser, action, [mug, lamp], by="percent", value="5")
    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert response.request["REQUEST_METHOD"] == "GET"


@pytest.mark.parametrize("action", ["change_prices", "receive", "count"])
def test_without_permission_nothing_changes(staff_client_with, mug, action):
    before = factories.all_rows()
    run(
        staff_client_with("view_product"),
        action,
        [mug],
        **{"by": "percent", "value": "5", str(mug.pk): "5"},
    )
    assert factories.all_rows()["Product"] == before["Product"]
    assert factories.all_rows()["StockMovement"] == before["StockMovement"]


def test_the_list_is_filtered_by_picture(adas_browser, mug, lamp):
    Product.objects.filter(pk=lamp.pk).update(image="lamp.webp")
    for is_empty, name in (("1", "Mug"), ("0", "Lamp")):
        listed = adas_browser.get(LIST, {"image__isempty": is_empty}).context["cl"].result_list
        assert [product.name for product in listed] == [name]


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ({"is_active": False}, 0),
        ({"stock": 0}, 1),
        ({"low_stock_threshold": 10}, 2),
        ({"price": 0}, 3),
        ({"image": ""}, 4),
    ],
)
def test_the_page_shows_a_hint(adas_browser, mug, values, number):
    Product.objects.update(image="mug.webp")
    url = f"{LIST}{mug.pk}/change/"
    assert adas_browser.get(url).context["hints"] == []
    Product.objects.update(**values)
    assert adas_browser.get(url).context["hints"] == [HINTS[number][1]]


def test_an_adjustment_sent_twice_counts_once(adas_browser, mug):
    url = f"{LIST}{mug.pk}/stock/"
    key = hidden(adas_browser.get(url))["once"]
    for _ in range(2):
        adas_browser.post(url, {"delta": "3", "kind": "received", "once": key})
    assert stocks() == [13]
