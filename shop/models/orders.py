"""Orders, their lines and their story."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from shop.models.base import CleanTextModel, generate_code
from shop.models.cart import MAX_QUANTITY
from shop.models.order_status import ORDER_STATUSES, OrderStatus, PaymentStatus
from shop.models.products import Product
from shop.money import MoneyField


def generate_order_number() -> str:
    """Short, readable on the telephone and unguessable (40 bits): `7KX2-9M4Q`."""
    return f"{generate_code(4)}-{generate_code(4)}"


class Order(CleanTextModel):
    """What a customer bought, at the prices of that moment. Its status moves through one service only."""

    Status = OrderStatus
    PaymentStatus = PaymentStatus

    class PaymentMethod(models.TextChoices):
        CASH_ON_DELIVERY = "cash_on_delivery", "Cash on delivery"
        BANK_TRANSFER = "bank_transfer", "Bank transfer"
        CARD = "card", "Card"

    #: Status -> the statuses that may follow it. See ORDER_STATUSES for all that hangs on a status.
    FLOW: ClassVar[dict[str, tuple[str, ...]]] = {
        status: facts.next for status, facts in ORDER_STATUSES.items()
    }

    order_number = models.CharField(
        "number", max_length=9, unique=True, default=generate_order_number
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="orders",
        verbose_name="customer",
        db_index=False,  # order_of_user begins with it
    )
    status = models.CharField(
        "status", max_length=20, choices=OrderStatus, default=OrderStatus.PENDING
    )
    payment_method = models.CharField(
        "payment", max_length=20, choices=PaymentMethod, default=PaymentMethod.CASH_ON_DELIVERY
    )
    payment_status = models.CharField(
        "paid", max_length=20, choices=PaymentStatus, default=PaymentStatus.PENDING
    )
    total_amount = MoneyField("total")
    shipping_address = models.TextField("shipping address", max_length=1000)
    note = models.TextField("customer's note", max_length=1000, blank=True)
    carrier = models.CharField("carrier", max_length=60, blank=True)
    tracking_number = models.CharField("tracking number", max_length=60, blank=True)
    created_at = models.DateTimeField("placed", default=timezone.now)
    updated_at = models.DateTimeField("updated at", default=timezone.now)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=OrderStatus.values),
                name="order_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(payment_method__in=["cash_on_delivery", "bank_transfer", "card"]),
                name="order_payment_method_is_known",
            ),
            models.CheckConstraint(
                condition=Q(payment_status__in=PaymentStatus.values),
                name="order_payment_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(total_amount__gte=0), name="order_total_not_negative"
            ),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="order_newest"),
            models.Index(fields=["user", "-created_at", "-id"], name="order_of_user"),
            models.Index(fields=["status", "-created_at", "-id"], name="order_by_status"),
            models.Index(fields=["payment_status", "-created_at", "-id"], name="order_by_payment"),
            models.Index(fields=["total_amount", "id"], name="order_by_total"),
        )

    def __str__(self) -> str:
        return self.order_number

    def next_statuses(self, *, by_staff: bool) -> tuple[str, ...]:
        """Return the statuses that staff, or else the customer, may move this order to."""
        facts = ORDER_STATUSES[self.status]
        if by_staff:
            return facts.next
        return (OrderStatus.CANCELLED,) if facts.customer_can_cancel else ()

    @property
    def awaits_payment(self) -> bool:
        """Whether money is still to come."""
        is_open = self.payment_status == self.PaymentStatus.PENDING
        return is_open and self.status != self.Status.CANCELLED


class OrderItem(models.Model):
    """One line of an order, with the product's name, SKU and price of the moment."""

    # The constraint's index begins with it.
    order = models.ForeignKey(Order, models.CASCADE, related_name="items", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    sku = models.CharField("SKU", max_length=64)
    name = models.CharField("name", max_length=200)
    price = MoneyField("price", max_digits=10)
    quantity = models.PositiveIntegerField("quantity")
    subtotal = models.GeneratedField(
        verbose_name="subtotal",
        expression=F("price") * F("quantity"),
        output_field=MoneyField(),
        db_persist=True,
    )

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["order", "product"], name="order_one_line_per_product"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY),
                name="order_quantity_in_bounds",
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="order_price_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


class OrderEvent(CleanTextModel):
    """One moment in an order's life: what changed, when and by whom. Never changed again."""

    class Kind(models.TextChoices):
        STATUS = "status", "Status"
        PAYMENT = "payment", "Payment"
        NOTE = "note", "Note"
        PRINTED = "printed", "Printed"

    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    kind = models.CharField("kind", max_length=10, choices=Kind, default=Kind.STATUS)
    status = models.CharField("status", max_length=20, choices=OrderStatus)
    payment_status = models.CharField("paid", max_length=20, choices=PaymentStatus)
    note = models.TextField("note", max_length=1000, blank=True)
    is_internal = models.BooleanField("for staff only", default=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField("at", default=timezone.now)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["kind", "-id"], name="event_of_kind"),)

    def __str__(self) -> str:
        """What happened, in a word."""
        if self.kind == self.Kind.STATUS:
            return self.get_status_display()
        return (
            self.get_payment_status_display()
            if self.kind == self.Kind.PAYMENT
            else self.get_kind_display()
        )


class IdempotencyKey(models.Model):
    """What a key was answered with: written in the order's own transaction, so that both exist or neither.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    """

    # The constraint's index begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField("key", max_length=255)
    fingerprint = models.CharField("request", max_length=64)
    answer = models.TextField("answer", blank=True)
    created_at = models.DateTimeField("at", default=timezone.now, db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once_per_user"),
        )

    def __str__(self) -> str:
        return self.key
