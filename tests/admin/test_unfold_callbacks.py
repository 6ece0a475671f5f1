import re

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from support import factories

from settings import env
from shop.admin.unfold_callbacks import environment
from shop.management.commands import demo
from shop.models import Order, Product
from shop.services import sidebar_badges
from shop.services.orders import place_order

BADGE = re.compile(r'<span title="([^"]*)">([\d,]+)<span class="sr-only">')


@pytest.fixture
def busy(carl, dora, mug, lamp):
    """One order to confirm, two customers with a cart, one product that is low and one that is archived."""
    factories.add_to_cart(carl, (mug, 1))
    place_order(user=carl, shipping_address="1 Street")
    factories.add_to_cart(carl, (mug, 1), (lamp, 1))
    factories.add_to_cart(dora, (mug, 1))
    factories.create_product("Old mug", stock=0, is_active=False)


def badges(browser, address="/admin/"):
    return dict(BADGE.findall(browser.get(address).content.decode()))


def test_the_menu_counts_what_waits(adas_browser, busy):
    assert badges(adas_browser) == {
        "1 order to be confirmed": "1",
        "1 product is low or out of stock": "1",
        "2 customers have an open cart": "2",
    }


def test_the_menu_is_silent_where_nothing_waits(adas_browser, mug):
    assert badges(adas_browser) == {}
    assert sidebar_badges.get_badge_counts() == {"order": 0, "product": 0, "cartitem": 0}


def test_what_no_longer_waits_is_not_counted(adas_browser, busy):
    Order.objects.update(status="confirmed")
    Product.objects.update(stock=50)
    assert badges(adas_browser) == {"2 customers have an open cart": "2"}


def test_a_count_is_for_those_who_may_see_the_list(clerk_with, busy):
    browser = clerk_with("view_product", "view_user")
    assert badges(browser, "/admin/shop/user/") == {"1 product is low or out of stock": "1"}


def test_the_counts_are_one_statement_and_kept_for_a_while(busy, statements):
    with statements(1):
        sidebar_badges.get_badge_counts()
    with statements(0):
        sidebar_badges.get_badge_counts()
    cache.delete(sidebar_badges.CACHE_KEY)
    with statements(1):
        sidebar_badges.get_badge_counts()


def test_without_its_cache_the_back_office_opens(settings, adas_browser, busy):
    settings.CACHES = {"default": env.cache("redis://127.0.0.1:1/0")}
    assert len(badges(adas_browser)) == 3


@pytest.mark.parametrize(
    ("word", "badge"),
    [
        ("", None),
        ("Demo", ("Demo", "success")),
        ("Development", ("Development", "info")),
        ("Staging", ("Staging", "warning")),
    ],
)
def test_the_badge_says_where_this_runs(settings, rf, word, badge):
    settings.SHOP_ENVIRONMENT = word
    assert environment(rf.get("/admin/")) == badge


def test_every_page_says_where_it_runs(settings, adas_browser):
    settings.SHOP_ENVIRONMENT = "Staging"
    assert "Staging" in adas_browser.get("/admin/").content.decode()


def test_a_wrong_login_is_told_once(db):
    answer = Client().post("/admin/login/", {"username": "eve@example.com", "password": "wrong"})
    assert answer.content.decode().count("errornote") == 1
    assert "Please enter the correct email and password" in answer.content.decode()


@pytest.mark.parametrize(
    ("sent", "said"), [({"username": "e@example.com"}, "error"), ({}, "errors")]
)
def test_what_is_missing_at_login_is_told_once(db, sent, said):
    text = Client().post("/admin/login/", sent).content.decode()
    assert (text.count("errornote"), f"Please correct the {said} below." in text) == (1, True)


def test_the_login_page_names_the_shop(db):
    text = Client().get("/admin/login/").content.decode()
    assert len(re.findall("Fern &amp; Ember", text)) >= 2


def test_the_login_page_shows_no_login(ada):
    text = Client().get("/admin/login/").content.decode()
    assert "data-password" not in text


def test_the_demo_shows_its_logins(db, settings, monkeypatch):
    started = []
    monkeypatch.setattr(demo.demo_shop, "is_loaded", lambda: True)
    monkeypatch.setattr(demo, "call_command", lambda *command, **_: started.append(command[0]))
    settings.SHOP_ENVIRONMENT, settings.SHOP_DEMO_LOGINS = "", []
    call_command("demo", "--no-server")
    assert (started, settings.SHOP_ENVIRONMENT, settings.SHOP_DEMO_LOGINS) == ([], "", [])
    call_command("demo")
    assert (started, settings.SHOP_ENVIRONMENT) == (["runserver"], "Demo")
    text = Client().get("/admin/login/").content.decode()
    for _, email in demo.demo_shop.LOGINS:
        assert f'data-email="{email}" data-password="{demo.demo_shop.PASSWORD}"' in text


EMPTY = {
    "order": "They appear here as soon as an app, or you, place one.",
    "product": "Customers see a product as soon as it is here and active.",
    "cartitem": "What a customer puts into the cart of an app appears here until it is ordered.",
    "savedview": "Search or filter orders, products or people",
}


@pytest.mark.parametrize("screen", EMPTY)
def test_an_empty_list_says_what_to_do_next(adas_browser, screen):
    text = adas_browser.get(f"/admin/shop/{screen}/").content.decode()
    assert EMPTY[screen] in text
    assert "Nothing matches" not in text


@pytest.mark.parametrize("query", ["q=teapot", "level=out", "is_active__exact=0"])
def test_a_list_without_hits_offers_to_clear_them(adas_browser, mug, query):
    text = adas_browser.get(f"/admin/shop/product/?{query}").content.decode()
    assert "Nothing matches" in text
    assert (
        '<a class="shop-button shop-button-primary" href="?">Clear search and filters</a>' in text
    )


def test_only_who_may_add_is_led_to_add_the_first(adas_browser, clerk_with):
    link = 'href="/admin/shop/product/add/">New product</a>'
    assert link in adas_browser.get("/admin/shop/product/").content.decode()
    assert link not in clerk_with("view_product").get("/admin/shop/product/").content.decode()


def test_an_address_is_ready_to_copy(adas_browser, carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    order = place_order(user=carl, shipping_address="1 <Street>\nTown").order
    text = adas_browser.get(f"/admin/shop/order/{order.pk}/change/").content.decode()
    assert "<span data-copy>1 &lt;Street&gt;\nTown</span>" in text
