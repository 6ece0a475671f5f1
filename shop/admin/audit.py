"""Who changed what, from what to what."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from shop.admin.base import ReadOnlyAdmin
from shop.models import AuditEntry


class KindFilter(admin.SimpleListFilter):
    """Products, orders, people and the rest."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = [*apps.get_app_config("shop").get_models(), apps.get_model("auth", "Group")]
        return sorted(
            (m._meta.model_name or "", str(m._meta.verbose_name).capitalize()) for m in found
        )

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[AuditEntry]
    ) -> models.QuerySet[AuditEntry]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit log."""

    list_display = ("created_at", "actor", "action", "kind", "record", "changes")
    list_display_links = None
    list_filter = (KindFilter, "action")
    list_select_related = ("actor",)
    search_fields = ("actor__email", "actor__last_name", "record", "changes")
    search_help_text = "Who, what, old or new"
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """A record's History leads here."""
        return lookup == "record_id" or super().lookup_allowed(lookup, value, request)
