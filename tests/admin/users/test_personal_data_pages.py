"""The two steps on a customer's page: their data handed out, and erased."""

import json

import pytest
from support import factories, world

from shop.models import User

STEPS = ("export/", "erase/")
RIGHTS = ("view_user", "delete_user")


def page(user, step="change/"):
    return f"/admin/shop/user/{user.pk}/{step}"


def test_asking_changes_nothing(adas_browser, carls_app, carl):
    before, shown = factories.all_rows(), adas_browser.get(page(carl)).content.decode()
    for step in STEPS:
        assert page(carl, step) in shown
        assert adas_browser.get(page(carl, step)).status_code == 200
    assert factories.all_rows() == before


def test_their_data_comes_as_a_file(adas_browser, carl):
    answer = adas_browser.post(page(carl, "export/"))
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == f'attachment; filename="customer-{carl.pk}.json"'
    assert "no-store" in answer["Cache-Control"]
    assert json.loads(answer.content)["person"][0]["email"] == carl.email


def test_erasing_signs_out_and_says_what_is_left(adas_browser, carls_app, carl):
    answer = adas_browser.post(page(carl, "erase/"), follow=True)
    assert answer.redirect_chain == [(page(carl), 302)]
    erased = f"Erased customer {carl.pk}"
    assert factories.page_messages(answer) == [
        f"Their personal data is erased: this is {erased} now."
    ]
    assert str(User.objects.get(pk=carl.pk)) == erased
    assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-invalid")
    assert "Carl" not in answer.content.decode()


def test_an_open_order_is_named_and_nothing_erased(adas_browser, carl, mug):
    order = world.create_order(carl, (mug, 1))
    before = factories.all_rows()
    form = adas_browser.post(page(carl, "erase/")).context["form"]
    said = f"Open or unpaid orders: {order}. Complete or cancel them first."
    assert form.non_field_errors() == [said]
    assert factories.all_rows() == before


@pytest.mark.parametrize(
    "rights", [("view_user", "change_user", "change_session"), ("delete_user",)]
)
def test_it_needs_the_right_to_it_and_to_see_people(clerk_with, carl, rights):
    browser, before = clerk_with(*rights), factories.all_rows()
    for step in STEPS:
        assert page(carl, step) not in browser.get(page(carl)).content.decode()
        for call in (browser.get, browser.post):
            assert call(page(carl, step)).status_code == 403
    assert factories.all_rows() == before


def test_who_has_the_right_needs_no_other(clerk_with, carl):
    browser = clerk_with(*RIGHTS)
    assert page(carl, "sign-out/") not in browser.get(page(carl)).content.decode()
    assert browser.post(page(carl, "sign-out/")).status_code == 403
    assert browser.post(page(carl, "erase/")).url == page(carl)
    assert not User.objects.filter(email=carl.email).exists()


def test_staff_are_not_erased_this_way(clerk_with, adas_browser, ada):
    browser = clerk_with(*RIGHTS)
    cleo, before = User.objects.get(first_name="Cleo"), factories.all_rows()
    for who, staff in ((browser, ada), (browser, cleo), (adas_browser, ada), (adas_browser, cleo)):
        for step in STEPS:
            assert page(staff, step) not in who.get(page(staff)).content.decode()
            assert who.post(page(staff, step)).status_code == 403
    assert factories.all_rows() == before


def test_without_a_token_nothing_is_erased(ada, carl):
    browser = factories.staff_client(ada, enforce_csrf_checks=True)
    for step in STEPS:
        assert browser.post(page(carl, step)).status_code == 403
    assert User.objects.get(pk=carl.pk).email == carl.email
