"""The outbox: messages to the outside, stored in the transaction that causes them."""

from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from shop.models.order_status import OrderStatus, Role, Text
from shop.models.orders import Order

ORDER_PLACED = "order_placed"
PASSWORD_RESET, STAFF_INVITATION = "password_reset", "staff_invitation"
#: Kinds of emails with a link that gives access to an account.
PASSWORD_LINKS = (PASSWORD_RESET, STAFF_INVITATION)
ORDER_EDITED, ORDER_TRACKING = "order_edited", "order_tracking"
ORDER_REFUNDED, ORDER_RETURNED = "order_refunded", "order_returned"
ORDER_SHIPPED, ORDER_DELIVERED = "order_shipped", "order_delivered"
ORDER_CANCELLED = "order_cancelled"
GATEWAY_CAPTURE, GATEWAY_REFUND = "gateway_capture", "gateway_refund"


@dataclass(frozen=True)
class EmailFacts:
    """What staff read about one kind of email, whose templates are in `templates/emails/`."""

    label: Text
    #: The step at which it leaves.
    leaves: Text
    #: Whether staff's box "Email the customer" is ticked at first; None where there is no box.
    is_ticked: bool | None = None


#: Kind -> which email leaves at which step. A kind is the name of its templates.
EMAILS: dict[str, EmailFacts] = {
    ORDER_PLACED: EmailFacts(_("Order confirmation"), _("When an order is placed.")),
    ORDER_EDITED: EmailFacts(
        _("Order changed"), _("When staff change address or items."), is_ticked=False
    ),
    ORDER_SHIPPED: EmailFacts(_("Order shipped"), _("When an order is shipped."), is_ticked=True),
    ORDER_TRACKING: EmailFacts(
        _("Tracking number"), _("When staff change the tracking number."), is_ticked=True
    ),
    ORDER_DELIVERED: EmailFacts(
        _("Order delivered"), _("When an order is delivered."), is_ticked=True
    ),
    ORDER_CANCELLED: EmailFacts(
        _("Order cancelled"), _("When staff or the customer cancel an order."), is_ticked=True
    ),
    ORDER_RETURNED: EmailFacts(_("Return"), _("When items come back."), is_ticked=True),
    ORDER_REFUNDED: EmailFacts(_("Refund"), _("When money is paid back."), is_ticked=True),
    PASSWORD_RESET: EmailFacts(_("Password reset"), _("When somebody asks for a new password.")),
    STAFF_INVITATION: EmailFacts(_("Invitation"), _("When a colleague is invited.")),
}
# A further status that sends an email needs no row of its own.
for _status in OrderStatus:
    if _status.facts.email:
        _leaves = format_lazy(_("When an order is “{status}”."), status=_status.label)
        EMAILS.setdefault(_status.facts.email, EmailFacts(_status.label, _leaves, is_ticked=True))


class OutboxMessage(models.Model):
    """A message to a customer or to the payment gateway: waiting, sent or failed.

    `services.outbox` writes and sends it.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", _("Email")
        GATEWAY = "gateway", _("Payment gateway")

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    ROLES: ClassVar[dict[str, Role]] = {
        Status.PENDING: "warning",
        Status.SENT: "success",
        Status.FAILED: "danger",
    }
    #: Kind -> what staff call it.
    LABELS: ClassVar[dict[str, Text]] = {
        **{kind: facts.label for kind, facts in EMAILS.items()},
        GATEWAY_CAPTURE: _("Take the card payment"),
        GATEWAY_REFUND: _("Pay back to the card"),
    }

    channel = models.CharField(
        _("channel"), max_length=10, choices=Channel, default=Channel.EMAIL, editable=False
    )
    kind = models.CharField(_("message"), max_length=40)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="messages",
        db_index=False,
        verbose_name=_("customer"),
    )
    recipient = models.CharField(_("to"), max_length=254)
    order = models.ForeignKey(
        Order,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name=_("order"),
    )
    #: Further values for the message's template, such as the note to a customer.
    payload = models.JSONField(_("contents"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    expires_at = models.DateTimeField(_("no attempt after"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("email")
        verbose_name_plural = _("emails")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=["pending", "sent", "failed"]),
                name="message_status_is_known",
            ),
        )
        # An order pays for each index; so those that it does not need have conditions.
        indexes = (
            models.Index(fields=["due_at"], condition=Q(status="pending"), name="message_due"),
            models.Index(
                fields=["-created_at"], condition=Q(status="failed"), name="message_failed"
            ),
            models.Index(
                fields=["user", "created_at"],
                condition=Q(kind=PASSWORD_RESET),
                name="message_of_password_reset",
            ),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What staff call this kind of message."""
        return str(self.LABELS.get(self.kind, self.kind))
