"""The admin's pages of orders and users, with the new fields; see `tests/low_code/changes.py`."""

from datetime import date
from decimal import Decimal

import pytest
from low_code.doors.test_orders_and_users import ABOUT, GIFT, ORDERS, PERSON, REFUSED, create_order

from shop.models import AuditEntry, Order, User
from shop.services.accounts import add_customer


@pytest.fixture
def order(carl, mug):
    return create_order(carl, mug)


def phone_order(mug, **values):
    return {
        "lines-TOTAL_FORMS": 1,
        "lines-INITIAL_FORMS": 0,
        "lines-0-product": mug.pk,
        "lines-0-quantity": "1",
        "payment_method": "cash_on_delivery",
        "shipping_address": "1 Elm Street",
        "note": "",
        "step": "check",
        **values,
    }


def test_a_phone_order_asks_shows_and_stores_the_new_fields(adas_browser, mug):
    page = adas_browser.get(f"{ORDERS}add/").content.decode()
    assert all(f'name="{name}"' in page for name in (*GIFT, *ABOUT))
    assert not any(f'name="{name}"' in page for name in (*REFUSED, "credit"))
    checked = adas_browser.post(f"{ORDERS}add/", phone_order(mug, **PERSON, **ABOUT, **GIFT))
    details = dict(checked.context["details"])
    assert (details["Gift message"], details["Company"]) == ("Happy birthday", "New & Sons")
    placed = {name: str(value) for name, value in checked.context["hidden"]} | {"step": "place"}
    adas_browser.post(f"{ORDERS}add/", placed)
    order = Order.objects.get()
    assert (order.gift_message, order.pickup_on) == ("Happy birthday", date(2026, 12, 24))
    assert (order.user.company, order.user.birthday) == ("New & Sons", date(1990, 5, 17))


@pytest.mark.parametrize(
    ("values", "field"),
    [({"gift_message": "\u202e"}, "gift_message"), ({"pickup_on": "x"}, "pickup_on")],
)
def test_a_phone_order_shows_an_error_at_its_field(
    adas_browser, carl, mug, unchanged, values, field
):
    with unchanged():
        data = phone_order(mug, customer=carl.pk, **values)
        response = adas_browser.post(f"{ORDERS}add/", data)
    assert list(response.context["form"].errors) == [field]


@pytest.mark.parametrize("path", ["add/", "{}/details/"])
def test_the_calendar_of_a_date_finds_the_scripts_that_it_needs(adas_browser, order, path):
    page = adas_browser.get(ORDERS + path.format(order.pk)).content.decode()
    scripts = [page.index(f"admin/js/{n}.js") for n in ("core", "admin/DateTimeShortcuts")]
    assert scripts == sorted(scripts)


def test_adding_rows_keeps_the_new_fields(adas_browser, carl, mug):
    data = phone_order(mug, customer=carl.pk, **GIFT, step="more")
    form = adas_browser.post(f"{ORDERS}add/", data).context["form"]
    assert {name: form[name].value() for name in GIFT} == GIFT


def test_the_orders_page_shows_the_new_fields(adas_browser, order):
    response = adas_browser.get(f"{ORDERS}{order.pk}/change/")
    [fieldset] = response.context["adminform"].fieldsets
    assert {*GIFT, "promised_on", "picked_by", "channel"} <= set(fieldset[1]["fields"])
    page = response.content.decode()
    for text in ("Gift message", "Happy birthday", "=Paula", "App"):
        assert text in page


def column_names(changelist):
    """Return the names of the columns; those of numbers are functions."""
    return {getattr(column, "__name__", column) for column in changelist.list_display}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("channel__exact=app", 1),
        ("channel__exact=web", 0),
        ("gift_message__icontains=birth", 1),
        ("pickup_on_from=2026-12-25", 0),
        ("picked_by__icontains=paul", 1),
    ],
)
def test_the_admins_list_of_orders_has_columns_and_filters(adas_browser, order, query, count):
    changelist = adas_browser.get(f"{ORDERS}?{query}").context["cl"]
    assert {*GIFT, "promised_on", "picked_by", "channel"} <= column_names(changelist)
    assert changelist.result_count == count


def edit_details(browser, order, **values):
    """Open the form of the details and fill it in; return a function that sends it."""
    url = f"{ORDERS}{order.pk}/details/"
    page = browser.get(url)
    form = page.context["form"]
    data = dict(page.context["hidden"])
    for name in form.fields:
        if value := form[name].value():
            data |= dict.fromkeys((form[name].html_name, form[name].html_initial_name), value)
        elif isinstance(form[name].initial, (str, type(None))):
            data |= dict.fromkeys((form[name].html_name, form[name].html_initial_name), "")
    return lambda: browser.post(url, data | values)


def test_details_are_edited(adas_browser, ada, order):
    before = order.updated_at
    send = edit_details(adas_browser, order, picked_by="Paul", promised_on="2026-12-22")
    assert send().status_code == 302
    order.refresh_from_db()
    assert (order.picked_by, order.promised_on) == ("Paul", date(2026, 12, 22))
    assert order.updated_at > before
    entry = AuditEntry.objects.get(model_name="order")
    assert entry.actor == ada
    assert entry.changes.splitlines() == [
        "promised on: 2026-12-20 → 2026-12-22",
        "picked by: =Paula → Paul",
    ]
    assert send().status_code == 302  # the second press of the same button
    assert AuditEntry.objects.filter(model_name="order").count() == 1


def test_of_two_edits_of_one_field_the_second_is_told(adas_browser, order, unchanged):
    send = edit_details(adas_browser, order, picked_by="Paul")
    Order.objects.filter(pk=order.pk).update(picked_by="Petra", gift_message="Other")
    with unchanged():
        response = send()
    assert list(response.context["form"].errors) == ["picked_by"]
    edit_details(adas_browser, order, picked_by="Paul")()
    order.refresh_from_db()
    assert (order.picked_by, order.gift_message) == ("Paul", "Other")


def test_two_edits_of_different_fields_are_both_kept(adas_browser, order):
    send = edit_details(adas_browser, order, picked_by="Paul")
    Order.objects.filter(pk=order.pk).update(promised_on=None)
    send()
    order.refresh_from_db()
    assert (order.picked_by, order.promised_on) == ("Paul", None)


def test_an_invalid_detail_changes_nothing(adas_browser, order, unchanged):
    send = edit_details(adas_browser, order, picked_by="x" * 61)
    with unchanged():
        assert list(send().context["form"].errors) == ["picked_by"]


def test_only_details_are_edited(adas_browser, order):
    edit_details(adas_browser, order, gift_message="Other", channel="web", status="delivered")()
    order.refresh_from_db()
    assert (order.gift_message, order.channel, order.status) == (
        "Happy birthday",
        "app",
        "pending",
    )


def test_the_users_page_edits_the_new_fields(adas_browser, carl):
    url = f"/admin/shop/user/{carl.pk}/change/"
    fields = [
        name
        for _, options in adas_browser.get(url).context["adminform"].fieldsets
        for name in options["fields"]
    ]
    assert {*ABOUT, "credit"} <= set(fields)
    data = {
        "email": carl.email,
        "first_name": "Carl",
        "last_name": "Buyer",
        "role": "customer",
        "is_active": "on",
        "credit": "5.00",
        **ABOUT,
    }
    assert adas_browser.post(url, data).status_code == 302
    carl.refresh_from_db()
    assert (carl.company, carl.birthday, carl.credit) == (
        "New & Sons",
        date(1990, 5, 17),
        Decimal("5.00"),
    )


def test_a_user_is_added_with_the_new_fields(adas_browser):
    data = {**PERSON, **ABOUT, "credit": "1.00"}
    assert adas_browser.post("/admin/shop/user/add/", data).status_code == 302
    nora = User.objects.get(email=PERSON["email"])
    assert (nora.company, nora.credit) == ("New & Sons", Decimal("1.00"))


@pytest.mark.parametrize(
    ("query", "count"), [("company__icontains=sons", 1), ("birthday_from=1990-05-18", 0)]
)
def test_the_list_of_users_has_columns_and_filters(adas_browser, ada, query, count):
    add_customer(actor=ada, **PERSON, company="New & Sons", birthday=date(1990, 5, 17))
    changelist = adas_browser.get(f"/admin/shop/user/?{query}").context["cl"]
    columns = column_names(changelist)
    assert {*ABOUT, "credit"} <= columns
    assert "password" not in columns
    assert changelist.result_count == count
