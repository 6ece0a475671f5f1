"""What the shop knows of a customer: handed out, or forgotten."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from django.utils import timezone

from shop.db.transactions import atomically
from shop.models import (
    AuditEntry,
    CartItem,
    IdempotencyKey,
    Order,
    OrderEvent,
    OrderItem,
    SavedView,
    Session,
    StockMovement,
    User,
)
from shop.services import audit
from shop.services.errors import NotErasable, NotFound

ERASED = "[erased]"
#: Columns that say nothing about the person, or would open their account.
NOT_TOLD = {"password", "password_hash", "current", "previous", "is_superuser"}
STILL_OPEN = [status for status in Order.Status if status.facts.next]


@atomically
def export_personal_data(*, user_id: int, actor: User) -> str:
    """All that the shop holds about a customer, as JSON; raises NotFound, NotErasable for staff."""
    user = _customer(user_id)
    audit.log(actor, user, "personal data handed out")
    orders = Order.objects.filter(user=user).order_by("pk")
    about: dict[str, QuerySet[Any]] = {
        "person": User.objects.filter(pk=user.pk),
        "orders": orders,
        "order_lines": OrderItem.objects.filter(order__in=orders).order_by("pk"),
        "order_history": OrderEvent.objects.filter(order__in=orders).order_by("pk"),
        "cart": CartItem.objects.filter(user=user).order_by("pk"),
        "sessions": Session.objects.filter(user=user),
        "answers_kept": IdempotencyKey.objects.filter(user=user).order_by("pk"),
        "changes_by_staff": _entries(user, orders).order_by("pk"),
    }
    told = {
        name: [{column: row[column] for column in row.keys() - NOT_TOLD} for row in rows.values()]
        for name, rows in about.items()
    }
    return json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2, sort_keys=True)


@atomically
def erase_personal_data(*, user_id: int, actor: User) -> User:
    """Forget who a customer is. Their orders stay for the books, with what was bought at which price.

    Raises NotFound; NotErasable for staff, and while an order is under way or not yet paid.
    """
    user = _customer(user_id)
    orders = Order.objects.filter(user=user)
    under_way = orders.filter(
        Q(status__in=STILL_OPEN)
        | Q(status=Order.Status.DELIVERED, payment_status=Order.PaymentStatus.PENDING)
    )
    if numbers := list(under_way.order_by("pk").values_list("order_number", flat=True)):
        raise NotErasable(
            f"Still under way or not paid: {', '.join(numbers)}. Finish or cancel that first."
        )
    _lock_cart(user)
    for model in (CartItem, IdempotencyKey, Session):
        model._default_manager.filter(user=user).delete()
    SavedView.objects.filter(owner=user).delete()
    orders.update(shipping_address=ERASED, note="", tracking_number="", updated_at=timezone.now())
    OrderEvent.objects.filter(order__in=orders).exclude(kind=OrderEvent.Kind.PRINTED).update(
        note=""
    )
    StockMovement.objects.filter(order__in=orders).update(reason="")
    _forget(user)
    _entries(user, orders).update(changes="")
    AuditEntry.objects.filter(kind="user", record_id=str(user.pk)).update(record=str(user))
    audit.log(actor, user, "personal data erased")
    return user


def _lock_cart(user: User) -> None:
    """A checkout locks the cart and then asks for its user: do not wait for it here, or both wait forever."""
    lines = CartItem.objects.filter(user=user)
    mine = [line.pk for line in lines.select_for_update(skip_locked=True)]
    if lines.exclude(pk__in=mine).exists():
        raise NotErasable("They are placing an order just now. Try again in a moment.")


def _forget(user: User) -> None:
    user.email = f"erased-{user.pk}@erased.invalid"
    user.first_name, user.last_name, user.phone = "Erased customer", str(user.pk), ""
    user.is_active, user.last_login = False, None
    user.set_unusable_password()
    user.save()
    user.groups.clear()
    user.user_permissions.clear()


def _entries(user: User, orders: QuerySet[Order]) -> QuerySet[AuditEntry]:
    """What staff changed about the person and their orders."""
    pks = [str(pk) for pk in orders.values_list("pk", flat=True)]
    about = Q(kind="user", record_id=str(user.pk)) | Q(kind="order", record_id__in=pks)
    return AuditEntry.objects.filter(about)


def _customer(user_id: int) -> User:
    """The customer, locked as a whole: a new order or session of theirs waits."""
    user = User.objects.filter(pk=user_id).select_for_update().first()
    if user is None:
        raise NotFound
    if user.is_staff:
        raise NotErasable("This is a member of staff. Make them a customer first.")
    return user
