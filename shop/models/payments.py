"""Payments of orders: the ledger of their money."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.models.orders import Order
from shop.money import ZERO, MoneyField


class Payment(models.Model):
    """A line of an order's money: what was paid, paid back or credited. Append-only.

    `amount` is the money that moved. `credited_amount` is what the revenue falls by, on this day:
    a refund of what was credited, or a credit of what was never paid. What a refund pays back
    because an edit made the total smaller is no part of it.
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("Payment")
        REFUND = "refund", _("Refund")
        CREDIT = "credit", _("Credit")

    order = models.ForeignKey(Order, models.PROTECT, related_name="payments")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    amount = MoneyField(_("amount"), default=ZERO)
    credited_amount = MoneyField(_("credited"), default=ZERO)
    #: The gateway's name of this movement; empty for one that staff entered.
    reference = models.CharField(_("reference"), max_length=100, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
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
        constraints = (
            models.CheckConstraint(
                condition=Q(amount__gte=0, credited_amount__gte=0),
                name="payment_amounts_not_negative",
            ),
            models.UniqueConstraint(
                fields=["kind", "reference"],
                condition=~Q(reference=""),
                name="payment_reference_once",
            ),
        )
        indexes = (
            # The refunds and credits of a period.
            models.Index(
                fields=["created_at"], condition=~Q(kind="payment"), name="payment_refunds"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"
