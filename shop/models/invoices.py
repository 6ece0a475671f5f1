"""Invoices and credit notes, numbered without a gap, with what they said when they were issued."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.models.orders import Order
from shop.money import MoneyField


class Invoice(models.Model):
    """An issued document: an invoice, or the credit note that corrects one.

    Without a tax rate it is printed as a receipt. `contents` is all that it says, so that a copy
    printed later says the same; see `documents.invoices`. Only an erasure of the customer's data
    changes it. Both kinds share one series of numbers per year.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.INVOICE)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="invoices", verbose_name=_("order")
    )
    corrects = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        verbose_name=_("corrects"),
    )
    year = models.PositiveSmallIntegerField(_("year"))
    sequence = models.PositiveIntegerField(_("number in the year"))
    #: Gross, in the order's currency; of a credit note what is credited.
    amount = MoneyField(_("amount"))
    contents = models.JSONField(_("contents"), default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    issued_at = models.DateTimeField(_("issued"), default=timezone.now)

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ("-year", "-sequence")
        constraints = (
            models.UniqueConstraint(fields=["year", "sequence"], name="invoice_number_once"),
        )
        indexes = (models.Index(fields=["issued_at"], name="invoice_issued"),)

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The number that is printed: `2026-00012`."""
        return f"{self.year}-{self.sequence:05d}"


class InvoiceCounter(models.Model):
    """The last number given in a year. Its row is locked from a number until the commit."""

    year = models.PositiveSmallIntegerField(_("year"), primary_key=True)
    last = models.PositiveIntegerField(_("last number"))

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"
