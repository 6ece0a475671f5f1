"""The audit log: changes by the admin, the API and services, with old and new values."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from support import factories

from shop.admin.audit import count_following
from shop.models import AuditEntry, ChangeSet, Product, StockMovement, User
from shop.services import audit, products, stock
from shop.services.cart import add_to_cart
from shop.services.change_sets.undo import undo_change_set
from shop.services.order_moves import move_order
from shop.services.order_notes import add_note
from shop.services.order_payments import mark_paid
from shop.services.orders import place_order

LIST = "/admin/shop/auditentry/"


def entries():
    log = AuditEntry.objects.order_by("pk").select_related("actor")
    return [(str(e.actor), e.action, e.model_name, e.record_label, e.changes) for e in log]


def form_values(browser, url):
    form = browser.get(url).context["adminform"].form
    shown = {bound.html_name: bound.value() for bound in form}
    hidden = {f"initial-{name}": value for name, value in shown.items()}
    return {
        name: value for name, value in (shown | hidden).items() if value not in (None, "", False)
    }


def test_a_product_changed_in_the_admin(adas_browser, mug):
    url = f"/admin/shop/product/{mug.pk}/change/"
    edited = form_values(adas_browser, url) | {"price": "13.00", "name": "Cup"}
    assert adas_browser.post(url, edited | {"_unpublish": "1"}).status_code == 302
    [(actor, action, model, record, changes)] = entries()
    assert (actor, action, model, record) == ("Ada Staff", "changed", "product", "Cup")
    assert sorted(changes.split("\n")) == [
        "active: yes → no",
        "name: Mug → Cup",
        "price: 12.50 → 13.00",
    ]


def test_an_unchanged_form_is_not_logged(adas_browser, mug):
    url = f"/admin/shop/product/{mug.pk}/change/"
    assert adas_browser.post(url, form_values(adas_browser, url)).status_code == 302
    assert entries() == []


def test_a_product_changed_by_the_api(adas_app, mug):
    adas_app.patch(f"/products/{mug.pk}/", {"price": "13.00", "name": "Mug", "stock": 4})
    assert entries() == [
        ("Ada Staff", "changed", "product", "Mug", "price: 12.50 → 13.00"),
        ("Ada Staff", "changed", "product", "Mug", "stock: 10 → 4"),
    ]


def test_a_product_added_and_deleted(adas_app):
    made = adas_app.post("/products/", {"name": "Vase", "price": "5.00", "stock": 3}).json()
    adas_app.delete(f"/products/{made['id']}/")
    assert entries() == [
        ("Ada Staff", "added", "product", "Vase", "name: Vase\nprice: 5.00\nstock: 3"),
        ("Ada Staff", "removed", "product", "Vase", ""),
    ]


def test_products_archived_in_bulk(adas_browser, mug, lamp):
    Product.objects.filter(pk=lamp.pk).update(is_active=False)
    chosen = {"action": "archive", "_selected_action": [mug.pk, lamp.pk]}
    adas_browser.post("/admin/shop/product/", chosen)
    change_set = ChangeSet.objects.get()
    assert [entry[1:] for entry in entries()] == [
        ("added", "changeset", str(change_set), "Published or archived"),
        ("changed", "product", "Mug", "active: yes → no"),
    ]


def test_a_bulk_change_is_one_line_of_the_log(adas_browser, ada, mug):
    products.set_active(product_ids=[mug.pk], is_active=False, actor=ada)
    undo_change_set(ChangeSet.objects.get().pk, actor=ada)

    def listed(query=""):
        rows = adas_browser.get(f"/admin/shop/auditentry/{query}").context["cl"].result_list
        return [(entry.action, entry.model_name) for entry in rows]

    assert listed() == [("changed", "changeset"), ("added", "changeset")]
    assert listed(f"?model_name=product&record_id={mug.pk}") == [("changed", "product")] * 2
    assert listed("?q=active: yes") == [("changed", "product")]


def test_adjusted_stock_is_logged_and_an_equal_count_is_not(ada, mug):
    kind = StockMovement.Kind.RECEIVED
    stock.adjust_stock(product_id=mug.pk, delta=2, kind=kind, actor=ada)
    stock.count_stock(product_id=mug.pk, counted=12, actor=ada)
    assert entries() == [("Ada Staff", "changed", "product", "Mug", "stock: 10 → 12")]


def test_order_actions_by_staff_are_logged_and_by_customers_are_not(ada, carl, mug):
    placed = []
    for _ in range(2):
        add_to_cart(user=carl, product_id=mug.pk, quantity=1)
        placed.append(place_order(user=carl, shipping_address="1 Street").order)
    move_order(order_id=placed[0].pk, to="cancelled", actor=carl, by_staff=False)
    assert entries() == []
    order = placed[1]
    mark_paid(order_id=order.pk, actor=ada)
    move_order(order_id=order.pk, to="confirmed", actor=ada, by_staff=True)
    add_note(order_id=order.pk, actor=ada, note="Call first", is_internal=True)
    assert entries() == [
        ("Ada Staff", "changed", "order", str(order), "paid: Not yet paid → Paid"),
        ("Ada Staff", "changed", "order", str(order), "status: Pending → Confirmed"),
        ("Ada Staff", "added", "order", str(order), "note: Call first"),
    ]


def test_changed_groups_are_logged_by_name(adas_browser, carl):
    Group.objects.all().delete()
    one, two = (Group.objects.create(name=name) for name in ("One", "Two"))
    cleo = factories.create_user("Cleo", "Clerk", role="admin")
    cleo.groups.set([one])
    url = f"/admin/shop/user/{cleo.pk}/change/"
    edited = form_values(adas_browser, url) | {"phone": "555", "groups": [one.pk, two.pk]}
    assert adas_browser.post(url, edited).status_code == 302
    assert entries() == [
        ("Ada Staff", "changed", "user", "Cleo Clerk", "sessions: active → all ended"),
        (
            "Ada Staff",
            "changed",
            "user",
            "Cleo Clerk",
            "phone: empty → 555\ngroups: One → One, Two",
        ),
    ]


def test_ended_sessions_are_logged_once(adas_browser, carl):
    session = factories.api_client(carl).user.sessions.get()
    chosen = {"action": "sign_out", "_selected_action": [str(session.pk)]}
    adas_browser.post("/admin/shop/session/", chosen)
    adas_browser.post("/admin/shop/session/", chosen)
    assert entries() == [
        ("Ada Staff", "changed", "user", "Carl Buyer", "sessions: active → 1 ended")
    ]


def test_a_refused_change_is_not_logged(ada, mug):
    with pytest.raises(Exception, match="stock is 10"):
        stock.adjust_stock(product_id=mug.pk, delta=-11, kind=StockMovement.Kind.DAMAGED, actor=ada)
    assert entries() == []


@pytest.mark.parametrize(
    ("term", "count"), [("12.50", 1), ("13.00", 1), ("mug", 1), ("ada@", 2), ("no", 0)]
)
def test_search_finds_actor_record_old_and_new_values(
    adas_browser, adas_app, mug, lamp, term, count
):
    adas_app.patch(f"/products/{mug.pk}/", {"price": "13.00"})
    adas_app.patch(f"/products/{lamp.pk}/", {"price": "50.00"})
    assert adas_browser.get(LIST, {"q": term}).context["cl"].result_count == count


@pytest.mark.parametrize("number", [1, 3])
def test_the_log_is_four_queries(adas_browser, adas_app, mug, statements, number):
    for price in range(number):
        adas_app.patch(f"/products/{mug.pk}/", {"price": f"{price}.00"})
    adas_browser.get(LIST)
    with statements(4):
        assert adas_browser.get(LIST).context["cl"].result_count == number


def test_history_shows_the_entries_of_the_record(adas_browser, adas_app, mug, lamp):
    adas_app.patch(f"/products/{mug.pk}/", {"price": "13.00"})
    adas_app.patch(f"/products/{lamp.pk}/", {"price": "50.00"})
    history = adas_browser.get(f"/admin/shop/product/{lamp.pk}/history/", follow=True)
    assert [entry.changes for entry in history.context["cl"].result_list] == [
        "price: 49.90 → 50.00"
    ]
    assert Product.objects.get(pk=mug.pk).price == Decimal("13.00")


def test_the_log_needs_a_permission_and_is_read_only(staff_client_with, adas_app, mug):
    adas_app.patch(f"/products/{mug.pk}/", {"price": "13.00"})
    entry = AuditEntry.objects.get()
    browser = staff_client_with(
        "view_product", "change_auditentry", "delete_auditentry", "view_auditentry"
    )
    assert browser.get(LIST).status_code == 200
    for view in ("change", "delete"):
        assert (
            browser.post(f"{LIST}{entry.pk}/{view}/", {"post": "yes", "changes": ""}).status_code
            == 403
        )
    assert entries() == [("Ada Staff", "changed", "product", "Mug", "price: 12.50 → 13.00")]


def test_history_needs_the_permission_to_view_the_log(staff_client_with, mug):
    browser = staff_client_with("view_product")
    assert "/history/" not in browser.get(f"/admin/shop/product/{mug.pk}/change/").content.decode()
    assert browser.get(f"/admin/shop/product/{mug.pk}/history/", follow=True).status_code == 403


def test_a_record_is_a_link_for_those_who_may_view_it(staff_client_with, ada, carl, mug):
    stock.adjust_stock(
        product_id=mug.pk, delta=1, kind=StockMovement.Kind.RECEIVED, actor=ada, reason=""
    )
    url = f"/admin/shop/product/{mug.pk}/change/"
    [entry] = (
        staff_client_with("view_auditentry", "view_product").get(LIST).context["cl"].result_list
    )
    assert entry.url == url
    User.objects.get(email="cleo@example.com").delete()
    [entry] = staff_client_with("view_auditentry").get(LIST).context["cl"].result_list
    assert entry.url == ""


def test_a_removed_record_is_no_link(adas_browser, ada, mug):
    audit.log(ada, mug, action=AuditEntry.Action.REMOVED)
    [entry] = adas_browser.get(LIST).context["cl"].result_list
    assert entry.url == ""


def test_entries_of_one_change_are_counted_behind_its_first(ada, carl, mug, lamp):
    def entry(number, *, seconds, actor=ada, action="changed", model_name="product"):
        return AuditEntry(
            pk=number,
            actor=actor,
            action=action,
            model_name=model_name,
            created_at=timezone.now() - timedelta(seconds=seconds),
        )

    entries = [
        *(entry(number, seconds=0) for number in (1, 2, 3)),
        entry(4, seconds=0, actor=carl),
        entry(5, seconds=60),
        *(entry(number, seconds=61) for number in (6, 7)),
        entry(8, seconds=61, action="removed"),
        entry(9, seconds=61, model_name="order"),
        *(entry(number, seconds=90, action="signed_in", model_name="user") for number in (10, 11)),
    ]
    assert count_following(entries) == {1: 2, 5: 2}
    assert count_following([]) == {}
