"""The error pages: in the back office's frame for staff, alone for others or if it fails."""

import pytest
from django.test import Client
from django.urls import reverse
from support import factories

from shop.admin import dashboard
from shop.models import Carrier

#: Of the sidebar, which only the frame has.
SIDEBAR = 'id="nav-sidebar"'


def error_page(client, path, **options):
    client.raise_request_exception = False
    response = client.get(path, **options)
    return response.status_code, SIDEBAR in response.content.decode()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/nowhere/", 404),
        ("/admin/shop/changeset/1/change/", 404),
        ("/nothing/", 404),
    ],
)
def test_staff_keep_the_menu_on_an_error_page(adas_browser, path, status):
    is_framed = path.startswith("/admin/")
    assert error_page(adas_browser, path) == (status, is_framed)


def test_a_refusal_keeps_the_menu(staff_client_with, ada):
    client = staff_client_with("view_product")
    page = client.get(reverse("admin:shop_user_changelist"))
    assert (page.status_code, SIDEBAR in page.content.decode()) == (403, True)
    assert reverse("admin:shop_product_changelist") in page.content.decode()


def test_an_expired_form_keeps_the_menu(ada):
    client = factories.staff_client(ada, enforce_csrf_checks=True)
    response = client.post(reverse("admin:shop_carrier_add"), {"name": "Pigeon"})
    assert (response.status_code, SIDEBAR in response.content.decode()) == (403, True)
    assert not Carrier.objects.filter(name="Pigeon").exists()


def test_a_malformed_request_keeps_the_menu(adas_browser, mug):
    data = {"action": ["receive", "change_prices"], "_selected_action": mug.pk}
    response = adas_browser.post(reverse("admin:shop_product_changelist"), data)
    assert (response.status_code, SIDEBAR in response.content.decode()) == (400, True)


def test_a_bug_is_shown_in_the_frame_and_a_bug_of_the_frame_without_it(adas_browser, monkeypatch):
    def fail(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr(dashboard, "dashboard_context", fail)
    assert error_page(adas_browser, "/admin/") == (500, True)

    monkeypatch.setattr("shop.admin.unfold_callbacks.sidebar_navigation", fail)
    assert error_page(adas_browser, "/admin/") == (500, False)


@pytest.mark.django_db
def test_customers_and_strangers_get_no_frame(carl):
    assert error_page(Client(), "/nothing/") == (404, False)
    client = Client()
    client.force_login(carl)
    response = client.get("/admin/nowhere/")
    assert SIDEBAR not in response.content.decode()
