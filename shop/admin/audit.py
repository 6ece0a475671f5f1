"""The admin of the audit log."""

from collections.abc import Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from shop.admin.base import ActionFormAdmin, ReadOnlyAdmin
from shop.admin.choice_filter import SimpleChoiceFilter
from shop.models import AuditEntry

Action = AuditEntry.Action
CHANGES = frozenset({Action.ADDED, Action.CHANGED, Action.REMOVED})
#: Entries of one change of many records are written this close together.
GROUP_GAP = timedelta(seconds=2)


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


def count_following(entries: Sequence[AuditEntry]) -> dict[int, int]:
    """Return, by its key, how many entries after it belong to the same change.

    That is, the same person did the same to records of the same type at the same time. Only the
    first of such entries is named.
    """
    following: dict[int, int] = {}
    first: AuditEntry | None = None
    for before, entry in zip([None, *entries], entries, strict=False):
        if first and before and _is_same_change(before, entry):
            following[first.pk] = following.get(first.pk, 0) + 1
        else:
            first = entry
    return following


def _is_same_change(entry: AuditEntry, other: AuditEntry) -> bool:
    return (
        entry.action in CHANGES
        and (entry.actor_id, entry.action, entry.model_name)
        == (other.actor_id, other.action, other.model_name)
        and abs(entry.created_at - other.created_at) <= GROUP_GAP
    )


def _page_urls(request: HttpRequest, entries: Sequence[AuditEntry]) -> dict[int, str]:
    """Return the URLs of the records' pages, by the entry's key, where the user may view them."""
    url_names = {
        model._meta.model_name: f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        for model in apps.get_models()
        if admin.site.is_registered(model)
        and admin.site.get_model_admin(model).has_view_permission(request)
    }
    return {
        entry.pk: reverse(url_names[entry.model_name], args=[entry.record_id])
        for entry in entries
        if entry.action != Action.REMOVED and entry.record_id and entry.model_name in url_names
    }


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit log, which nobody can change."""

    empty_text = _("Each change by a member of staff appears here, with old and new values.")
    list_display = ("created_at", "actor", "action", "record_type", "record", "details")
    list_display_links = None
    card_title = "record"
    card_corner = "created_at"
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

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, with the records' URLs and the entries of one change counted."""
        changelist = super().get_changelist_instance(request)
        entries = changelist.result_list = list(changelist.result_list)
        urls, following = _page_urls(request, entries), count_following(entries)
        for entry in entries:
            entry.url = urls.get(entry.pk, "")
            entry.n_following = following.get(entry.pk, 0)
        return changelist

    @display(description=_("Record"), ordering="record_label")
    def record(self, entry: Any) -> str:
        """Return a link to the record, and a button for further entries of the same change."""
        link = str(entry.record_label)
        if entry.url:
            link = format_html('<a class="shop-link" href="{}">{}</a>', entry.url, link)
        if not entry.n_following:
            return link
        more = ngettext("and %(count)s more", "and %(count)s more", entry.n_following)
        return format_html(
            '{} <button type="button" class="shop-link" data-following="{}" hidden>{}</button>',
            link,
            entry.n_following,
            more % {"count": entry.n_following},
        )

    @display(description=_("Change"))
    def details(self, entry: AuditEntry) -> str:
        """Return old and new values, or client and device of a sign-in."""
        return entry.changes or f"{entry.client_ip}\n{entry.device}".strip()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow `record_id`, by which a record's History filters the log."""
        return lookup == "record_id" or super().lookup_allowed(lookup, value, request)
