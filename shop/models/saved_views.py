"""What members of staff keep for themselves and their colleagues."""

from collections.abc import Collection
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.db import models
from django.utils import timezone

from shop.models.base import CleanTextModel

#: Keys of an address that are about one visit, not about what is shown: the page's number, a popup, an error.
TRANSIENT_PARAMETERS = frozenset({"p", "e", "all", "_popup", "_to_field"})


def normalize_query(query: str) -> str:
    """The part of a list's query that is worth keeping, always spelt the same, so that it leads nowhere else.

    Empty where nothing is; ValueError for what is no query.
    """
    pairs = parse_qsl(query.removeprefix("?"), strict_parsing=True) if query else []
    return urlencode(
        sorted((key, value) for key, value in pairs if key not in TRANSIENT_PARAMETERS)
    )


class SavedView(CleanTextModel):
    """A search or filter of a list that a member of staff keeps, and may share with colleagues."""

    class Screen(models.TextChoices):
        ORDERS = "order", "Orders"
        PRODUCTS = "product", "Products"
        PEOPLE = "user", "Customers and staff"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", editable=False
    )
    name = models.CharField(
        "name", max_length=60, help_text="What you will look for, such as “Late, unpaid”."
    )
    is_shared = models.BooleanField(
        "share with colleagues",
        default=False,
        help_text="Everybody who may see the list finds it there. Only you can change or remove it.",
    )
    screen = models.CharField("list", max_length=10, choices=Screen)
    query = models.CharField(
        "filter",
        max_length=1000,
        error_messages={
            "blank": "Search or filter the list first, then press “Keep this filter” above it."
        },
        help_text="What stands after the “?” in the list's address. It is filled in for you.",
    )
    created_at = models.DateTimeField("kept", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "kept filter"
        ordering = ("name", "id")
        default_permissions: ClassVar[
            tuple[str, ...]
        ] = ()  # whoever may see a list may keep filters for it
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "screen", "name"],
                name="saved_filter_name_once_per_list",
                violation_error_message="You keep a filter of this name for this list already.",
            ),
            models.CheckConstraint(
                condition=models.Q(screen__in=["order", "product", "user"]),
                name="saved_filter_screen_is_known",
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
