import re
from decimal import Decimal

import pytest
from support import factories

from shop.models import CartItem, IdempotencyKey, Order, OrderEvent, Product, User
from shop.services.phone_orders import place_phone_order
from shop.services.stock import find_drift

PAGE = "/admin/shop/order/add/"
RIGHTS = ("add_order", "view_order", "view_user", "view_product")
NEW = {"email": "Nora@Example.com", "first_name": "Nora", "last_name": "New", "phone": "030 123"}


def typed(*lines, rows=5, **values):
    """What the page sends: for each line a product and a quantity."""
    sent = {
        "lines-TOTAL_FORMS": rows,
        "lines-INITIAL_FORMS": 0,
        "payment_method": "cash_on_delivery",
    }
    for number, (product, quantity) in enumerate(lines):
        sent[f"lines-{number}-product"] = product if isinstance(product, str) else product.pk
        sent[f"lines-{number}-quantity"] = quantity
    return {"shipping_address": "1 Elm Street", "note": "", "step": "check", **sent, **values}


def summary(browser, sent):
    """What "Place order" would send, once the check has found nothing wrong."""
    answer = browser.post(PAGE, sent)
    assert errors(answer) == [], answer.content
    return {**{name: str(value) for name, value in answer.context["hidden"]}, "step": "place"}


def errors(answer):
    """Everything the page says is wrong."""
    context = answer.context
    found = [context["refusal"]] if context["refusal"] else []
    if "form" in context:
        form, lines = context["form"], context["lines"]
        for said in (form.errors, *lines.errors):
            found += [message for messages in said.values() for message in messages]
        found += lines.non_form_errors() if lines.is_bound else []
    return found


def test_an_order_for_a_known_customer(adas_browser, ada, carl, mug, lamp):
    factories.add_to_cart(carl, (mug, 5))
    sent = typed((mug, "2"), (lamp, ""), (mug, "1"), customer=carl.pk, note="Ring twice")
    answer = adas_browser.post(PAGE, summary(adas_browser, sent), follow=True)
    order = Order.objects.get()
    assert answer.request["PATH_INFO"] == f"/admin/shop/order/{order.pk}/change/"
    assert factories.page_messages(answer) == [f"Order {order} was placed for Carl Buyer."]
    assert (order.user, order.total_amount, order.note) == (carl, Decimal("87.40"), "Ring twice")
    assert sorted(order.items.values_list("sku", "quantity")) == [("LAMP-1", 1), ("MUG-1", 3)]
    assert OrderEvent.objects.values_list("actor", "note").get() == (ada.pk, "Phone order.")
    assert list(CartItem.objects.values_list("user", "product", "quantity")) == [
        (carl.pk, mug.pk, 5)
    ]
    assert list(find_drift()) == []


def test_an_order_for_a_new_customer(adas_browser, mug):
    adas_browser.post(PAGE, summary(adas_browser, typed((mug, "2"), **NEW)))
    nora = User.objects.get(email="nora@example.com")
    assert (str(nora), nora.phone, nora.role, nora.has_usable_password()) == (
        "Nora New",
        "030 123",
        "customer",
        False,
    )
    assert Order.objects.get().user == nora


def test_a_check_shows_what_would_be_ordered_and_writes_nothing(adas_browser, carl, mug, lamp):
    before = factories.all_rows()
    answer = adas_browser.post(PAGE, typed((mug, "2"), (lamp, "1"), customer=carl.pk))
    text = re.sub(r"(<[^>]+>|\s)+", " ", answer.content.decode())
    assert "Mug MUG-1, 12.50 EUR each 2 of 10 in stock 25.00 EUR" in text
    assert "Lamp LAMP-1, 49.90 EUR each 1 of 5 in stock 49.90 EUR" in text
    assert "Carl Buyer, carl@example.com" in text
    assert "Place order for 74.90 EUR" in text
    assert factories.all_rows() == before


def test_pressed_twice_it_is_one_order(adas_browser, carl, mug):
    """The first press takes the last units; the second still ends on its order."""
    place = summary(adas_browser, typed((mug, "10"), **NEW))
    first, second = adas_browser.post(PAGE, place), adas_browser.post(PAGE, place)
    assert first.url == second.url == f"/admin/shop/order/{Order.objects.get().pk}/change/"
    assert (Product.objects.get().stock, IdempotencyKey.objects.count()) == (0, 1)


def test_two_checks_are_two_orders(adas_browser, carl, mug):
    for _ in range(2):
        adas_browser.post(PAGE, summary(adas_browser, typed((mug, "1"), customer=carl.pk)))
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"lines-0-quantity": "11"}, "Mug: 11 wanted, 10 in stock."),
        ({"lines-1-product": "1", "lines-1-quantity": "9"}, "Mug: 11 wanted, 10 in stock."),
        ({"lines-0-quantity": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"lines-0-quantity": "1000"}, "Ensure this value is less than or equal to 999."),
        (
            {"lines-1-product": "1", "lines-1-quantity": "999"},
            "Of one product, order at most 999: 1001 of Mug.",
        ),
        ({"lines-1-quantity": "3"}, "Pick a product for this quantity."),
        ({"lines-0-product": "4711"}, "There is no such product any more."),
        ({"lines-0-product": "x' --"}, "There is no such product any more."),
        ({"lines-0-product": "9" * 19}, "There is no such product any more."),
        ({"lines-0-product": "", "lines-0-quantity": ""}, "Pick at least one product."),
        ({"customer": ""}, "Pick a customer, or fill in a new one."),
        ({"customer": "4711"}, "This customer cannot order."),
        (NEW, "Pick a known customer or fill in a new one, not both."),
        ({"customer": "", **NEW, "first_name": " "}, "This field cannot be blank."),
        ({"customer": "", **NEW, "email": "nobody"}, "Enter a valid email address."),
        (
            {"customer": "", **NEW, "email": "CARL@example.com"},
            "Carl Buyer has an account with this email: pick it above.",
        ),
        (
            {"customer": "", **NEW, "phone": "\u202e"},
            "Remove the character U+202E: it isn't allowed.",
        ),
        ({"shipping_address": ""}, "Enter an address: there is no earlier order to take it from."),
        (
            {"shipping_address": "x" * 1001},
            "Ensure this value has at most 1000 characters (it has 1001).",
        ),
        (
            {"payment_method": "card"},
            "Select a valid choice. card is not one of the available choices.",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(adas_browser, carl, mug, sent, said):
    own = {"1": str(mug.pk)}
    values = typed((mug, "2"), customer=carl.pk) | {
        name: own.get(value, value) if name.endswith("product") else value
        for name, value in sent.items()
    }
    before = factories.all_rows()
    for step in ("check", "place"):
        key = {"expected_total": "25.00", "key": "0" * 32, "step": step}
        answer = adas_browser.post(PAGE, {**values, **key})
        assert errors(answer)[-1] == said
        assert answer.context["form"]["note"].value() == ""
    assert factories.all_rows() == before


def test_a_price_that_moved_is_told_with_the_new_summary(adas_browser, carl, mug):
    place = summary(adas_browser, typed((mug, "2"), customer=carl.pk))
    Product.objects.update(price=Decimal("13.00"))
    before = factories.all_rows()
    answer = adas_browser.post(PAGE, place)
    assert answer.context["refusal"] == "Nothing was ordered. The total is 26.00 EUR now."
    assert answer.context["total"] == "26.00 EUR"
    assert factories.all_rows() == before
    again = {name: str(value) for name, value in answer.context["hidden"]}
    adas_browser.post(PAGE, {**again, "step": "place"})
    assert Order.objects.get().total_amount == Decimal("26.00")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stock": 1}, "Mug: 2 wanted, 1 in stock."),
        ({"stock": 0}, "Mug is out of stock."),
        ({"is_active": False}, "Mug is archived: it is not for sale."),
    ],
)
def test_what_was_sold_meanwhile_is_told_at_its_row_and_nobody_is_added(
    adas_browser, mug, changes, said
):
    place = summary(adas_browser, typed((mug, "2"), **NEW))
    Product.objects.update(**changes)
    before = factories.all_rows()
    answer = adas_browser.post(PAGE, place)
    assert errors(answer)[0].startswith("Nothing was ordered. ")
    assert answer.context["lines"].errors[0].popitem()[1] == [said]
    assert answer.context["form"]["email"].value() == NEW["email"]
    assert factories.all_rows() == before


def test_an_email_that_was_taken_meanwhile_is_told(adas_browser, mug):
    place = summary(adas_browser, typed((mug, "2"), **NEW))
    factories.create_user("Nora", "Other")
    before = factories.all_rows()
    answer = adas_browser.post(PAGE, place)
    assert answer.context["form"].errors == {
        "email": ["Nora Other has an account with this email: pick it above."]
    }
    assert factories.all_rows() == before


def test_an_empty_address_is_that_of_the_last_order(adas_browser, ada, carl, mug):
    for address in ("1 Old Street", "2 New Street"):
        place_phone_order(customer=carl, lines={mug.pk: 1}, actor=ada, shipping_address=address)
    place = summary(adas_browser, typed((mug, "1"), customer=carl.pk, shipping_address=" "))
    assert place["shipping_address"] == "2 New Street"
    adas_browser.post(PAGE, place)
    assert Order.objects.first().shipping_address == "2 New Street"


@pytest.mark.parametrize(("step", "rows"), [("more", 10), ("edit", 5)])
def test_more_lines_and_a_second_thought_keep_what_was_typed(adas_browser, carl, mug, step, rows):
    sent = typed((mug, "x"), customer=carl.pk, shipping_address="", note="Ring", step=step)
    before = factories.all_rows()
    answer = adas_browser.post(PAGE, sent)
    form, lines = answer.context["form"], answer.context["lines"]
    assert (errors(answer), len(lines.forms)) == ([], rows)
    assert [lines[0][name].value() for name in ("product", "quantity")] == [str(mug.pk), "x"]
    assert (form["customer"].value(), form["note"].value()) == (str(carl.pk), "Ring")
    page = answer.content.decode()
    assert "Mug · MUG-1 · 12.50 EUR · 10 in stock</option>" in page
    assert "Carl Buyer, carl@example.com</option>" in page
    assert factories.all_rows() == before


def test_there_are_never_more_rows_than_lines_in_an_order(adas_browser):
    answer = adas_browser.post(PAGE, typed(rows=98, step="more"))
    assert len(answer.context["lines"].forms) == 100
    assert len(adas_browser.post(PAGE, typed(rows=100_000)).context["lines"].forms) == 100


def test_a_customers_page_leads_to_an_order_for_them(adas_browser, carl):
    page = adas_browser.get(PAGE, {"customer": carl.pk}).content.decode()
    assert "Carl Buyer, carl@example.com</option>" in page


def test_every_input_has_a_label(adas_browser):
    page = adas_browser.get(PAGE).content.decode()
    inputs = re.findall(
        r"<(?:select|textarea|input) (?![^>]*type=\"hidden\")[^>]*name=[^>]*>", page
    )
    ids = {re.search(r' id="([^"]+)"', tag)[1] for tag in inputs}
    assert len(ids) == 5 * 2 + 5 + 3
    assert ids == set(re.findall(r'<label for="([^"]+)"', page)) & ids


@pytest.mark.parametrize(
    ("what", "term", "found"),
    [
        ("product", "mug", ["Mug · MUG-1 · 12.50 EUR · 10 in stock"]),
        ("product", "LAMP-1", ["Lamp · LAMP-1 · 49.90 EUR · out of stock"]),
        ("product", "old", []),
        ("product", "\x00", ["Lamp", "Mug"]),
        ("customer", "buyer carl", ["Carl Buyer, carl@example.com"]),
        ("customer", "dora", []),
    ],
)
def test_what_the_search_offers(adas_browser, carl, dora, mug, lamp, what, term, found):
    Product.objects.filter(pk=lamp.pk).update(stock=0)
    factories.create_product("Old Mug", is_active=False)
    User.objects.filter(pk=dora.pk).update(is_active=False)
    results = adas_browser.get(f"/admin/shop/order/pick/{what}/", {"term": term}).json()["results"]
    assert all(row["text"].startswith(start) for row, start in zip(results, found, strict=True))


def test_the_search_offers_nothing_else(adas_browser):
    assert adas_browser.get("/admin/shop/order/pick/session/").status_code == 404


@pytest.mark.parametrize("missing", RIGHTS)
def test_without_a_right_there_is_no_such_page(clerk_with, carl, mug, missing):
    browser = clerk_with(*(right for right in RIGHTS if right != missing))
    key = {"expected_total": "12.50", "key": "0" * 32, "step": "place"}
    before = factories.all_rows()
    assert browser.get(PAGE).status_code == 403
    assert browser.post(PAGE, typed((mug, "1"), customer=carl.pk, **key)).status_code == 403
    assert browser.get("/admin/shop/order/pick/customer/").status_code == 403
    assert factories.all_rows() == before


def test_without_a_token_nothing_is_ordered(ada, carl, mug):
    browser = factories.staff_client(ada, enforce_csrf_checks=True)
    key = {"expected_total": "12.50", "key": "0" * 32, "step": "place"}
    before = factories.all_rows()
    assert browser.post(PAGE, typed((mug, "1"), customer=carl.pk, **key)).status_code == 403
    assert factories.all_rows() == before


def test_a_clerk_who_may_not_add_people_serves_known_customers(clerk_with, carl, mug):
    browser = clerk_with(*RIGHTS)
    before = factories.all_rows()
    answer = browser.post(PAGE, typed((mug, "1"), **NEW))
    assert errors(answer) == ["Pick a customer."]
    assert "New customer" not in answer.content.decode()
    assert factories.all_rows() == before
    browser.post(PAGE, summary(browser, typed((mug, "1"), customer=carl.pk)))
    assert str(OrderEvent.objects.get().actor) == "Cleo Clerk"


@pytest.mark.parametrize(("rights", "is_offered"), [(RIGHTS, True), (RIGHTS[1:], False)])
def test_the_list_has_a_button_for_those_who_may(clerk_with, rights, is_offered):
    page = clerk_with(*rights).get("/admin/shop/order/").content.decode()
    assert (f'href="{PAGE}">New order</a>' in page) is is_offered


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(("step", "count"), [("check", 4), ("place", 14)])
def test_many_lines_cost_the_same(adas_browser, carl, mug, lamp, statements, number, step, count):
    lines = [(mug, "1"), (lamp, "1"), (factories.create_product("Mat"), "1")][:number]
    sent = typed(*lines, customer=carl.pk)
    place = summary(adas_browser, sent)
    with statements(count):
        adas_browser.post(PAGE, place if step == "place" else sent)
