"""Carriers, and the links under which they show where a parcel is."""

from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.models.base import CleanTextModel

#: Placeholder of the tracking number in a link's template.
NUMBER = "{number}"


def validate_tracking_url(template: str) -> None:
    """Raise ValidationError for a template that is no web address with a place for the number."""
    if not template.startswith(("https://", "http://")) or template.count(NUMBER) != 1:
        raise ValidationError(
            _("Enter an address that starts with https:// and contains {number} once."),
            code="invalid",
        )


class Carrier(CleanTextModel):
    """A carrier, by whose name an order's tracking number gets a link."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    tracking_url = models.CharField(
        _("tracking link"),
        max_length=300,
        blank=True,
        validators=[validate_tracking_url],
        help_text=_("{number} stands for the tracking number. Leave empty for no link."),
    )

    class Meta:
        verbose_name = _("carrier")
        verbose_name_plural = _("carriers")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def build_url(self, tracking_number: str) -> str:
        """Return the link to a parcel; empty without a template or without a number."""
        if not (self.tracking_url and tracking_number):
            return ""
        return self.tracking_url.replace(NUMBER, quote(tracking_number, safe=""))
