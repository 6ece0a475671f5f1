import re
from decimal import Decimal

import pytest
from django import forms
from support import factories

from shop.admin.orders.phone_order_forms import PhoneOrderForm
from shop.models import CartItem, IdempotencyKey, Order, OrderEvent, Product, User
from shop.services.phone_orders import place_phone_order
from shop.services.stock import find_drift

PAGE = "/admin/shop/order/add/"
RIGHTS = ("add_order", "view_order", "view_user", "view_product")
NEW = {"email": "Nora@Example.com", "first_name": "Nora", "last_name": "New", "phone": "030 123"}


def form_data(*lines, rows=5, **values):
    """Return what the form sends; a line is a product, or its key, and a quantity."""
    data = {
        "lines-TOTAL_FORMS": rows,
        "lines-INITIAL_FORMS": 0,
        "payment_method": "cash_on_delivery",
    }
    for number, (product, quantity) in enumerate(lines):
        data[f"lines-{number}-product"] = product if isinstance(product, str) else product.pk
        data[f"lines-{number}-quantity"] = quantity
    return {"shipping_address": "1 Elm Street", "note": "", "step": "check", **data, **values}


def summary_data(browser, data):
    """Return what "Place order" sends after a check without errors."""
    response = browser.post(PAGE, data)
    assert errors(response) == [], response.content
    return {**{name: str(value) for name, value in response.context["hidden"]}, "step": "place"}


def errors(response):
    """Return field and code of every error on the page; a refusal has neither."""
    context = response.context
    result = [("", "")] if context["refusal"] else []
    if "form" in context:
        form, lines = context["form"], context["lines"]
        error_lists = list(form.errors.items())
        for line_errors in lines.errors:
            error_lists += line_errors.items()
        if lines.is_bound:
            error_lists.append(("__all__", lines.non_form_errors()))
        result += [(name, error.code) for name, list_ in error_lists for error in list_.as_data()]
    return result


def test_a_known_customers_order_is_placed(adas_browser, ada, carl, mug, lamp):
    factories.add_to_cart(carl, (mug, 5))
    data = form_data((mug, "2"), (lamp, ""), (mug, "1"), customer=carl.pk, note="Ring twice")
    response = adas_browser.post(PAGE, summary_data(adas_browser, data), follow=True)
    order = Order.objects.get()
    assert response.request["PATH_INFO"] == f"/admin/shop/order/{order.pk}/change/"
    assert factories.page_messages(response) == [f"Order {order} was placed for Carl Buyer."]
    assert (order.user, order.total_amount, order.note) == (carl, Decimal("87.40"), "Ring twice")
    assert sorted(order.items.values_list("sku", "quantity")) == [("LAMP-1", 1), ("MUG-1", 3)]
    assert OrderEvent.objects.values_list("actor", "note").get() == (ada.pk, "Phone order.")
    assert list(CartItem.objects.values_list("user", "product", "quantity")) == [
        (carl.pk, mug.pk, 5)
    ]
    assert list(find_drift()) == []


def test_a_new_customers_order_is_placed(adas_browser, mug):
    adas_browser.post(PAGE, summary_data(adas_browser, form_data((mug, "2"), **NEW)))
    nora = User.objects.get(email="nora@example.com")
    assert (str(nora), nora.phone, nora.role, nora.has_usable_password()) == (
        "Nora New",
        "030 123",
        "customer",
        False,
    )
    assert Order.objects.get().user == nora


def test_the_summary_shows_the_order_and_writes_nothing(adas_browser, carl, mug, lamp):
    before = factories.all_rows()
    response = adas_browser.post(PAGE, form_data((mug, "2"), (lamp, "1"), customer=carl.pk))
    text = re.sub(r"(<[^>]+>|\s)+", " ", response.content.decode())
    assert "Mug MUG-1, 12.50 EUR each 2 of 10 in stock 25.00 EUR" in text
    assert "Lamp LAMP-1, 49.90 EUR each 1 of 5 in stock 49.90 EUR" in text
    assert "Carl Buyer, carl@example.com" in text
    assert "Place order for 74.90 EUR" in text
    assert factories.all_rows() == before


def test_a_summary_sent_twice_is_one_order(adas_browser, carl, mug):
    """The first request takes the last units; the second still leads to its order."""
    place = summary_data(adas_browser, form_data((mug, "10"), **NEW))
    first, second = adas_browser.post(PAGE, place), adas_browser.post(PAGE, place)
    assert first.url == second.url == f"/admin/shop/order/{Order.objects.get().pk}/change/"
    assert (Product.objects.get().stock, IdempotencyKey.objects.count()) == (0, 1)


def test_two_summaries_are_two_orders(adas_browser, carl, mug):
    for _ in range(2):
        adas_browser.post(PAGE, summary_data(adas_browser, form_data((mug, "1"), customer=carl.pk)))
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"lines-0-quantity": "11"}, "quantity", "low_stock"),
        ({"lines-1-product": "1", "lines-1-quantity": "9"}, "quantity", "low_stock"),
        ({"lines-0-quantity": "0"}, "quantity", "min_value"),
        ({"lines-0-quantity": "1000"}, "quantity", "max_value"),
        ({"lines-1-product": "1", "lines-1-quantity": "999"}, "quantity", "max_quantity"),
        ({"lines-1-quantity": "3"}, "product", "required"),
        ({"lines-0-product": "4711"}, "product", "invalid_choice"),
        ({"lines-0-product": "x' --"}, "product", "invalid_choice"),
        ({"lines-0-product": "9" * 19}, "product", "invalid_choice"),
        ({"lines-0-product": "", "lines-0-quantity": ""}, "__all__", "empty"),
        ({"customer": ""}, "customer", "required"),
        ({"customer": "4711"}, "customer", "invalid_choice"),
        (NEW, "__all__", "two_customers"),
        ({"customer": "", **NEW, "first_name": " "}, "first_name", "blank"),
        ({"customer": "", **NEW, "last_name": "\u200b\u3164"}, "last_name", "blank"),
        ({"customer": "", **NEW, "email": "nobody"}, "email", "invalid"),
        ({"customer": "", **NEW, "email": "CARL@example.com"}, "email", "email_taken"),
        ({"customer": "", **NEW, "phone": "\u202e"}, "phone", "characters"),
        ({"shipping_address": ""}, "shipping_address", "required"),
        ({"shipping_address": "x" * 1001}, "shipping_address", "max_length"),
        ({"payment_method": "card"}, "payment_method", "invalid_choice"),
    ],
)
def test_an_invalid_order_shows_its_error_and_writes_nothing(
    adas_browser, carl, mug, changes, field, code
):
    pks = {"1": str(mug.pk)}
    values = form_data((mug, "2"), customer=carl.pk) | {
        name: pks.get(value, value) if name.endswith("product") else value
        for name, value in changes.items()
    }
    before = factories.all_rows()
    for step in ("check", "place"):
        summary_fields = {"expected_total": "25.00", "key": "0" * 32, "step": step}
        response = adas_browser.post(PAGE, {**values, **summary_fields})
        assert errors(response)[-1] == (field, code)
        assert response.context["form"]["note"].value() == ""
    assert factories.all_rows() == before


@pytest.mark.parametrize(
    ("offered", "choices"),
    [
        (["card", "cash_on_delivery"], ["cash_on_delivery"]),
        (["bank_transfer", "cash_on_delivery"], ["bank_transfer", "cash_on_delivery"]),
    ],
)
def test_the_form_offers_what_the_shop_offers_but_cards(adas_browser, settings, offered, choices):
    settings.SHOP_PAYMENT_METHODS = offered
    field = adas_browser.get(PAGE).context["form"].fields["payment_method"]
    assert [value for value, _label in field.choices] == choices


def test_a_changed_price_shows_a_new_summary(adas_browser, carl, mug):
    place = summary_data(adas_browser, form_data((mug, "2"), customer=carl.pk))
    Product.objects.update(price=Decimal("13.00"))
    before = factories.all_rows()
    response = adas_browser.post(PAGE, place)
    assert response.context["refusal"] == "Nothing was ordered. The total is now 26.00 EUR."
    assert response.context["total"] == "26.00 EUR"
    assert factories.all_rows() == before
    second = {name: str(value) for name, value in response.context["hidden"]}
    adas_browser.post(PAGE, {**second, "step": "place"})
    assert Order.objects.get().total_amount == Decimal("26.00")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"stock": 1}, "quantity", "low_stock"),
        ({"stock": 0}, "product", "out_of_stock"),
        ({"is_active": False}, "product", "archived"),
    ],
)
def test_a_product_sold_meanwhile_is_an_error_and_no_customer_is_added(
    adas_browser, mug, changes, field, code
):
    place = summary_data(adas_browser, form_data((mug, "2"), **NEW))
    Product.objects.update(**changes)
    before = factories.all_rows()
    response = adas_browser.post(PAGE, place)
    assert errors(response) == [("", ""), (field, code)]
    assert response.context["form"]["email"].value() == NEW["email"]
    assert factories.all_rows() == before


def test_an_email_taken_meanwhile_is_an_error(adas_browser, mug):
    place = summary_data(adas_browser, form_data((mug, "2"), **NEW))
    factories.create_user("Nora", "Other")
    before = factories.all_rows()
    assert errors(adas_browser.post(PAGE, place))[-1] == ("email", "email_taken")
    assert factories.all_rows() == before


def test_an_empty_address_means_the_last_orders_address(adas_browser, ada, carl, mug):
    for address in ("1 Old Street", "2 New Street"):
        place_phone_order(customer=carl, lines={mug.pk: 1}, actor=ada, shipping_address=address)
    place = summary_data(
        adas_browser, form_data((mug, "1"), customer=carl.pk, shipping_address=" ")
    )
    assert place["shipping_address"] == "2 New Street"
    adas_browser.post(PAGE, place)
    assert Order.objects.first().shipping_address == "2 New Street"


@pytest.mark.parametrize(("step", "rows"), [("more", 10), ("edit", 5)])
def test_adding_rows_and_editing_keep_the_input(adas_browser, carl, mug, step, rows):
    data = form_data((mug, "x"), customer=carl.pk, shipping_address="", note="Ring", step=step)
    before = factories.all_rows()
    response = adas_browser.post(PAGE, data)
    form, lines = response.context["form"], response.context["lines"]
    assert (errors(response), len(lines.forms)) == ([], rows)
    assert [lines[0][name].value() for name in ("product", "quantity")] == [str(mug.pk), "x"]
    assert (form["customer"].value(), form["note"].value()) == (str(carl.pk), "Ring")
    page = response.content.decode()
    assert "Mug · MUG-1 · 12.50 EUR · 10 in stock</option>" in page
    assert "Carl Buyer, carl@example.com</option>" in page
    assert factories.all_rows() == before


def test_there_are_never_more_rows_than_lines_in_an_order(adas_browser):
    response = adas_browser.post(PAGE, form_data(rows=98, step="more"))
    assert len(response.context["lines"].forms) == 100
    assert len(adas_browser.post(PAGE, form_data(rows=100_000)).context["lines"].forms) == 100


def test_the_customer_in_the_url_is_chosen(adas_browser, carl):
    page = adas_browser.get(PAGE, {"customer": carl.pk}).content.decode()
    assert "Carl Buyer, carl@example.com</option>" in page


def test_every_input_has_a_label(adas_browser):
    response = adas_browser.get(PAGE)
    page = response.content.decode()
    inputs = re.findall(
        r"<(?:select|textarea|input) (?![^>]*type=\"hidden\")[^>]*name=[^>]*>", page
    )
    ids = {re.search(r' id="([^"]+)"', tag)[1] for tag in inputs}
    assert len(ids) == 5 * 2 + len(response.context["form"].fields)
    assert ids == set(re.findall(r'<label for="([^"]+)"', page)) & ids


@pytest.mark.parametrize(
    ("what", "term", "labels"),
    [
        ("product", "mug", ["Mug · MUG-1 · 12.50 EUR · 10 in stock"]),
        ("product", "LAMP-1", ["Lamp · LAMP-1 · 49.90 EUR · out of stock"]),
        ("product", "old", []),
        ("product", "\x00", ["Lamp", "Mug"]),
        ("customer", "buyer carl", ["Carl Buyer, carl@example.com"]),
        ("customer", "dora", []),
    ],
)
def test_search_offers_products_for_sale_and_active_customers(
    adas_browser, carl, dora, mug, lamp, what, term, labels
):
    Product.objects.filter(pk=lamp.pk).update(stock=0)
    factories.create_product("Old Mug", is_active=False)
    User.objects.filter(pk=dora.pk).update(is_active=False)
    results = adas_browser.get(f"/admin/shop/order/search/{what}/", {"term": term}).json()[
        "results"
    ]
    assert all(row["text"].startswith(start) for row, start in zip(results, labels, strict=True))


def test_search_offers_nothing_else(adas_browser):
    assert adas_browser.get("/admin/shop/order/search/session/").status_code == 404


@pytest.mark.parametrize("missing", RIGHTS)
def test_without_a_permission_the_page_is_forbidden(staff_client_with, carl, mug, missing):
    browser = staff_client_with(*(right for right in RIGHTS if right != missing))
    key = {"expected_total": "12.50", "key": "0" * 32, "step": "place"}
    before = factories.all_rows()
    assert browser.get(PAGE).status_code == 403
    assert browser.post(PAGE, form_data((mug, "1"), customer=carl.pk, **key)).status_code == 403
    assert browser.get("/admin/shop/order/search/customer/").status_code == 403
    assert factories.all_rows() == before


def test_without_a_csrf_token_nothing_is_ordered(ada, carl, mug):
    browser = factories.staff_client(ada, enforce_csrf_checks=True)
    key = {"expected_total": "12.50", "key": "0" * 32, "step": "place"}
    before = factories.all_rows()
    assert browser.post(PAGE, form_data((mug, "1"), customer=carl.pk, **key)).status_code == 403
    assert factories.all_rows() == before


def test_staff_who_may_not_add_customers_choose_known_ones(staff_client_with, carl, mug):
    browser = staff_client_with(*RIGHTS)
    before = factories.all_rows()
    response = browser.post(PAGE, form_data((mug, "1"), **NEW))
    assert errors(response) == [("customer", "required")]
    assert response.context["form"].new_customer_fields() == []
    assert factories.all_rows() == before
    browser.post(PAGE, summary_data(browser, form_data((mug, "1"), customer=carl.pk)))
    assert str(OrderEvent.objects.get().actor) == "Cleo Clerk"


@pytest.mark.parametrize(("rights", "is_offered"), [(RIGHTS, True), (RIGHTS[1:], False)])
def test_the_list_has_a_button_for_staff_who_may_add_orders(staff_client_with, rights, is_offered):
    page = staff_client_with(*rights).get("/admin/shop/order/").content.decode()
    assert (f'href="{PAGE}">New order</a>' in page) is is_offered


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(("step", "count"), [("check", 5), ("place", 15)])
def test_many_lines_run_as_many_queries_as_one(
    adas_browser, carl, mug, lamp, statements, number, step, count
):
    lines = [(mug, "1"), (lamp, "1"), (factories.create_product("Mat"), "1")][:number]
    data = form_data(*lines, customer=carl.pk)
    place = summary_data(adas_browser, data)
    with statements(count):
        adas_browser.post(PAGE, place if step == "place" else data)


def test_a_field_of_user_and_order_with_the_same_name_has_two_inputs(carl):
    order_fields = {"note": forms.CharField(), "shipping_address": forms.CharField()}
    form = PhoneOrderForm(
        {"note": "Ring", "customer_note": "VIP", "shipping_address": "1 Elm Street"},
        user_fields={"note": forms.CharField()},
        order_fields=order_fields,
    )
    form.is_valid()
    assert form.order_values() == {"note": "Ring", "shipping_address": "1 Elm Street"}
    assert form.new_customer_values() == {"note": "VIP"}
