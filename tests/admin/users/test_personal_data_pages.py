"""Export and erasure of personal data on a customer's page."""

import json

import pytest
from support import factories, world

from shop.models import User

VIEWS = ("export/", "erase/")
PERMISSIONS = ("view_user", "delete_user")


def page(user, view="change/"):
    return f"/admin/shop/user/{user.pk}/{view}"


def test_the_forms_themselves_change_nothing(adas_browser, carls_app, carl):
    before, shown = factories.all_rows(), adas_browser.get(page(carl)).content.decode()
    for view in VIEWS:
        assert page(carl, view) in shown
        assert adas_browser.get(page(carl, view)).status_code == 200
    assert factories.all_rows() == before


def test_the_export_is_a_json_file(adas_browser, carl):
    answer = adas_browser.post(page(carl, "export/"))
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == f'attachment; filename="customer-{carl.pk}.json"'
    assert "no-store" in answer["Cache-Control"]
    assert json.loads(answer.content)["person"][0]["email"] == carl.email


def test_erasure_signs_out_and_renames_the_account(adas_browser, carls_app, carl):
    answer = adas_browser.post(page(carl, "erase/"), follow=True)
    assert answer.redirect_chain == [(page(carl), 302)]
    erased = f"Erased customer {carl.pk}"
    assert factories.page_messages(answer) == [
        f"The personal data was erased. The account is now called {erased}."
    ]
    assert str(User.objects.get(pk=carl.pk)) == erased
    assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-invalid")
    assert "Carl" not in answer.content.decode()


def test_an_open_order_prevents_the_erasure(adas_browser, carl, mug):
    order = world.create_order(carl, (mug, 1))
    before = factories.all_rows()
    form = adas_browser.post(page(carl, "erase/")).context["form"]
    [error] = form.non_field_errors()
    assert str(order) in error
    assert factories.all_rows() == before


@pytest.mark.parametrize(
    "codenames", [("view_user", "change_user", "change_session"), ("delete_user",)]
)
def test_it_needs_its_permission_and_view_user(staff_client_with, carl, codenames):
    browser, before = staff_client_with(*codenames), factories.all_rows()
    for view in VIEWS:
        assert page(carl, view) not in browser.get(page(carl)).content.decode()
        for call in (browser.get, browser.post):
            assert call(page(carl, view)).status_code == 403
    assert factories.all_rows() == before


def test_it_needs_no_other_permission(staff_client_with, carl):
    browser = staff_client_with(*PERMISSIONS)
    assert page(carl, "sign-out/") not in browser.get(page(carl)).content.decode()
    assert browser.post(page(carl, "sign-out/")).status_code == 403
    assert browser.post(page(carl, "erase/")).url == page(carl)
    assert not User.objects.filter(email=carl.email).exists()


def test_staff_cannot_be_exported_or_erased(staff_client_with, adas_browser, ada):
    browser = staff_client_with(*PERMISSIONS)
    cleo, before = User.objects.get(first_name="Cleo"), factories.all_rows()
    for client, staff in (
        (browser, ada),
        (browser, cleo),
        (adas_browser, ada),
        (adas_browser, cleo),
    ):
        for view in VIEWS:
            assert page(staff, view) not in client.get(page(staff)).content.decode()
            assert client.post(page(staff, view)).status_code == 403
    assert factories.all_rows() == before


def test_it_needs_a_csrf_token(ada, carl):
    browser = factories.staff_client(ada, enforce_csrf_checks=True)
    for view in VIEWS:
        assert browser.post(page(carl, view)).status_code == 403
    assert User.objects.get(pk=carl.pk).email == carl.email
