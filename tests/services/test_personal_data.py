"""Export and erasure of a customer's personal data."""

import json

import pytest
from django.apps import apps
from django.db import models
from support import factories, world

from shop.models import (
    AuditEntry,
    IdempotencyKey,
    Invoice,
    Order,
    OrderEvent,
    OrderItem,
    OutboxMessage,
    SavedView,
    Session,
    User,
)
from shop.services import accounts, outbox, personal_data, sessions, sign_ins
from shop.services.errors import NotErasable, NotFound
from shop.services.invoices import issue_invoices
from shop.services.order_moves import move_order
from shop.services.order_notes import add_note
from shop.services.orders import place_order
from shop.services.phone_orders import place_phone_order

#: Every foreign key to a user. Cover a new one in export and erasure, unless it names staff only,
#: then add it here.
USER_FOREIGN_KEYS = {
    "AuditEntry.actor",
    "BrowserSession.user",
    "CartItem.user",
    "IdempotencyKey.user",
    "Invoice.actor",
    "Payment.actor",
    "ChangeSet.actor",
    "LogEntry.user",
    "Order.user",
    "OutboxMessage.user",
    "OrderEvent.actor",
    "SavedView.owner",
    "Session.user",
    "StaticDevice.user",
    "StockMovement.actor",
    "TOTPDevice.user",
}
TEXT_FIELDS = (models.CharField, models.TextField)
PERSONAL_TEXTS = (
    "Quietly",
    "nell@",
    "020 7946",
    "Hidden Row",
    "gate",
    "Nells phone",
    "TRACK-1",
    "dog bites",
    "too slow",
    "203.0.113",
    "laptop",
)


@pytest.fixture
def nell(ada, mug, lamp):
    """A customer with every kind of data, one delivered order and one cancelled order."""
    nell = accounts.add_customer(
        actor=ada,
        email="nell@example.com",
        first_name="Nell",
        last_name="Quietly",
        phone="020 7946 0000",
    )
    nell.password = factories.PASSWORD_HASH
    nell.save()
    sessions.open_session(nell, "Nells phone")
    attempt = sign_ins.SignInAttempt(nell.email, "203.0.113.7", "Nells laptop")
    sign_ins.record(attempt, sign_ins.Action.SIGNED_IN)
    about = {"shipping_address": "17 Hidden Row", "note": "By the gate"}
    delivered = place_phone_order(customer=nell, lines={mug.pk: 2}, actor=ada, **about).order
    world.move_along(delivered, "delivered", by=ada)
    issue_invoices(order_ids=[delivered.pk], actor=ada)
    Order.objects.filter(pk=delivered.pk).update(tracking_number="TRACK-1")
    add_note(order_id=delivered.pk, actor=ada, note="Her dog bites", is_internal=True)
    factories.add_to_cart(nell, (lamp, 1))
    cancelled = place_order(user=nell, **about).order
    move_order(
        order_id=cancelled.pk, to="cancelled", actor=nell, by_staff=False, note="You are too slow"
    )
    factories.add_to_cart(nell, (mug, 1))
    messages = OutboxMessage.objects.filter(user=nell)
    messages.update(status="failed")
    outbox.send_again(message_ids=[messages.first().pk], actor=ada)
    IdempotencyKey.objects.create(user=nell, key="k", fingerprint="0" * 64, answer="17 Hidden Row")
    SavedView.objects.create(owner=nell, name="Quietly", screen="order", query="q=nell@example.com")
    return nell


def stored_texts(*texts):
    """Return those of these texts that any row still contains."""
    rows = json.dumps(factories.all_rows(), default=str)
    return {text for text in texts if text in rows}


def test_the_export_contains_all_personal_data(nell, ada, carl, mug):
    world.create_order(carl, (mug, 1))
    exported = personal_data.export_personal_data(user_id=nell.pk, actor=ada)
    assert {word for word in PERSONAL_TEXTS if word not in exported} == set()
    data = json.loads(exported)
    assert {name: len(rows) for name, rows in data.items()} == {
        "answers_kept": 1,
        "cart": 1,
        "invoices": 1,
        "payments": 1,
        "changes_by_staff": len(Order.Status.path_to("delivered")) + 5,
        "emails": len([s for s in Order.Status.path_to("delivered") if s.facts.email]) + 3,
        "order_history": len(Order.Status.path_to("delivered")) + 5,
        "order_lines": 2,
        "orders": 2,
        "person": 1,
        "sessions": 1,
        "sign_ins": 1,
    }
    assert data["order_lines"][0]["price"] == "12.50"
    for secret in (
        "password",
        "search_text",
        carl.email,
        nell.password,
        str(Session.objects.get(user=nell).current_token),
    ):
        assert secret not in exported
    entry = AuditEntry.objects.first()
    assert (entry.actor, entry.record_id, entry.changes) == (
        ada,
        str(nell.pk),
        "personal data exported",
    )


def test_erasing_leaves_no_personal_data(nell, ada):
    assert stored_texts(*PERSONAL_TEXTS) == set(PERSONAL_TEXTS)
    personal_data.erase_personal_data(user_id=nell.pk, actor=ada)
    assert stored_texts(*PERSONAL_TEXTS) == set()
    assert User.objects.values_list("search_text", flat=True).get(pk=nell.pk) == (
        f"erased-{nell.pk}@erased.invalid\nerased customer\n{nell.pk}\n\n"
    )
    nell.refresh_from_db()
    assert (nell.is_active, nell.has_usable_password(), str(nell)) == (
        False,
        False,
        f"Erased customer {nell.pk}",
    )
    assert [
        (e.actor, e.record_label, e.changes) for e in AuditEntry.objects.filter(model_name="user")
    ] == [
        (ada, str(nell), "personal data erased"),
        (None, str(nell), ""),
        (ada, str(nell), ""),
    ]


@pytest.mark.parametrize("model", [User, Order, Session])
def test_every_text_field_is_erased(nell, ada, model):
    """Erase a new text field too, or name it here if it holds no personal data."""
    kept = {
        "role",
        "status",
        "payment_method",
        "payment_status",
        "carrier",
        "order_number",
        "password",
    }
    marks = {
        field.name: f"mark-{nell.pk}@example.com"[: field.max_length]
        for field in model._meta.concrete_fields
        if isinstance(field, TEXT_FIELDS) and field.name not in kept
    }
    for row in model.objects.filter(**{"pk" if model is User else "user": nell.pk}):
        model.objects.filter(pk=row.pk).update(**marks)
    assert stored_texts("mark-") == {"mark-"}
    personal_data.erase_personal_data(user_id=nell.pk, actor=ada)
    assert stored_texts("mark-") == set()


def test_erasing_keeps_the_data_for_accounting(nell, ada):
    columns = (
        "id",
        "order_number",
        "user_id",
        "status",
        "payment_status",
        "total_amount",
        "created_at",
    )

    def accounting_data():
        orders = list(Order.objects.order_by("pk").values(*columns))
        events = list(
            OrderEvent.objects.order_by("pk").values("order_id", "kind", "status", "created_at")
        )
        return orders, events, list(OrderItem.objects.order_by("pk").values())

    before, stock = accounting_data(), factories.all_rows()["Product"]
    personal_data.erase_personal_data(user_id=nell.pk, actor=ada)
    assert (accounting_data(), factories.all_rows()["Product"]) == (before, stock)


def test_erasing_leaves_other_customers_alone(nell, ada, dora, mug):
    world.create_order(dora, (mug, 1), note="Mine")
    sessions.open_session(dora, "Doras phone")
    factories.add_to_cart(dora, (mug, 1))

    def rows_of_dora():
        tables = ("CartItem", "Order", "Session", "IdempotencyKey")
        rows = factories.all_rows()
        return [row for table in tables for row in rows[table] if row["user_id"] == dora.pk]

    before = rows_of_dora()
    personal_data.erase_personal_data(user_id=nell.pk, actor=ada)
    assert rows_of_dora() == before


def test_an_erased_customers_invoice_keeps_its_amounts_and_is_not_issued_again(nell, ada):
    before = Invoice.objects.values().get()
    personal_data.erase_personal_data(user_id=nell.pk, actor=ada)
    [erased] = issue_invoices(order_ids=[before["order_id"]], actor=ada)
    contents = before["contents"] | {"name": "", "address": ""}
    assert Invoice.objects.values().get() == before | {"contents": contents}
    assert erased.contents == contents


@pytest.mark.parametrize("status", [status for status in Order.Status if status.facts.next])
def test_a_customer_with_an_open_order_cannot_be_erased(carl, ada, mug, refused, status):
    order = world.move_along(world.create_order(carl, (mug, 1)), status, by=ada)
    with refused(NotErasable, match=order.order_number):
        personal_data.erase_personal_data(user_id=carl.pk, actor=ada)


def test_a_customer_with_an_unpaid_order_cannot_be_erased(carl, ada, mug, refused):
    world.move_along(
        world.create_order(carl, (mug, 1), payment_method="bank_transfer"), "delivered", by=ada
    )
    with refused(NotErasable):
        personal_data.erase_personal_data(user_id=carl.pk, actor=ada)


@pytest.mark.parametrize(
    "service", [personal_data.erase_personal_data, personal_data.export_personal_data]
)
def test_staff_and_unknown_users_are_refused(ada, refused, service):
    staff = factories.create_user("Cleo", "Clerk", role="admin")
    for user in (ada, staff):
        with refused(NotErasable):
            service(user_id=user.pk, actor=ada)
    with refused(NotFound):
        service(user_id=0, actor=ada)


def test_every_foreign_key_to_users_is_known():
    declared = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is User
    }
    assert declared == USER_FOREIGN_KEYS
