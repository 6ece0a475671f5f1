"""Export and erasure of a customer's personal data."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Manager, Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shop import exposure
from shop.db.transactions import atomically
from shop.models import (
    AuditEntry,
    BrowserSession,
    CartItem,
    IdempotencyKey,
    Invoice,
    Order,
    OrderEvent,
    OrderItem,
    OutboxMessage,
    Payment,
    SavedView,
    Session,
    StockMovement,
    User,
)
from shop.models.audit import SIGN_IN_ACTIONS
from shop.services import audit
from shop.services.errors import NotErasable, NotFound
from shop.services.invoices import erase_invoices

#: Columns that are not personal data, or would give access to the account.
NOT_EXPORTED = {
    "password",
    "password_hash",
    "current_token",
    "previous_token",
    "is_superuser",
    "groups",
    "user_permissions",
}
OPEN_STATUSES = [status for status in Order.Status if status.facts.next]


@atomically
def export_personal_data(*, user_id: int, actor: User) -> str:
    """Return all data about a customer as JSON. Raises NotFound; NotErasable for staff."""
    user = _lock_customer(user_id)
    audit.log(actor, user, _("personal data exported"))
    orders = Order.objects.filter(user=user).order_by("pk")
    entries = _audit_entries(user, orders).order_by("pk")
    querysets: dict[str, QuerySet[Any]] = {
        "person": User.objects.filter(pk=user.pk),
        "orders": orders,
        "order_lines": OrderItem.objects.filter(order__in=orders).order_by("pk"),
        "payments": Payment.objects.filter(order__in=orders).order_by("pk"),
        "invoices": Invoice.objects.filter(order__in=orders).order_by("pk"),
        "order_history": OrderEvent.objects.filter(order__in=orders).order_by("pk"),
        "cart": CartItem.objects.filter(user=user).order_by("pk"),
        "sessions": Session.objects.filter(user=user),
        "answers_kept": IdempotencyKey.objects.filter(user=user).order_by("pk"),
        "emails": OutboxMessage.objects.filter(user=user).order_by("pk"),
        "changes_by_staff": entries.exclude(action__in=SIGN_IN_ACTIONS),
        "sign_ins": entries.filter(action__in=SIGN_IN_ACTIONS),
    }
    data = {name: list(_export_rows(rows)) for name, rows in querysets.items()}
    return json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2, sort_keys=True)


@atomically
def erase_personal_data(*, user_id: int, actor: User) -> User:
    """Erase a customer's personal data. Orders stay for accounting, with items and prices.

    Raises NotFound; NotErasable for staff, and while an order is open or unpaid.
    """
    user = _lock_customer(user_id)
    orders = Order.objects.filter(user=user)
    unfinished = orders.filter(
        Q(status__in=OPEN_STATUSES)
        | Q(payment_status__in=[Order.PaymentStatus.PENDING, Order.PaymentStatus.REFUND_DUE])
    )
    if numbers := list(unfinished.order_by("pk").values_list("order_number", flat=True)):
        raise NotErasable(
            _("Open or unpaid orders: %(orders)s. Complete or cancel them first.")
            % {"orders": ", ".join(numbers)}
        )
    _lock_cart(user)
    for model in (CartItem, IdempotencyKey, OutboxMessage, Session, BrowserSession):
        model._default_manager.filter(user=user).delete()
    SavedView.objects.filter(owner=user).delete()
    _erase_fields(orders)
    orders.update(updated_at=timezone.now())
    OrderEvent.objects.filter(order__in=orders).exclude(kind=OrderEvent.Kind.PRINTED).update(
        note="", details=""
    )
    Payment.objects.filter(order__in=orders).update(reason="")
    StockMovement.objects.filter(order__in=orders).update(reason="")
    erase_invoices(orders)
    _anonymize(user)
    _audit_entries(user, orders).update(changes="", client_ip="", device="")
    AuditEntry.objects.filter(model_name="user", record_id=str(user.pk)).update(
        record_label=str(user)
    )
    audit.log(actor, user, _("personal data erased"))
    return user


def _export_rows(rows: QuerySet[Any]) -> Iterator[dict[str, Any]]:
    """Yield the columns of each row, and the names of the records that an exposed model names."""
    relations = []
    if rows.model in exposure.exposed_models():
        fields = exposure.all_fields(rows.model)
        relations = [f for f in fields if f.is_relation and f.related_model is not User]
    names = [field.name for field in relations if field.name not in NOT_EXPORTED]
    related = {record.pk: record for record in rows.prefetch_related(*names)} if names else {}
    for row in rows.values():
        row |= {name: _related_names(related[row["id"]], name) for name in names}
        yield {column: row[column] for column in row.keys() - NOT_EXPORTED}


def _related_names(record: Model, name: str) -> str | list[str] | None:
    value = getattr(record, name)
    if isinstance(value, Manager):
        return sorted(map(str, value.all()))
    return None if value is None else str(value)


def _lock_cart(user: User) -> None:
    """Lock the cart without waiting: a checkout locks cart, then user, so waiting deadlocks."""
    lines = CartItem.objects.filter(user=user)
    locked = [line.pk for line in lines.select_for_update(skip_locked=True)]
    if lines.exclude(pk__in=locked).exists():
        raise NotErasable(_("This customer is placing an order right now. Try again in a moment."))


def _anonymize(user: User) -> None:
    for field in exposure.personal_fields(User):
        if not field.many_to_many:
            setattr(user, field.attname, exposure.erased_value(field))
    user.email = f"erased-{user.pk}@erased.invalid"
    user.first_name, user.last_name = str(_("Erased customer")), str(user.pk)
    user.is_active = False
    user.set_unusable_password()
    user.save()
    _empty_relations(User.objects.filter(pk=user.pk))


def _erase_fields(rows: QuerySet[Any]) -> None:
    """Clear the personal fields of all rows."""
    columns = [f for f in exposure.personal_fields(rows.model) if not f.many_to_many]
    rows.update(**{field.attname: exposure.erased_value(field) for field in columns})
    _empty_relations(rows)


def _empty_relations(rows: QuerySet[Any]) -> None:
    for field in exposure.personal_fields(rows.model):
        if field.many_to_many:
            through: Any = field.remote_field.through  # type: ignore[union-attr]
            name = field.m2m_field_name()  # type: ignore[attr-defined]
            through._default_manager.filter(**{f"{name}__in": rows}).delete()


def _audit_entries(user: User, orders: QuerySet[Order]) -> QuerySet[AuditEntry]:
    """Return the audit log entries about a customer and their orders."""
    pks = [str(pk) for pk in orders.values_list("pk", flat=True)]
    condition = Q(model_name="user", record_id=str(user.pk))
    condition |= Q(model_name="order", record_id__in=pks)
    return AuditEntry.objects.filter(condition)


def _lock_customer(user_id: int) -> User:
    """Return the customer, locked FOR UPDATE, so that new orders and sessions wait."""
    user = User.objects.filter(pk=user_id).select_for_update().first()
    if user is None:
        raise NotFound
    if user.is_staff:
        raise NotErasable(_("This is a member of staff. Change the role to customer first."))
    return user
