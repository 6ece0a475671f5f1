"""One name for each thing: menu, page and breadcrumb; and a card for each list on a phone."""

import re

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils.text import capfirst
from support import admin_urls, factories, world

from shop.admin.unfold_callbacks import BADGE_QUERIES, sidebar_navigation
from shop.models import Product
from shop.services.sidebar_badges import get_badge_counts

CRUMB = re.compile(r'class="shop-crumb-last">([^<]*)<')
TITLE = re.compile(r"<title>\s*([^|]*?) \|")
DASHBOARD_CRUMB = '<a class="shop-crumb" href="/admin/">'


def sidebar_links(user):
    request = RequestFactory().get("/admin/")
    request.user = user
    return [
        (str(item["title"]), str(item["link"]))
        for group in sidebar_navigation(request)
        for item in group["items"]
    ]


def test_menu_page_and_breadcrumb_have_one_name(adas_browser, ada):
    links = sidebar_links(ada)
    assert len(links) > 10
    for title, link in links:
        page = adas_browser.get(link).content.decode()
        assert TITLE.search(page)[1].strip() == CRUMB.search(page)[1] == title, link


@pytest.mark.parametrize("url", admin_urls.admin_urls(only="_changelist"), ids=lambda url: url.name)
def test_the_breadcrumb_leads_to_the_dashboard(adas_browser, url):
    page = adas_browser.get(url.path)
    opts = page.context["cl"].opts
    text = page.content.decode()
    assert DASHBOARD_CRUMB in text
    assert CRUMB.search(text)[1] == capfirst(opts.verbose_name_plural)
    assert reverse("admin:app_list", args=[opts.app_label]) not in re.findall(
        r'href="([^"]*)"', text
    )


@pytest.mark.parametrize("url", admin_urls.admin_urls(only="_changelist"), ids=lambda url: url.name)
def test_each_list_has_cards_whose_title_and_corner_are_columns(adas_browser, url):
    response = adas_browser.get(url.path)
    changelist = response.context["cl"]
    columns = {getattr(column, "__name__", column) for column in changelist.list_display}
    assert changelist.card_title in columns
    assert (changelist.model_admin.card_corner or changelist.card_title) in columns
    assert "shop/lists.css" in response.content.decode()


def test_the_number_of_rows_is_said_once(adas_browser, carl, mug):
    world.create_order(carl, (mug, 1))
    for query, is_counted in (("", True), ("status__exact=pending", True), ("q=carl", False)):
        changelist = adas_browser.get(f"/admin/shop/order/?{query}").context["cl"]
        assert (changelist.is_counted_by_tab, changelist.result_count) == (is_counted, 1)
    page = adas_browser.get("/admin/shop/product/").content.decode()
    assert page.count("1 result") == 1


def test_the_list_says_what_the_menus_number_counts(adas_browser, ada, mug):
    factories.create_product("Vase", stock=0)
    factories.create_product("Old vase", stock=0, is_active=False)
    factories.create_product("Bowl", stock=1)
    text, query = adas_browser.get("/admin/shop/product/").context["badge_hint"]
    assert query == BADGE_QUERIES["product"]
    response = adas_browser.get(f"/admin/shop/product/?{query}")
    counted = get_badge_counts(ada, ["product"])["product"]
    assert counted == response.context["cl"].result_count == int(text.split()[0]) == 2
    assert response.context["badge_hint"] is None

    Product.objects.update(stock=50)
    assert adas_browser.get("/admin/shop/product/").context["badge_hint"] is None


def test_pages_of_ones_own_account_are_no_entry_of_the_menu(adas_browser):
    active = re.compile(r'<a [^>]*class="[^"]* active"')
    assert active.search(adas_browser.get("/admin/shop/user/").content.decode())
    for name in ("shop_user_two_factor", "password_change"):
        assert not active.search(adas_browser.get(reverse(f"admin:{name}")).content.decode())


def test_a_page_that_cannot_be_edited_has_no_bar_of_buttons(
    adas_browser, staff_client_with, carl, mug
):
    viewer = staff_client_with("view_product", "view_user")
    for url in (f"/admin/shop/product/{mug.pk}/change/", f"/admin/shop/user/{carl.pk}/change/"):
        assert 'id="submit-row"' not in viewer.get(url).content.decode()
        assert 'id="submit-row"' in adas_browser.get(url).content.decode()


def test_the_shop_has_its_own_labels_in_the_header(adas_browser, settings):
    settings.SHOP_ENVIRONMENT = "Staging"
    assert (
        '<span class="shop-label shop-warning">Staging</span>'
        in adas_browser.get("/admin/").content.decode()
    )
