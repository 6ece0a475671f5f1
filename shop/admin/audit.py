"""The admin of the audit log."""

from operator import itemgetter
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop.admin.base import ActionFormAdmin, ReadOnlyAdmin
from shop.admin.choice_filter import SimpleChoiceFilter
from shop.models import AuditEntry


class ModelNameFilter(SimpleChoiceFilter):
    """Filters the audit log by the model of the changed record."""

    title = _("record type")
    parameter_name = "model_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(_record_types().items(), key=itemgetter(1))

    def filter_rows(
        self, rows: models.QuerySet[AuditEntry], value: str
    ) -> models.QuerySet[AuditEntry]:
        return rows.filter(model_name=value)


def _record_types() -> dict[str, str]:
    """Return model name and label of the models that staff can change in the admin."""
    return {
        model._meta.model_name or "": str(model._meta.verbose_name).capitalize()
        for model in apps.get_models()
        if admin.site.is_registered(model) and _is_changed_by_staff(model)
    }


def _is_changed_by_staff(model: type[models.Model]) -> bool:
    model_admin = admin.site.get_model_admin(model)
    return isinstance(model_admin, ActionFormAdmin) or not isinstance(model_admin, ReadOnlyAdmin)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit log, which nobody can change."""

    empty_text = _("Each change by a member of staff appears here, with old and new values.")
    list_display = ("created_at", "actor", "action", "record_type", "record_label", "details")
    list_display_links = None
    list_filter = (ModelNameFilter, "action")
    filter_titles = {"action": _("What happened")}  # noqa: RUF012
    list_select_related = ("actor",)
    search_fields = ("actor__search_text", "record_label", "changes")
    search_help_text = _("Email or last name, record, old or new value")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[AuditEntry]:
        """Leave out the products of bulk changes, unless one record's history or text is asked."""
        entries: models.QuerySet[AuditEntry] = super().get_queryset(request)
        is_narrowed = request.GET.get("record_id") or request.GET.get("q")
        return entries if is_narrowed else entries.filter(change_set=None)

    @display(description=_("Record type"), ordering="model_name")
    def record_type(self, entry: AuditEntry) -> str:
        """Return the name of the record's model as the admin shows it."""
        return _record_types().get(entry.model_name, entry.model_name)

    @display(description=_("Change"))
    def details(self, entry: AuditEntry) -> str:
        """Return old and new values, or client and device of a sign-in."""
        return entry.changes or f"{entry.client_ip}\n{entry.device}".strip()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow `record_id`, by which a record's History filters the log."""
        return lookup == "record_id" or super().lookup_allowed(lookup, value, request)
