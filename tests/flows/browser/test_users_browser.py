"""Who may what: a customer's devices, and a Viewer who may look."""

import pytest
from playwright.sync_api import expect
from support import factories, world
from support.page_actions import NEW_ORDER, ORDERS, PRODUCTS, press, product_page

from shop.models import Session

BUTTONS = ".shop-buttons :is(a, button), .shop-new, .addlink, [name=_save]"
ACTIONS = "select[name=action] option"
FORGED = {"note": "", "delta": "1", "kind": "received", "name": "Mine", "email": "mine@example.com"}


def test_a_customer_is_signed_out_everywhere(page, http, carls_app, doras_app):
    me = [{"Authorization": f"Bearer {app.token}"} for app in (carls_app, doras_app)]
    assert [http.get("/api/auth/profile/", headers=one).status_code for one in me] == [200, 200]
    page.goto("/admin/shop/user/?q=carl")
    page.get_by_role("link", name="Carl Buyer").click()
    press(page, "Sign out everywhere")
    expect(page.get_by_text("They are signed out everywhere.")).to_be_visible()
    expect(page.get_by_text("They are not signed in on any device.")).to_be_visible()
    expect(page.get_by_role("link", name="Sign out everywhere")).to_have_count(0)
    assert [http.get("/api/auth/profile/", headers=one).status_code for one in me] == [401, 200]
    assert Session.objects.get(user=carls_app.user).revoked_because == "staff"


@pytest.fixture
def vis(window, viewer):
    return window(viewer)


def test_a_viewer_sees_no_button(vis, carl, mug):
    order = world.create_order(carl, (mug, 1))
    shown = {
        ORDERS: order.order_number,
        f"{ORDERS}{order.pk}/change/": world.ADDRESS.splitlines()[0],
        PRODUCTS: "MUG-1",
        product_page(mug): "MUG-1",
        "/admin/shop/user/": "carl@example.com",
        f"/admin/shop/user/{carl.pk}/change/": "Latest orders",
    }
    for path, text in shown.items():
        vis.goto(path)
        expect(vis.get_by_text(text).first).to_be_visible()
        assert vis.locator(BUTTONS).count() == 0, path
        may = vis.locator(ACTIONS).all_text_contents()  # taking a list along changes nothing
        assert [label for label in may[1:] if "Export" not in label] == [], path


def test_a_viewer_is_refused_by_address_and_by_forged_post(vis, troubles, carls_app, mug):
    order = world.create_order(carls_app.user, (mug, 1))
    vis.goto("/admin/")
    token = vis.locator("[name=csrfmiddlewaretoken]").first.input_value()
    steps = (f"{ORDERS}{order.pk}/move/cancelled/", product_page(mug, "stock/"), NEW_ORDER)
    out = f"/admin/shop/user/{carls_app.user.pk}/sign-out/"
    forms = (product_page(mug), f"/admin/shop/user/{carls_app.user.pk}/change/")
    before = factories.all_rows()
    for path in (*steps, out):
        vis.goto(path)
        assert troubles.pop().startswith("403 GET ")
        expect(vis.get_by_text("You may not do this.")).to_be_visible()
    for path in (*steps, out, *forms):
        form = FORGED | {"csrfmiddlewaretoken": token}
        forged = vis.request.post(path, form=form, headers={"Referer": vis.url})
        assert (path, forged.status, "CSRF" in forged.text()) == (path, 403, False)
    assert factories.all_rows() == before
