"""What the shop knows of a customer, handed out and forgotten."""

import json

import pytest
from django.apps import apps
from django.db import models
from support import factories, world

from shop.models import (
    AuditEntry,
    IdempotencyKey,
    Order,
    OrderEvent,
    OrderItem,
    SavedView,
    Session,
    User,
)
from shop.services import accounts, personal_data
from shop.services.errors import NotErasable, NotFound
from shop.services.orders import add_note, move_order, place_order
from shop.services.phone_orders import place_phone_order

#: Where people are named. A new one belongs into export and erasing, or is a clerk's doing; then add it here.
NAMED_IN = {
    "AuditEntry.actor",
    "CartItem.user",
    "IdempotencyKey.user",
    "ProductImport.actor",
    "LogEntry.user",
    "Order.user",
    "OrderEvent.actor",
    "SavedView.owner",
    "Session.user",
    "StaticDevice.user",
    "StockMovement.actor",
    "TOTPDevice.user",
}
TEXTS = (models.CharField, models.TextField)
KNOWN = (
    "Quietly",
    "nell@",
    "7946",
    "Hidden Row",
    "gate",
    "Nells telephone",
    "TRACK-1",
    "dog bites",
    "too slow",
)


@pytest.fixture
def nell(ada, mug, lamp):
    """A customer of whom the shop knows all that it can, with one order delivered and one cancelled."""
    nell = accounts.add_customer(
        actor=ada,
        email="nell@example.com",
        first_name="Nell",
        last_name="Quietly",
        phone="020 7946 0000",
    )
    nell.password = factories.PASSWORD_HASH
    nell.save()
    accounts._open_session(nell, "Nells telephone")
    about = {"shipping_address": "17 Hidden Row", "note": "By the gate"}
    delivered = place_phone_order(customer=nell, lines={mug.pk: 2}, actor=ada, **about).order
    world.move_along(delivered, "delivered", by=ada)
    Order.objects.filter(pk=delivered.pk).update(tracking_number="TRACK-1")
    add_note(order_id=delivered.pk, actor=ada, note="Her dog bites", is_internal=True)
    factories.add_to_cart(nell, (lamp, 1))
    cancelled = place_order(user=nell, **about).order
    move_order(
        order_id=cancelled.pk, to="cancelled", actor=nell, by_staff=False, note="You are too slow"
    )
    factories.add_to_cart(nell, (mug, 1))
    IdempotencyKey.objects.create(user=nell, key="k", fingerprint="0" * 64, answer="17 Hidden Row")
    SavedView.objects.create(owner=nell, name="Quietly", screen="order", query="q=nell@example.com")
    return nell


def everything():
    return json.dumps(factories.all_rows(), default=str)


def left_of(*known):
    held = everything()
    return {word for word in known if word in held}


def test_everything_is_handed_out(nell, ada, carl, mug):
    world.create_order(carl, (mug, 1))
    told = personal_data.export_personal_data(user_id=nell.pk, actor=ada)
    assert {word for word in KNOWN if word not in told} == set()
    found = json.loads(told)
    assert {name: len(rows) for name, rows in found.items()} == {
        "answers_kept": 1,
        "cart": 1,
        "changes_by_staff": 7,
        "order_history": 7,
        "order_lines": 2,
        "orders": 2,
        "person": 1,
        "sessions": 1,
    }
    assert found["order_lines"][0]["price"] == "12.50"
    for never in (
        "password",
        carl.email,
        nell.password,
        str(Session.objects.get(user=nell).current_token),
    ):
        assert never not in told
    entry = AuditEntry.objects.first()
    assert (entry.actor, entry.record_id, entry.changes) == (
        ada,
        str(nell.pk),
        "personal data handed out",
    )


def test_nothing_personal_is_left(nell, ada):
    assert left_of(*KNOWN) == set(KNOWN)
    personal_data.erase_personal_data(user_id=nell.pk, actor=ada)
    assert left_of(*KNOWN) == set()
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
        (ada, str(nell), ""),
    ]


@pytest.mark.parametrize("model", [User, Order, Session])
def test_every_text_about_a_person_is_overwritten(nell, ada, model):
    """A new field must be forgotten too, or be named here as one that says nothing of them."""
    kept = {
        "role",
        "status",
        "payment_method",
        "payment_status",
        "carrier",
        "order_number",
        "password",
    }
    columns = {
        field.name for field in model._meta.concrete_fields if isinstance(field, TEXTS)
    } - kept
    for row in model.objects.filter(**{"pk" if model is User else "user": nell.pk}):
        model.objects.filter(pk=row.pk).update(
            **dict.fromkeys(columns, f"mark-{nell.pk}@example.com")
        )
    assert left_of("mark-") == {"mark-"}
    personal_data.erase_personal_data(user_id=nell.pk, actor=ada)
    assert left_of("mark-") == set()


def test_orders_stay_for_the_books(nell, ada):
    columns = (
        "id",
        "order_number",
        "user_id",
        "status",
        "payment_status",
        "total_amount",
        "created_at",
    )

    def books():
        orders = list(Order.objects.order_by("pk").values(*columns))
        events = list(
            OrderEvent.objects.order_by("pk").values("order_id", "kind", "status", "created_at")
        )
        return orders, events, list(OrderItem.objects.order_by("pk").values())

    before, stock = books(), factories.all_rows()["Product"]
    personal_data.erase_personal_data(user_id=nell.pk, actor=ada)
    assert (books(), factories.all_rows()["Product"]) == (before, stock)


def test_others_stay_as_they_are(nell, ada, dora, mug):
    world.create_order(dora, (mug, 1), note="Mine")
    accounts._open_session(dora, "Doras telephone")
    factories.add_to_cart(dora, (mug, 1))

    def doras():
        tables = ("CartItem", "Order", "Session", "IdempotencyKey")
        rows = factories.all_rows()
        return [row for table in tables for row in rows[table] if row["user_id"] == dora.pk]

    before = doras()
    personal_data.erase_personal_data(user_id=nell.pk, actor=ada)
    assert doras() == before


@pytest.mark.parametrize("status", ["pending", "confirmed", "shipped"])
def test_an_order_under_way_is_finished_first(carl, ada, mug, refused, status):
    order = world.move_along(world.create_order(carl, (mug, 1)), status, by=ada)
    with refused(NotErasable) as told:
        personal_data.erase_personal_data(user_id=carl.pk, actor=ada)
    assert str(told.value) == f"Still under way or not paid: {order}. Finish or cancel that first."


def test_what_was_delivered_is_paid_first(carl, ada, mug, refused):
    world.move_along(
        world.create_order(carl, (mug, 1), payment_method="bank_transfer"), "delivered", by=ada
    )
    with refused(NotErasable):
        personal_data.erase_personal_data(user_id=carl.pk, actor=ada)


@pytest.mark.parametrize(
    "do", [personal_data.erase_personal_data, personal_data.export_personal_data]
)
def test_staff_and_nobody_are_refused(ada, refused, do):
    clerk = factories.create_user("Cleo", "Clerk", role="admin")
    for user in (ada, clerk):
        with refused(NotErasable):
            do(user_id=user.pk, actor=ada)
    with refused(NotFound):
        do(user_id=0, actor=ada)


def test_every_place_that_names_people_is_known():
    found = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is User
    }
    assert found == NAMED_IN
