"""Order and payment statuses: one row per status holds everything that depends on it.

Buttons, bulk actions, tabs, dashboard tiles, labels, emails, the API's enum, demo data and tests
read these tables. A new status is a member, a row, and its place in another row's `next`;
`shop.checks` refuses an incomplete one at start-up.
"""

from dataclasses import dataclass
from typing import Literal

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

type Text = str | Promise
#: How a status looks; the style sheet has a class for each.
type Role = Literal["neutral", "info", "warning", "success", "danger"]


@dataclass(frozen=True, kw_only=True)
class StatusFacts:
    """What the shop knows about one order status."""

    #: The statuses an order may move to; the usual next step comes first.
    next: tuple[str, ...]
    role: Role
    #: Button that moves one order here, and list action that moves many.
    action: Text = ""
    bulk_action: Text = ""
    #: What orders in this status wait for; a dashboard tile counts them.
    waiting_for: Text = ""
    #: Whether customers may cancel an order in this status; staff may whenever `next` allows it.
    customer_can_cancel: bool = False
    #: Whether staff may change address and items.
    can_be_edited: bool = False
    #: Permission on orders that moving one here takes.
    permission: str = "change_order"
    #: Template in `templates/emails/` mailed to the customer on arrival; empty for none.
    email: str = ""


@dataclass(frozen=True, kw_only=True)
class PaymentFacts:
    """What the shop knows about one payment status."""

    role: Role
    #: Button that sets it; empty where only the shop itself does.
    action: Text = ""


class OrderStatus(models.TextChoices):
    """Where an order is."""

    PENDING = "pending", _("Pending")
    CONFIRMED = "confirmed", _("Confirmed")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
    CANCELLED = "cancelled", _("Cancelled")

    @property
    def facts(self) -> StatusFacts:
        """Return this status's row in ORDER_STATUSES."""
        return ORDER_STATUSES[self]

    @classmethod
    def path_to(cls, status: str) -> list["OrderStatus"]:
        """Return the statuses that a new order passes on its way to `status`, which comes last."""
        path: list[OrderStatus] = []
        current = cls.PENDING
        while current != status:
            steps = current.facts.next
            current = cls(status if status in steps else steps[0])
            path.append(current)
        return path


class PaymentStatus(models.TextChoices):
    """Whether an order is paid."""

    PENDING = "pending", _("Not yet paid")
    PAID = "paid", _("Paid")
    REFUND_DUE = "refund_due", _("Refund due")
    REFUNDED = "refunded", _("Refunded")
    VOIDED = "voided", _("Nothing to pay")

    @property
    def facts(self) -> PaymentFacts:
        """Return this status's row in PAYMENT_STATUSES."""
        return PAYMENT_STATUSES[self]


ORDER_STATUSES: dict[str, StatusFacts] = {
    OrderStatus.PENDING: StatusFacts(
        next=(OrderStatus.CONFIRMED, OrderStatus.CANCELLED),
        role="warning",
        waiting_for=_("to be confirmed"),
        customer_can_cancel=True,
        can_be_edited=True,
    ),
    OrderStatus.CONFIRMED: StatusFacts(
        next=(OrderStatus.SHIPPED, OrderStatus.CANCELLED),
        role="info",
        action=_("Confirm order"),
        bulk_action=_("Confirm selected orders"),
        waiting_for=_("to be shipped"),
        customer_can_cancel=True,
        can_be_edited=True,
    ),
    OrderStatus.SHIPPED: StatusFacts(
        next=(OrderStatus.DELIVERED, OrderStatus.CANCELLED),
        role="info",
        action=_("Mark as shipped"),
        bulk_action=_("Ship selected orders"),
        waiting_for=_("to be delivered"),
        permission="fulfil_order",
        email="order_shipped",
    ),
    OrderStatus.DELIVERED: StatusFacts(
        next=(),
        role="success",
        action=_("Mark as delivered"),
        bulk_action=_("Deliver selected orders"),
        permission="fulfil_order",
        email="order_delivered",
    ),
    OrderStatus.CANCELLED: StatusFacts(
        next=(),
        role="danger",
        action=_("Cancel order"),
        bulk_action=_("Cancel selected orders"),
        email="order_cancelled",
    ),
}

PAYMENT_STATUSES: dict[str, PaymentFacts] = {
    PaymentStatus.PENDING: PaymentFacts(role="warning"),
    PaymentStatus.PAID: PaymentFacts(role="success", action=_("Mark as paid")),
    PaymentStatus.REFUND_DUE: PaymentFacts(role="danger", action=_("Refund")),
    PaymentStatus.REFUNDED: PaymentFacts(role="neutral"),
    PaymentStatus.VOIDED: PaymentFacts(role="neutral"),
}
