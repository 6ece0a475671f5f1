"""Orders, their items and events, and the idempotency keys of API calls."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.models.base import CleanTextModel, generate_code
from shop.models.cart import MAX_QUANTITY
from shop.models.order_status import ORDER_STATUSES, OrderStatus, PaymentStatus
from shop.models.products import Product
from shop.money import ZERO, MoneyField, TaxRateField, default_currency

#: `Order.current_total`, `received_amount` and `balance` of a row, for queries.
CURRENT_TOTAL = F("total_amount") - F("credited_amount")
RECEIVED_AMOUNT = F("paid_amount") - F("refunded_amount")
BALANCE = CURRENT_TOTAL - RECEIVED_AMOUNT
#: `OrderItem.kept_quantity` of a row.
KEPT_QUANTITY = F("quantity") - F("returned_quantity")


def generate_order_number() -> str:
    """Return a random number such as `7KX2-9M4Q`: 40 bits, and easy to read aloud."""
    return f"{generate_code(4)}-{generate_code(4)}"


class Order(CleanTextModel):
    """A customer's order.

    Only `services.orders` changes its status, see `shop.models.order_status`; `services.order_edit`
    its address and lines; `services.refunds` and `services.returns` what is owed and paid back.

    Four amounts tell what money is owed, in the order's `currency`: `total_amount` is the sum of
    the lines. `credited_amount` is the part of it that the customer need not pay any more: the
    whole of a cancelled order, units sent back, a reduction of the price. `paid_amount` was
    received, and `refunded_amount` was paid back. Each payment and refund is a Payment.
    """

    #: Fields that the API never contains; it has the customer instead of the user.
    STAFF_ONLY: ClassVar[frozenset[str]] = frozenset(
        {"user", "carrier", "tracking_number", "tracking_url", "shipped_at"}
    )
    #: Fields that customers fill in at checkout, and staff in a phone order.
    AT_CHECKOUT: ClassVar[frozenset[str]] = frozenset(
        {"shipping_address", "payment_method", "note"}
    )
    #: Fields that are printed on the packing slip, below the items.
    ON_PACKING_SLIP: ClassVar[frozenset[str]] = frozenset({"note"})
    #: Fields that are not personal. All others are erased with the customer's data.
    KEPT_WHEN_ERASED: ClassVar[frozenset[str]] = frozenset(
        {
            "order_number",
            "user",
            "status",
            "payment_method",
            "payment_status",
            "total_amount",
            "credited_amount",
            "paid_amount",
            "refunded_amount",
            "currency",
            "carrier",
            "shipped_at",
            "created_at",
            "updated_at",
        }
    )
    #: Fields that lists are filtered by without an index.
    SLOW_FILTERS: ClassVar[frozenset[str]] = frozenset(
        {"credited_amount", "paid_amount", "refunded_amount", "currency"}
    )

    Status = OrderStatus
    PaymentStatus = PaymentStatus

    class PaymentMethod(models.TextChoices):
        CASH_ON_DELIVERY = "cash_on_delivery", _("Cash on delivery")
        BANK_TRANSFER = "bank_transfer", _("Bank transfer")
        CARD = "card", _("Card")

    #: Status -> the statuses that may follow it: the `next` column of ORDER_STATUSES.
    FLOW: ClassVar[dict[str, tuple[str, ...]]] = {
        status: facts.next for status, facts in ORDER_STATUSES.items()
    }

    order_number = models.CharField(
        _("number"), max_length=9, unique=True, default=generate_order_number, editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="orders",
        verbose_name=_("customer"),
        editable=False,
        db_index=False,  # the index order_of_user starts with it
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=OrderStatus,
        default=OrderStatus.PENDING,
        editable=False,
    )
    payment_method = models.CharField(
        _("payment"), max_length=20, choices=PaymentMethod, default=PaymentMethod.CASH_ON_DELIVERY
    )
    payment_status = models.CharField(
        _("paid"),
        max_length=20,
        choices=PaymentStatus,
        default=PaymentStatus.PENDING,
        editable=False,
    )
    total_amount = MoneyField(_("total"), editable=False)
    credited_amount = MoneyField(_("credited"), default=ZERO, editable=False)
    paid_amount = MoneyField(_("amount paid"), default=ZERO, editable=False)
    refunded_amount = MoneyField(_("amount refunded"), default=ZERO, editable=False)
    currency = models.CharField(
        _("currency"), max_length=3, default=default_currency, editable=False
    )
    shipping_address = models.TextField(_("shipping address"), max_length=1000)
    note = models.TextField(_("customer's note"), max_length=1000, blank=True)
    carrier = models.CharField(_("carrier"), max_length=60, blank=True, editable=False)
    tracking_number = models.CharField(
        _("tracking number"), max_length=60, blank=True, editable=False
    )
    # Made from the carrier's template when the number is entered.
    tracking_url = models.CharField(_("tracking link"), max_length=500, blank=True, editable=False)
    shipped_at = models.DateTimeField(_("shipped"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("placed"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")
        # Beside Django's own: "change" is to confirm, cancel, mark as paid and add notes.
        permissions = (
            ("fulfil_order", "Can pack, ship and deliver orders"),
            ("edit_order", "Can change address and items of orders"),
            ("refund_order", "Can refund orders and take returns"),
            ("export_order", "Can export orders with their addresses"),
            ("view_revenue", "Can view revenue"),
        )
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
            # So the total isn't negative either.
            models.CheckConstraint(
                condition=Q(credited_amount__gte=0, credited_amount__lte=F("total_amount")),
                name="order_credited_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=F("paid_amount")),
                name="order_refunded_in_bounds",
            ),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="order_newest"),
            models.Index(fields=["user", "-created_at", "-id"], name="order_of_user"),
            models.Index(fields=["status", "-created_at", "-id"], name="order_by_status"),
            models.Index(fields=["payment_status", "-created_at", "-id"], name="order_by_payment"),
            models.Index(fields=["total_amount", "id"], name="order_by_total"),
            models.Index(fields=["updated_at", "id"], name="order_by_update"),
            models.Index(
                fields=[
                    "created_at",
                    "status",
                    "currency",
                    "payment_method",
                    "total_amount",
                    "credited_amount",
                    "id",
                ],
                name="order_sales",
            ),
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
    def can_be_edited(self) -> bool:
        """Whether staff may change address and items."""
        return ORDER_STATUSES[self.status].can_be_edited

    @property
    def current_total(self) -> Decimal:
        """What the order costs now: its total without what was credited."""
        amount: Decimal = self.total_amount - self.credited_amount
        return amount

    @property
    def received_amount(self) -> Decimal:
        """What was paid and not paid back."""
        amount: Decimal = self.paid_amount - self.refunded_amount
        return amount

    @property
    def balance(self) -> Decimal:
        """What the customer owes the shop; negative if the shop owes the customer."""
        return self.current_total - self.received_amount

    @property
    def amount_due(self) -> Decimal:
        """What the customer still has to pay."""
        return max(self.balance, ZERO)

    @property
    def refund_due(self) -> Decimal:
        """What the shop still has to pay back."""
        return max(-self.balance, ZERO)

    @property
    def awaits_payment(self) -> bool:
        """Whether the order still has to be paid."""
        return self.balance > 0


class OrderItem(models.Model):
    """One line of an order, with the product's name, SKU and price at the time of ordering."""

    # No index of its own: the unique constraint's index starts with it.
    order = models.ForeignKey(Order, models.CASCADE, related_name="items", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    sku = models.CharField(_("SKU"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    price = MoneyField(_("price"), max_digits=10)
    quantity = models.PositiveIntegerField(_("quantity"))
    returned_quantity = models.PositiveIntegerField(_("returned"), default=0)
    #: Percent of tax that the price contains; None without tax.
    tax_rate = TaxRateField(_("tax rate"))
    subtotal = models.GeneratedField(
        verbose_name=_("subtotal"),
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
            models.CheckConstraint(
                condition=Q(returned_quantity__lte=F("quantity")),
                name="order_returned_in_bounds",
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="order_price_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def kept_quantity(self) -> int:
        """The units that the customer has: those that were not sent back."""
        return self.quantity - self.returned_quantity


class OrderEvent(CleanTextModel):
    """An entry in an order's timeline: what changed, when and by whom. Append-only.

    `details` is what the shop says about it, such as the changed fields; `note` is what a person
    wrote.
    """

    class Kind(models.TextChoices):
        STATUS = "status", _("Status")
        PAYMENT = "payment", _("Payment")
        NOTE = "note", _("Note")
        PRINTED = "printed", _("Printed")
        EDITED = "edited", _("Edited")
        TRACKING = "tracking", _("Tracking")
        RETURNED = "returned", _("Returned")
        REFUNDED = "refunded", _("Refunded")

    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.STATUS)
    status = models.CharField(_("status"), max_length=20, choices=OrderStatus)
    payment_status = models.CharField(_("paid"), max_length=20, choices=PaymentStatus)
    note = models.TextField(_("note"), max_length=1000, blank=True)
    details = models.TextField(_("details"), blank=True)
    is_internal = models.BooleanField(_("for staff only"), default=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("date"), default=timezone.now)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["kind", "-id"], name="event_of_kind"),)

    def __str__(self) -> str:
        if self.kind == self.Kind.STATUS:
            return self.get_status_display()
        if self.kind == self.Kind.PAYMENT:
            return self.get_payment_status_display()
        return self.get_kind_display()


class IdempotencyKey(models.Model):
    """The stored answer to a request, written in the same transaction as the request's effects.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    """

    # No index of its own: the unique constraint's index starts with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField(_("key"), max_length=255)
    fingerprint = models.CharField(_("request"), max_length=64)
    answer = models.TextField(_("answer"), blank=True)
    created_at = models.DateTimeField(_("date"), default=timezone.now, db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once_per_user"),
        )

    def __str__(self) -> str:
        return self.key
