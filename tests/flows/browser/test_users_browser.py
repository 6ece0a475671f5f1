"""Signing out a customer, and what a member of the group Viewer can't do."""

import pytest
from playwright.sync_api import expect
from support import factories, world
from support.page_actions import NEW_ORDER, ORDERS, PRODUCTS, product_page, submit_action

from shop.models import Session

BUTTONS = ".shop-buttons :is(a, button), .shop-new, .addlink, [name=_save]"
ACTIONS = "select[name=action] option"
FORGED = {"note": "", "delta": "1", "kind": "received", "name": "Mine", "email": "mine@example.com"}


def test_a_customer_is_signed_out_everywhere(page, http, carls_app, doras_app):
    def statuses():
        tokens = [app.token for app in (carls_app, doras_app)]
        headers = [{"Authorization": f"Bearer {token}"} for token in tokens]
        return [http.get("/api/auth/profile/", headers=header).status_code for header in headers]

    assert statuses() == [200, 200]
    page.goto("/admin/shop/user/?q=carl")
    page.get_by_role("link", name="Carl Buyer").click()
    submit_action(page, "Sign out everywhere")
    expect(page.get_by_text("Signed out of all apps.")).to_be_visible()
    expect(page.get_by_text("Not signed in on any device.")).to_be_visible()
    expect(page.get_by_role("link", name="Sign out everywhere")).to_have_count(0)
    assert statuses() == [401, 200]
    assert Session.objects.get(user=carls_app.user).revoked_because == "staff"


@pytest.fixture
def viewer_page(window, viewer):
    return window(viewer)


def test_viewers_see_no_buttons(viewer_page, carl, mug):
    order = world.create_order(carl, (mug, 1))
    texts = {
        ORDERS: order.order_number,
        f"{ORDERS}{order.pk}/change/": world.ADDRESS.splitlines()[0],
        PRODUCTS: "MUG-1",
        product_page(mug): "MUG-1",
        "/admin/shop/user/": "carl@example.com",
        f"/admin/shop/user/{carl.pk}/change/": "Latest orders",
    }
    for path, text in texts.items():
        viewer_page.goto(path)
        expect(viewer_page.get_by_text(text).first).to_be_visible()
        assert viewer_page.locator(BUTTONS).count() == 0, path
        labels = viewer_page.locator(ACTIONS).all_text_contents()[1:]
        assert [label for label in labels if "Export" not in label] == [], path


def test_viewers_are_refused_at_forms_and_forged_posts(viewer_page, troubles, carls_app, mug):
    order = world.create_order(carls_app.user, (mug, 1))
    viewer_page.goto("/admin/")
    token = viewer_page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    forms = (f"{ORDERS}{order.pk}/move/cancelled/", product_page(mug, "stock/"), NEW_ORDER)
    sign_out = f"/admin/shop/user/{carls_app.user.pk}/sign-out/"
    change_forms = (product_page(mug), f"/admin/shop/user/{carls_app.user.pk}/change/")
    before = factories.all_rows()
    for path in (*forms, sign_out):
        viewer_page.goto(path)
        assert troubles.pop().startswith("403 GET ")
        expect(viewer_page.get_by_text("You don't have access")).to_be_visible()
    for path in (*forms, sign_out, *change_forms):
        values = FORGED | {"csrfmiddlewaretoken": token}
        response = viewer_page.request.post(path, form=values, headers={"Referer": viewer_page.url})
        assert (path, response.status, "CSRF" in response.text()) == (path, 403, False)
    assert factories.all_rows() == before
