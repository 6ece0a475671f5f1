"""Orders are found by number, customer, phone, address and items."""

import pytest
from support import factories, world

from shop.db import phone_search, row_search
from shop.models import Order, Product, User
from shop.services.order_search import number_start, search_orders

both_strategies = pytest.mark.parametrize("max_counted", [row_search.MAX_COUNTED, 0])


@pytest.fixture
def orders(db):
    """One order of Amélie, and one of Bruno."""
    people = [
        User.objects.create(
            email=email, first_name=first, last_name=last, phone=phone, role="customer"
        )
        for email, first, last, phone in (
            ("amelie@a.example", "Amélie", "Hartley-Stone", "+49 170 1234567"),
            ("bruno@a.example", "Bruno", "Stone", "0170-1234999"),
        )
    ]
    mug = factories.create_product("Dipped Mug", sku="P-GJ2", description="Of stoneware")
    plate = factories.create_product("Crème plate", sku="PLATE-1", description="Goes with a mug")
    placed = {}
    for name, user, product, number, address in (
        ("amelie", people[0], mug, "7K01-9M4Q", "5 Fern Lane\n04109 Leipzig"),
        ("bruno", people[1], plate, "ABCD-EFGH", "12 High Street\nLeeds"),
    ):
        order = world.create_order(user, (product, 1))
        Order.objects.filter(pk=order.pk).update(order_number=number, shipping_address=address)
        placed[name] = order.pk
    return placed


def find(orders, term, *, by_staff=True):
    found = search_orders(Order.objects.all(), term, by_staff=by_staff).queryset
    names = {pk: name for name, pk in orders.items()}
    return sorted(names[pk] for pk in found.values_list("pk", flat=True))


FOUND_BY_STAFF = {
    "amelie": ["amelie"],
    "hartley": ["amelie"],
    "amelie hartley-stone": ["amelie"],
    "STONE amélie": ["amelie"],
    "stone": ["amelie", "bruno"],
    "amelie@a.example": ["amelie"],
    "leeds": ["bruno"],
    "high street": ["bruno"],
    "fern LANE amelie": ["amelie"],
    "04109": ["amelie"],
    "mug": ["amelie"],
    "dipped mug leipzig": ["amelie"],
    "creme": ["bruno"],
    "plate leipzig": [],
    "p-gj2": ["amelie"],
    "Hartley-Stone, Amélie": ["amelie"],
    "(leipzig), 04109": ["amelie"],
    "0170-1234567 leipzig": ["amelie"],
    "Fern Lane +49 170 1234567, Amelie": ["amelie"],
    "leeds 0170 1234567": [],
    "lane 5 04109 leipzig": ["amelie"],
    "\x01": [],
    "stoneware": [],
    "nothing": [],
}


@both_strategies
@pytest.mark.parametrize("term", FOUND_BY_STAFF)
def test_staff_find_orders_by_customer_address_and_items(orders, monkeypatch, term, max_counted):
    monkeypatch.setattr(row_search, "MAX_COUNTED", max_counted)
    assert find(orders, term) == FOUND_BY_STAFF[term]


@both_strategies
def test_an_address_is_found_in_any_case(orders, monkeypatch, max_counted):
    monkeypatch.setattr(row_search, "MAX_COUNTED", max_counted)
    Order.objects.filter(pk=orders["bruno"]).update(shipping_address="Straße 1\n50667 Köln")
    for term in ("KÖLN", "köln STRAßE", "50667 Köln"):
        assert find(orders, term) == ["bruno"], term


@both_strategies
@pytest.mark.parametrize(
    "term",
    [
        *("7K01-9M4Q", "#7K01-9M4Q", "# 7k01 9m4q", "7k019m4q", "7KOI-9M4Q", "7kol 9m4q"),
        *("7k01 - 9m4q", "7K01", "#7ko1", "7kol9", "7KO1-9M", "9M4Q", "7K01\u20139M4Q"),
    ],
)
def test_an_order_is_found_by_its_number_as_people_write_it(orders, monkeypatch, term, max_counted):
    monkeypatch.setattr(row_search, "MAX_COUNTED", max_counted)
    assert find(orders, term) == ["amelie"]
    assert find(orders, term, by_staff=False) == ["amelie"]


@pytest.mark.parametrize(
    ("word", "start"),
    [
        ("7k0", "7K0"),
        ("7kol9", "7K01-9"),
        ("oil", ""),
        ("ABCD-EFGH", ""),
        ("7k", ""),
        ("7K01-9M4QX", ""),
        ("7U01", ""),
    ],
)
def test_only_some_words_are_the_start_of_a_number(word, start):
    assert number_start(word) == start


def test_a_number_of_letters_is_found(orders):
    assert find(orders, "abcdefgh") == ["bruno"]
    assert find(orders, "#abcd") == ["bruno"]


SPELLINGS = (
    *("+49 170 1234567", "0170-1234567", "0049 170 1234567", "(0170) 123 4567"),
    *("+49 (0)170 1234567", "+49(0)170/123.4567", "01701234567", "00491701234567"),
)


@both_strategies
@pytest.mark.parametrize("stored", SPELLINGS)
def test_a_phone_is_found_in_any_spelling(orders, monkeypatch, stored, max_counted):
    monkeypatch.setattr(row_search, "MAX_COUNTED", max_counted)
    User.objects.filter(email="amelie@a.example").update(phone=stored)
    for typed in SPELLINGS:
        assert find(orders, typed) == ["amelie"], typed
    for part in ("0170 123456", "+49 170 12345", "123 4567", "0170-1234"):
        assert "amelie" in find(orders, part), part
    assert find(orders, "+44 170 9999999") == []


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("+49 (0)170 1234567", "491701234567"),
        ("0049-170", "49170"),
        ("(0170) 1", "1701"),
        ("", ""),
        ("none", ""),
        ("000", ""),
        ("5\u0665 6", "56"),
    ],
)
def test_the_database_computes_the_same_digits(carl, text, digits):
    User.objects.filter(pk=carl.pk).update(phone=text)
    computed = User.objects.annotate(digits=phone_search.PhoneDigits("phone"))
    assert computed.values_list("digits", flat=True).get(pk=carl.pk) == digits
    assert phone_search.phone_digits(text) == digits


@pytest.mark.parametrize(
    ("text", "is_phone"),
    [
        ("0170 1234567", True),
        ("123456", True),
        ("04109", False),
        ("+", False),
        ("7K01-9M4Q", False),
        ("1234567 a", False),
        ("1" * 60, False),
    ],
)
def test_what_looks_like_a_phone_number(text, is_phone):
    assert phone_search.is_phone_number(text) is is_phone


def test_customers_find_numbers_and_products_but_not_customers(orders):
    assert find(orders, "mug", by_staff=False) == ["amelie"]
    assert find(orders, "creme", by_staff=False) == ["bruno"]
    for term in ("amelie", "0170 1234567", "leeds", "amelie@a.example"):
        assert find(orders, term, by_staff=False) == []


@both_strategies
def test_the_name_at_the_time_of_ordering_still_finds_it(orders, monkeypatch, max_counted):
    monkeypatch.setattr(row_search, "MAX_COUNTED", max_counted)
    Product.objects.filter(sku="P-GJ2").update(name="Tumbler", sku="T-1")
    for term in ("tumbler", "dipped", "t-1", "p-gj2"):
        assert find(orders, term) == ["amelie"], term


def test_a_number_or_an_email_of_an_order_that_is_not_listed_finds_nothing(orders):
    pending = Order.objects.filter(status="delivered")
    for term in ("7K01-9M4Q", "amelie@a.example"):
        assert not search_orders(pending, term, by_staff=True).queryset.exists()


def test_the_keys_of_a_word_are_counted_once(orders):
    result = search_orders(Order.objects.all(), "dipped", by_staff=True)
    assert (result.known_count, result.is_broad) == (1, False)
