import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from support import factories, world

from shop.models import Session, User
from shop.services import accounts


def page(user, view="change/"):
    return f"/admin/shop/user/{user.pk}/{view}"


def form_values(user, **changes):
    values = {
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "is_active": "on",
    }
    return {**values, "phone": user.phone, "role": user.role, **changes}


def test_login_redirects_to_the_dashboard(ada):
    answer = Client().post(
        "/admin/login/", {"username": "ADA@example.com", "password": factories.PASSWORD}
    )
    assert answer.url == "/admin/"


@pytest.mark.parametrize(
    "model",
    sorted(
        model._meta.model_name for model in admin.site._registry if model._meta.app_label == "shop"
    ),
)
def test_every_list_opens(adas_browser, model, carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    assert (
        adas_browser.get(reverse(f"admin:shop_{model}_changelist"), {"q": "mug"}).status_code == 200
    )


def test_other_staff_add_customers_only(staff_client_with):
    values = {"email": "eve@example.com", "first_name": "E", "last_name": "E", "role": "admin"}
    staff_client_with("add_user", "view_user", "change_user").post(
        "/admin/shop/user/add/", {**values, "is_superuser": "on"}
    )
    eve = User.objects.get(email="eve@example.com")
    assert (eve.role, eve.is_superuser, eve.has_usable_password()) == ("customer", False, False)


def test_customers_are_added_without_a_password(adas_browser, staff_client_with):
    browsers = adas_browser, staff_client_with("add_user", "view_user", "change_user")
    for number, browser in enumerate(browsers):
        values = {"email": f"eve{number}@example.com", "first_name": "E", "last_name": "E"}
        forged = {"password1": "a-long-enough-one", "password2": "a-long-enough-one"}
        browser.post("/admin/shop/user/add/", values | forged | {"role": "admin"})
        eve = User.objects.get(email=values["email"])
        assert (eve.role, eve.has_usable_password()) == ("customer", False)


def test_an_email_is_unique_in_any_case(adas_browser, carl):
    answer = adas_browser.post(
        "/admin/shop/user/add/", {"email": "CARL@example.com", "first_name": "C", "last_name": "B"}
    )
    assert "email" in answer.context["adminform"].form.errors


def test_staff_cannot_raise_their_own_permissions(staff_client_with):
    browser = staff_client_with("view_user", "change_user")
    cleo = User.objects.get(email="cleo@example.com")
    raised = {"is_superuser": "on", "groups": "1", "user_permissions": "1", "phone": "123"}
    assert browser.post(page(cleo), form_values(cleo, **raised)).status_code == 302
    cleo.refresh_from_db()
    assert (cleo.is_superuser, cleo.user_permissions.count(), cleo.phone) == (False, 2, "123")


def test_staff_change_customers_but_no_other_staff(staff_client_with, ada, carl):
    browser = staff_client_with("view_user", "change_user")
    browser.post(page(carl), form_values(carl, phone="555", role="admin", email="mine@example.com"))
    assert browser.post(page(ada), form_values(ada, email="mine@example.com")).status_code == 403
    carl.refresh_from_db()
    ada.refresh_from_db()
    assert (carl.phone, carl.role, carl.email) == ("555", "customer", "carl@example.com")
    assert ada.email == "ada@example.com"


def test_users_cannot_be_deleted(adas_browser, carl):
    assert adas_browser.post(page(carl, "delete/"), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=carl.pk).exists()


def sign_out(browser, session):
    chosen = {"action": "sign_out", "_selected_action": [str(session.pk)]}
    return browser.post("/admin/shop/session/", chosen, follow=True)


def test_a_session_is_ended(adas_browser, carl):
    app = factories.api_client(carl)
    answer = sign_out(adas_browser, Session.objects.get())
    assert factories.page_messages(answer) == ["1 device signed out."]
    assert app.get("/auth/profile/").status_code == 401


def test_ending_sessions_needs_its_permission(staff_client_with, carl):
    session, _is_replay = accounts.login(email=carl.email, password=factories.PASSWORD)
    sign_out(staff_client_with("view_session"), session)
    session.refresh_from_db()
    assert session.revoked_at is None


def test_only_superusers_end_sessions_of_other_staff(staff_client_with, ada):
    session, _is_replay = accounts.login(email=ada.email, password=factories.PASSWORD)
    answer = sign_out(staff_client_with("view_session", "change_session"), session)
    session.refresh_from_db()
    assert (factories.page_messages(answer), session.revoked_at) == (
        ["0 devices signed out."],
        None,
    )


def test_sorting_by_orders_lists_each_user_once(adas_browser, carl, mug):
    for _ in range(2):
        world.create_order(carl, (mug, 1))
    listed = [
        user.pk for user in adas_browser.get("/admin/shop/user/?o=1").context["cl"].result_list
    ]
    assert sorted(listed) == sorted(set(listed))
