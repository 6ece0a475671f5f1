"""Saved views of the admin's lists."""

from collections.abc import Collection
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.db.text_folding import NAME_COLLATION
from shop.models.base import CleanTextModel

#: Query parameters of a list that do not select or sort rows, such as the page number.
TRANSIENT_PARAMETERS = frozenset({"p", "e", "all", "_popup", "_to_field"})


def normalize_query(query: str) -> str:
    """Return a list's query string with sorted and escaped parameters, without transient ones.

    Escaping keeps a URL out of it, so that a saved view leads to its list only. Returns "" if no
    parameter is left. Raises ValueError for text that is no query string.
    """
    pairs = parse_qsl(query.removeprefix("?"), strict_parsing=True) if query else []
    return urlencode(
        sorted((key, value) for key, value in pairs if key not in TRANSIENT_PARAMETERS)
    )


class SavedView(CleanTextModel):
    """Search and filters of a list, saved by a member of staff and shared on request."""

    class Screen(models.TextChoices):
        ORDERS = "order", _("Orders")
        PRODUCTS = "product", _("Products")
        USERS = "user", _("Customers and staff")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", editable=False
    )
    name = models.CharField(
        _("name"),
        max_length=60,
        db_collation=NAME_COLLATION,
        help_text=_("For example “Late, unpaid”."),
    )
    is_shared = models.BooleanField(
        _("share with colleagues"),
        default=False,
        help_text=_("Everybody who can see the list can use it. Only you can change or delete it."),
    )
    screen = models.CharField(_("list"), max_length=10, choices=Screen)
    query = models.CharField(
        _("filters"),
        max_length=1000,
        error_messages={
            "blank": _("Search or filter the list first, then click “Save this view” above it.")
        },
        help_text=_("Search and filters of the list. This is filled in for you."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ("name", "id")
        # Whoever may view a list may save views of it.
        default_permissions: ClassVar[tuple[str, ...]] = ()
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "screen", "name"],
                name="saved_view_name_once_per_list",
                violation_error_message=_("You already have a view with this name for this list."),
            ),
            models.CheckConstraint(
                condition=models.Q(screen__in=["order", "product", "user"]),
                name="saved_view_screen_is_known",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        try:
            self.query = normalize_query(self.query)
        except ValueError:
            self.query = ""
        super().clean_fields(exclude)
