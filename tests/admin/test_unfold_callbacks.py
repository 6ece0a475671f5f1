import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from support import factories

from settings import env
from shop.admin import unfold_callbacks
from shop.admin.unfold_callbacks import environment
from shop.management.commands import demo
from shop.models import CartItem, Order, OutboxMessage, Product, SavedView
from shop.services import sidebar_badges
from shop.services.orders import place_order

BADGE = re.compile(r'<span title="([^"]*)"><span aria-hidden="true">([\d,+]+)</span>')


@pytest.fixture
def busy(carl, dora, mug, lamp):
    """One order to confirm, two customers with a cart, one product low and one archived."""
    factories.add_to_cart(carl, (mug, 1))
    place_order(user=carl, shipping_address="1 Street")
    factories.add_to_cart(carl, (mug, 1), (lamp, 1))
    factories.add_to_cart(dora, (mug, 1))
    factories.create_product("Old mug", stock=0, is_active=False)


def badges(browser, path="/admin/"):
    return dict(BADGE.findall(browser.get(path).content.decode()))


def test_the_sidebar_shows_counts(adas_browser, busy):
    assert badges(adas_browser) == {
        "1 order to be confirmed": "1",
        "1 product is low or out of stock": "1",
        "2 customers have an open cart": "2",
    }


def test_the_sidebar_shows_no_count_of_zero(adas_browser, mug):
    assert badges(adas_browser) == {}


def counts(user):
    return sidebar_badges.get_badge_counts(user, sidebar_badges.BADGE_MODELS)


def test_failed_emails_are_counted_for_a_week(carl):
    now = timezone.now()
    for status, days in (("failed", 6), ("failed", 8), ("sent", 1)):
        OutboxMessage.objects.create(
            user=carl, status=status, created_at=now - timedelta(days=days), expires_at=now
        )
    assert counts(carl) == {"order": 0, "outboxmessage": 1, "product": 0, "cartitem": 0}


def test_counts_leave_out_confirmed_orders_and_stocked_products(adas_browser, busy):
    Order.objects.update(status="confirmed")
    Product.objects.update(stock=50)
    assert badges(adas_browser) == {"2 customers have an open cart": "2"}


def test_a_count_needs_the_permission_to_view_its_list(staff_client_with, busy):
    browser = staff_client_with("view_product", "view_user")
    assert badges(browser, "/admin/shop/user/") == {"1 product is low or out of stock": "1"}


def test_counts_are_one_query_and_none_without_permission(ada, busy, statements):
    with statements(1):
        counts(ada)
    with statements(0):
        assert sidebar_badges.get_badge_counts(ada, []) == {}


def test_counts_are_read_anew_on_each_page(adas_browser, busy):
    assert "1 order to be confirmed" in badges(adas_browser)
    Order.objects.update(status="confirmed")  # such as by another process
    assert "1 order to be confirmed" not in badges(adas_browser)


def test_counting_stops_at_a_limit(monkeypatch, adas_browser, busy):
    monkeypatch.setattr(sidebar_badges, "MAX_COUNTED", 1)
    monkeypatch.setattr(unfold_callbacks, "MAX_COUNTED", 1)
    assert badges(adas_browser)["1+ customers have an open cart"] == "1+"


def test_the_admin_works_without_its_cache(settings, adas_browser, busy):
    settings.CACHES = {"default": env.parse_cache_url("redis://127.0.0.1:1/0")}
    assert len(badges(adas_browser)) == 3


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("", None),
        ("Demo", ("Demo", "success")),
        ("Development", ("Development", "info")),
        ("Staging", ("Staging", "warning")),
    ],
)
def test_the_environment_label(settings, rf, name, label):
    settings.SHOP_ENVIRONMENT = name
    assert environment(rf.get("/admin/")) == label


def test_pages_show_the_environment(settings, adas_browser):
    settings.SHOP_ENVIRONMENT = "Staging"
    assert "Staging" in adas_browser.get("/admin/").content.decode()


def test_a_failed_login_shows_one_error(db):
    response = Client().post("/admin/login/", {"username": "eve@example.com", "password": "wrong"})
    assert response.content.decode().count("errornote") == 1
    assert "That email and password don&#x27;t match." in response.content.decode()


@pytest.mark.parametrize(
    ("values", "noun"), [({"username": "e@example.com"}, "error"), ({}, "errors")]
)
def test_missing_login_fields_show_one_error_note(db, values, noun):
    text = Client().post("/admin/login/", values).content.decode()
    assert (text.count("errornote"), f"Please correct the {noun} below." in text) == (1, True)


def test_the_login_page_shows_the_shop_name(db):
    text = Client().get("/admin/login/").content.decode()
    assert len(re.findall("Fern &amp; Ember", text)) >= 2


def test_the_login_page_shows_no_demo_logins(ada):
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


@pytest.mark.parametrize("model", [Order, Product, CartItem, SavedView])
def test_an_empty_list_says_what_to_do_next(adas_browser, model):
    text = adas_browser.get(f"/admin/shop/{model._meta.model_name}/").content.decode()
    assert escape(str(admin.site.get_model_admin(model).empty_text)) in text
    assert "Nothing matches" not in text


@pytest.mark.parametrize("query", ["q=teapot", "level=out", "is_active__exact=0"])
def test_a_list_without_matches_offers_to_clear_the_filters(adas_browser, mug, query):
    text = adas_browser.get(f"/admin/shop/product/?{query}").content.decode()
    assert "Nothing matches" in text
    assert (
        '<a class="shop-button shop-button-primary" href="?">Clear search and filters</a>' in text
    )


def test_an_empty_list_links_to_add_only_with_permission(adas_browser, staff_client_with):
    link = 'href="/admin/shop/product/add/">New product</a>'
    assert link in adas_browser.get("/admin/shop/product/").content.decode()
    assert (
        link not in staff_client_with("view_product").get("/admin/shop/product/").content.decode()
    )


def test_a_shipping_address_can_be_copied(adas_browser, carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    order = place_order(user=carl, shipping_address="1 <Street>\nTown").order
    text = adas_browser.get(f"/admin/shop/order/{order.pk}/change/").content.decode()
    assert "data-copy>1 &lt;Street&gt;\nTown</span>" in text


def test_an_unknown_page_is_a_404_page(adas_browser):
    response = adas_browser.get("/admin/nowhere/")
    assert response.status_code == 404
    assert 'href="/admin/"' in response.content.decode()
