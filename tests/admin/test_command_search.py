import pytest
from django.test import Client
from django.urls import resolve, reverse
from support import factories

from shop.admin import command_search
from shop.models import Order, Product
from shop.services.orders import place_order


@pytest.fixture
def order(carl, mug):
    Product.objects.update(description="Blue stoneware")
    factories.add_to_cart(carl, (mug, 2))
    placed = place_order(user=carl, shipping_address="1 Street").order
    Order.objects.update(order_number="7KX2-9M4Q")
    placed.refresh_from_db()
    return placed


def search(browser, term):
    results = browser.get("/admin/search/", {"s": term}).context["results"]
    return [(result.title, result.description) for result in results]


ORDER = ("7KX2-9M4Q", "Pending, Carl Buyer")
CARL = ("Carl Buyer", "carl@example.com")
MUG = ("Mug", "MUG-1")


@pytest.mark.parametrize(
    ("term", "results"),
    [
        ("7KX2-9M4Q", [ORDER]),
        ("7kx29m", [ORDER]),
        (" 7kx ", [ORDER]),
        ("carl@", [ORDER, CARL]),
        ("BUYER carl", [ORDER, CARL]),
        ("mug", [ORDER, MUG]),
        ("+49 170", []),
        ("mug-1", [ORDER, MUG]),
        ("MUG teapot", []),
        ("mug stoneware", [MUG]),
        ("\u0301\u0301", []),
        ("mu", [ORDER, MUG]),
        ("#7KX", [ORDER]),
        ("ug", []),
        ("bu Carl", [ORDER, CARL]),
        ("session", [("Sessions", "Page")]),
        ("7", []),
        ("nobody", []),
    ],
)
def test_search_results(adas_browser, order, lamp, term, results):
    assert search(adas_browser, term) == results


def test_the_url_of_unfolds_search_is_overridden(adas_browser):
    assert resolve(reverse("admin:search")).func.__wrapped__ is command_search.command_search


def test_a_result_links_to_its_page(adas_browser, order):
    text = adas_browser.get("/admin/search/", {"s": "7kx2"}).content.decode()
    assert f'href="/admin/shop/order/{order.pk}/change/"' in text


def test_an_empty_term_returns_nothing(adas_browser, order):
    assert adas_browser.get("/admin/search/", {"s": " "}).content == b""


@pytest.mark.parametrize(
    ("codenames", "results"),
    [
        (["view_order"], [ORDER]),
        (["view_user"], [CARL]),
        (["change_user", "view_order"], [ORDER, CARL]),
        (["view_product"], []),
    ],
)
def test_results_need_the_permission_to_view_them(staff_client_with, order, codenames, results):
    assert search(staff_client_with(*codenames), "carl") == results


def test_lists_need_the_permission_to_view_them(staff_client_with):
    assert search(staff_client_with("view_product"), "session") == []


def test_a_withdrawn_permission_applies_immediately(staff_client_with, order):
    browser = staff_client_with("view_order")
    assert search(browser, "carl") == [ORDER]
    factories.User.objects.get(email="cleo@example.com").user_permissions.clear()
    assert search(browser, "carl") == []


def test_results_are_not_cached(adas_browser, order):
    search(adas_browser, "7kx2")
    Order.objects.update(status="shipped")
    assert search(adas_browser, "7kx2") == [("7KX2-9M4Q", "Shipped, Carl Buyer")]


def test_anonymous_users_and_customers_are_redirected(carl, order):
    for browser in (Client(), factories.staff_client(carl)):
        assert browser.get("/admin/search/", {"s": "carl"}).status_code == 302


@pytest.mark.parametrize("number", [1, 3])
def test_a_search_is_eight_queries(adas_browser, carl, mug, statements, number):
    for _ in range(number):
        factories.add_to_cart(carl, (mug, 1))
        place_order(user=carl, shipping_address="1 Street")
    with statements(8):
        assert len(search(adas_browser, "carl")) == number + 1


def test_results_of_one_model_are_limited(adas_browser):
    for number in range(command_search.MAX_RESULTS_PER_MODEL + 2):
        factories.create_product(f"Mug {number}")
    assert [title for title, _ in search(adas_browser, "mug")] == [
        f"Mug {n}" for n in (6, 5, 4, 3, 2)
    ]
