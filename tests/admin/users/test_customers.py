import re
from datetime import timedelta

import pytest
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone
from support import factories

from shop.admin.rendering import render_device
from shop.admin.users.admin import ExistingUserForm
from shop.admin.users.customers import MAX_SIGN_INS
from shop.models import AuditEntry, Order, Session, User
from shop.services import customers, sign_ins
from shop.services.orders import place_order
from shop.services.sign_ins import SignInAttempt

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
LIST = "/admin/shop/user/"


def page(user, view="change/"):
    return f"{LIST}{user.pk}/{view}"


def order_of(user, product, quantity=1, **values):
    factories.add_to_cart(user, (product, quantity))
    order = place_order(user=user, shipping_address="1 Street").order
    if values.get("status") == "cancelled":
        values["credited_amount"] = order.total_amount
    Order.objects.filter(pk=order.pk).update(**values)
    return order


def text_of(answer):
    return " ".join(answer.content.decode().split())


def row_of(browser, user):
    """Return the purchases that the list shows for a user."""
    changelist = browser.get(LIST).context["cl"]
    row = next(row for row in changelist.result_list if row == user)
    model_admin = changelist.model_admin
    return model_admin.order_count(row), model_admin.total_spent(row), model_admin.last_order(row)


def test_the_list_shows_purchases(adas_browser, carl, dora, mug, lamp):
    long_ago = timezone.now() - timedelta(days=3, minutes=5)
    order_of(carl, mug, 2, created_at=long_ago)
    order_of(carl, lamp, created_at=long_ago - timedelta(days=9))
    order_of(carl, lamp, 3, status="cancelled", created_at=long_ago - timedelta(days=1))
    count, value, last = row_of(adas_browser, carl)
    assert (count, value) == (3, "74.90 EUR")
    assert last.endswith(">3\xa0days ago</span>")
    assert row_of(adas_browser, dora) == (0, None, None)


def test_purchase_summaries(carl, dora, mug):
    order_of(carl, mug, 2, status="cancelled")
    last = order_of(carl, mug, 3)
    last.refresh_from_db()
    assert customers.purchase_summaries([carl, dora]) == {
        carl.pk: customers.PurchaseSummary(2, last.total_amount, last.created_at),
        dora.pk: customers.PurchaseSummary(),
    }


@pytest.mark.parametrize(
    ("tab", "names"), [("", "AdaCarl"), ("customer", "Carl"), ("admin", "Ada")]
)
def test_the_tabs_filter_customers_and_staff(adas_browser, carl, tab, names):
    context = adas_browser.get(LIST, {"role__exact": tab} if tab else {}).context
    assert "".join(sorted(user.first_name for user in context["cl"].result_list)) == names
    assert [(t["label"], t["count"]) for t in context["tabs"]] == [
        ("All", 2),
        ("Customers", 1),
        ("Staff", 1),
    ]
    assert [t["query"] for t in context["tabs"] if t["is_current"]] == [
        f"role__exact={tab}" if tab else ""
    ]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_is_six_queries(adas_browser, mug, statements, rows):
    for number in range(rows):
        order_of(factories.create_user(f"Buyer{number}", "B"), mug)
    with statements(6):
        adas_browser.get(LIST)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_is_nine_queries(adas_browser, carl, mug, statements, rows):
    for _ in range(rows):
        order_of(carl, mug)
        factories.api_client(carl)
    factories.add_to_cart(
        carl, *((factories.create_product(f"Cup {number}"), 1) for number in range(rows))
    )
    ContentType.objects.get_for_model(User)  # cached per process
    with statements(9):
        activity = adas_browser.get(page(carl)).context["activity"]
    assert [len(activity[part]) for part in ("orders", "cart", "sessions")] == [rows] * 3


def test_the_page_shows_activity(adas_browser, carl, mug, lamp):
    earlier = order_of(carl, mug, 2)
    last = order_of(carl, lamp, status="cancelled")
    text = text_of(adas_browser.get(page(carl)))
    banner = text[text.index("shop-banner-title") : text.index("</section>")]
    assert ">2 orders</a>" in banner
    assert f"/admin/shop/order/?user__id__exact={carl.pk}" in banner
    assert "<strong>25.00 EUR</strong>" in banner
    assert f'/admin/shop/order/{last.pk}/change/">{last}</a>' in banner
    assert "The cart is empty." in text
    assert "Not signed in on any device." in text
    assert f'/admin/shop/order/{earlier.pk}/change/">{earlier}</a>' in text


def test_the_page_shows_the_ten_latest_orders(adas_browser, carl):
    cup, now = factories.create_product("Cup", stock=11), timezone.now()
    placed = [order_of(carl, cup, created_at=now - timedelta(days=day)) for day in range(11)]
    answer = adas_browser.get(page(carl))
    assert [order.pk for order, *_ in answer.context["activity"]["orders"]] == [
        o.pk for o in placed[:10]
    ]
    assert "All 11 orders" in text_of(answer)


def test_the_cart_shows_availability(adas_browser, carl, mug):
    few, none, gone = (
        factories.create_product("Few", stock=1),
        factories.create_product("None", stock=0),
        factories.create_product("Gone"),
    )
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    factories.add_to_cart(carl, (mug, 2), (few, 2), (none, 1), (gone, 1))
    text = text_of(adas_browser.get(page(carl))).partition("<h1")[2]
    labels = ["In stock", "Only 1 left", "Out of stock", "No longer for sale"]
    positions = [text.index(label) for label in labels]
    assert positions == sorted(positions)
    assert [text.count(label) for label in labels] == [1, 1, 1, 1]


def test_only_live_sessions_are_shown(adas_browser, carl):
    now = timezone.now()
    factories.api_client(carl)
    for over in ({"revoked_at": now}, {"expires_at": now}, {"password_hash": "another"}):
        factories.api_client(carl)
        newest = Session.objects.order_by("-created_at").first()
        Session.objects.filter(pk=newest.pk).update(device="over", **over)
    shown = adas_browser.get(page(carl)).context["activity"]["sessions"]
    assert [device.session.device for device, _label in shown] == ["test"]


def test_staff_without_purchases_have_no_activity(adas_browser, ada):
    answer = adas_browser.get(page(ada))
    assert answer.context["activity"].keys() == {"sessions", "can_sign_out"}  # of this browser
    assert "No orders yet" not in text_of(answer)


PARTS = {"view_order": "orders", "view_cartitem": "cart", "view_session": "sessions"}


@pytest.mark.parametrize("codename", [*PARTS, None])
def test_each_part_needs_the_permission_to_view_it(staff_client_with, carl, mug, lamp, codename):
    order = order_of(carl, lamp)
    factories.add_to_cart(carl, (mug, 1))
    factories.api_client(carl)
    browser = staff_client_with("view_user", *filter(None, [codename]))
    answer = browser.get(page(carl))
    assert answer.context["activity"].keys() & PARTS.values() == (
        {PARTS[codename]} if codename else set()
    )
    text, listed = text_of(answer), text_of(browser.get(LIST))
    for words in (str(order), "49.90 EUR", "Last order"):
        assert (words in text) is (codename == "view_order")
    in_cart = re.search(r"\bMug\b", text)  # a form key may contain any three letters
    assert bool(in_cart) is (codename == "view_cartitem")
    assert ("Last order" in listed) is (codename == "view_order")
    assert "Total spent" not in text + listed  # which takes `view_revenue` too
    assert "Sign out everywhere" not in text


def test_signing_out_everywhere_ends_all_sessions(adas_browser, carl, doras_app):
    apps = [factories.api_client(carl), factories.api_client(carl)]
    assert page(carl, "sign-out/") in text_of(adas_browser.get(page(carl)))
    answer = adas_browser.post(page(carl, "sign-out/"), follow=True)
    assert answer.redirect_chain == [(page(carl), 302)]
    assert factories.page_messages(answer) == ["Signed out of all apps."]
    assert page(carl, "sign-out/") not in text_of(answer)
    assert [app.get("/auth/profile/").status_code for app in apps] == [401, 401]
    assert set(carl.sessions.values_list("revoked_because", flat=True)) == {"staff"}
    assert doras_app.get("/auth/profile/").status_code == 200


def test_the_sign_out_form_itself_signs_nobody_out(adas_browser, carls_app, carl):
    before = factories.all_rows()
    assert "ask for the password again" in text_of(adas_browser.get(page(carl, "sign-out/")))
    assert factories.all_rows() == before


def test_signing_out_needs_a_csrf_token(ada, carls_app, carl):
    browser = factories.staff_client(ada, enforce_csrf_checks=True)
    assert browser.post(page(carl, "sign-out/")).status_code == 403
    assert carls_app.get("/auth/profile/").status_code == 200


@pytest.mark.parametrize(
    "codenames", [("view_user", "change_user", "view_session"), ("change_session",)]
)
def test_signing_out_needs_its_permission_and_view_user(
    staff_client_with, carls_app, carl, codenames
):
    browser = staff_client_with(*codenames)
    before = factories.all_rows()
    for call in (browser.get, browser.post):
        assert call(page(carl, "sign-out/")).status_code == 403
    assert factories.all_rows() == before
    assert carls_app.get("/auth/profile/").status_code == 200


def test_staff_sign_out_customers_but_no_other_staff(
    staff_client_with, ada, adas_app, carl, carls_app
):
    browser = staff_client_with("view_user", "change_session")
    assert page(ada, "sign-out/") not in text_of(browser.get(page(ada)))
    assert browser.post(page(ada, "sign-out/")).status_code == 403
    assert adas_app.get("/auth/profile/").status_code == 200
    shown = browser.get(page(carl))
    assert page(carl, "sign-out/") in text_of(shown)
    assert "sessions" not in shown.context["activity"]
    assert browser.post(page(carl, "sign-out/")).url == page(carl)
    assert carls_app.get("/auth/profile/").status_code == 401


def test_customers_cannot_sign_out_others(carl, doras_app, dora):
    browser = Client()
    browser.force_login(carl)
    assert browser.post(page(dora, "sign-out/")).url.startswith("/admin/login/")
    assert doras_app.get("/auth/profile/").status_code == 200


@pytest.mark.parametrize("codenames", [None, ("view_user",), ("view_user", "change_user")])
def test_the_page_shows_nothing_of_a_customers_password(
    adas_browser, staff_client_with, carl, codenames
):
    browser = adas_browser if codenames is None else staff_client_with(*codenames)
    answer = browser.get(page(carl))
    assert "password" not in answer.context["adminform"].form.fields
    text = text_of(answer).lower()
    algorithm, salt, secret = carl.password.lower().split("$")
    for words in (
        f"{algorithm}$",
        f">{algorithm}<",
        salt,
        secret,
        secret[:6],
        "../password",
        page(carl, "password/"),
    ):
        assert words not in text


def test_a_concurrent_password_change_is_kept(adas_browser, carl, monkeypatch):
    def clean(form):
        User.objects.filter(pk=carl.pk).update(password="changed")

    monkeypatch.setattr(ExistingUserForm, "clean", clean)
    details = {"email": carl.email, "first_name": "Karl", "last_name": "Buyer", "role": "customer"}
    assert adas_browser.post(page(carl), {**details, "is_active": "on"}).status_code == 302
    carl.refresh_from_db()
    assert (carl.first_name, carl.password) == ("Karl", "changed")


@pytest.mark.parametrize("is_superuser", [True, False])
def test_nobody_sees_or_sets_the_password_of_staff(staff_client_with, ada, is_superuser):
    browser = staff_client_with("view_user", "change_user")
    cleo = User.objects.get(first_name="Cleo")
    if is_superuser:
        browser = factories.staff_client(ada)
    for staff in (ada, cleo):
        answer = browser.get(page(staff))
        shown = flatten_fieldsets(answer.context["adminform"].fieldsets)
        assert ("password" in shown, "role" in shown) == (False, True)
        assert ("groups" in shown) is is_superuser
        assert staff.password not in text_of(answer)
        assert staff.password.split("$")[1] not in text_of(answer)
        new = {"password1": "a-long-enough-one", "password2": "a-long-enough-one"}
        browser.post(page(staff, "password/"), new)
        staff.refresh_from_db()
        assert staff.check_password(factories.PASSWORD)


def test_sign_ins_are_shown_to_those_who_may_see_the_audit_log(ada, staff_client_with, carl):
    for password in ("wrong", factories.PASSWORD):
        body = {"email": carl.email, "password": password}
        factories.api_client(None).post("/auth/login/", body)
    for number in range(MAX_SIGN_INS):
        attempt = SignInAttempt(carl.email, f"10.0.0.{number}", "")
        sign_ins.write_entry(attempt, sign_ins.Action.LOCKED_OUT)
    browser = staff_client_with("view_user", "view_auditentry")
    rows = browser.get(page(carl)).context["activity"]["sign_ins"]
    assert [entry.action for entry, *_ in rows] == ["locked_out"] * MAX_SIGN_INS
    AuditEntry.objects.filter(action="locked_out").delete()
    rows = browser.get(page(carl)).context["activity"]["sign_ins"]
    assert [(e.action, "shop-success" in label) for e, label, _device in rows] == [
        ("signed_in", True),
        ("sign_in_failed", False),
    ]
    User.objects.get(first_name="Cleo").delete()
    activity = staff_client_with("view_user").get(page(carl)).context["activity"]
    assert "sign_ins" not in activity


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Edg/140.0.0.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME}", "Chrome on Android"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME}", "Chrome on ChromeOS"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Safari/604.1",
            "Safari on iPhone",
        ),
        ("shop-app/2.1 (Pixel 8)", "shop-app/2.1 (Pixel 8)"),
        ("", "Unknown device"),
    ],
)
def test_devices_are_named_by_browser_and_system(user_agent, name):
    assert render_device(user_agent) == name
