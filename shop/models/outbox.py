"""The outbox: messages to the outside, stored in the transaction that causes them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.models.order_status import OrderStatus, Role, Text
from shop.models.orders import Order

ORDER_PLACED, PASSWORD_RESET = "order_placed", "password_reset"
ORDER_EDITED, ORDER_TRACKING = "order_edited", "order_tracking"
ORDER_REFUNDED, ORDER_RETURNED = "order_refunded", "order_returned"
GATEWAY_CAPTURE, GATEWAY_REFUND = "gateway_capture", "gateway_refund"


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
    #: Kind -> what staff call it. An email's kind is the name of its template.
    LABELS: ClassVar[dict[str, Text]] = {
        ORDER_PLACED: _("Order confirmation"),
        ORDER_EDITED: _("Order changed"),
        ORDER_TRACKING: _("Tracking number"),
        ORDER_REFUNDED: _("Refund"),
        ORDER_RETURNED: _("Return"),
        PASSWORD_RESET: _("Password reset"),
        GATEWAY_CAPTURE: _("Take the card payment"),
        GATEWAY_REFUND: _("Pay back to the card"),
        **{status.facts.email: status.label for status in OrderStatus if status.facts.email},
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
