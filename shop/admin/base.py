"""Base classes of the admin: read-only pages, tabs, audit log, action forms."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from shop.admin.action_form import add_service_error, render_action_form
from shop.admin.changelists import DeferredPaginator, LargeTableAdmin, narrowing_parameters
from shop.admin.list_parameters import CheckedListAdmin
from shop.admin.retrying import RetryingAdmin
from shop.db import row_search
from shop.db.capped_count import CappedCount
from shop.models import User
from shop.models.order_status import Text
from shop.services import audit
from shop.services.audit import Action
from shop.services.errors import IdempotencyKeyReused, ShopError
from shop.services.idempotency import run_once

#: Hidden field with a random key, by which a second submission of the same form is recognised.
FORM_KEY_FIELD = "once"
CSRF_FIELD = "csrfmiddlewaretoken"
ACTION_FIELDS = {"action": "", "select_across": "0"}


def staff_user(request: HttpRequest) -> User:
    """Return the signed-in user, typed as User: the admin admits staff only."""
    return cast("User", request.user)


def form_key() -> tuple[str, str]:
    """Return name and value of a hidden field that makes a form's submission idempotent."""
    return FORM_KEY_FIELD, secrets.token_urlsafe(12)


def submitted_key(request: HttpRequest) -> str:
    """Return the idempotency key of a submitted form; empty for a form without one.

    Raises BadRequest for one that PostgreSQL can't store.
    """
    key = request.POST.get(FORM_KEY_FIELD, "")[:64]
    if "\0" in key:
        raise BadRequest("The form's key is malformed.")
    return f"page {key}" if key else ""


def run_form_once(request: HttpRequest, work: Callable[[], str], *, is_html: bool = False) -> None:
    """Run `work` and show the message it returns, but only for the form's first submission.

    A repeated submission changes nothing and shows a message that says so. `is_html` says that the
    message is HTML. Raises ShopError if the form was submitted before with other values, and
    whatever `work` raises.
    """
    fields = sorted((name, values) for name, values in request.POST.lists() if name != CSRF_FIELD)
    try:
        result, is_repeated = run_once(
            user=staff_user(request),
            key=submitted_key(request),
            request=f"{request.path} {fields}",
            work=work,
        )
    except IdempotencyKeyReused as error:
        raise ShopError(
            _("You already submitted this form with other values. Check them and submit it again.")
        ) from error

    message, show = result, messages.success
    if is_repeated:
        text = _("You already submitted this form. Nothing was changed. First result: %(result)s")
        message, show = text % {"result": result}, messages.info
    show(request, mark_safe(message) if is_html else message)  # noqa: S308 - `work` made the HTML


def action_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the hidden fields with which a form repeats the list action that led to it."""
    fields = [(name, request.POST.get(name, default)) for name, default in ACTION_FIELDS.items()]
    selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
    return [*fields, *((ACTION_CHECKBOX_NAME, pk) for pk in selected)]


class AuditedAdmin(RetryingAdmin, CheckedListAdmin):
    """Writes changes with old and new values to the shop's audit log, and shows it as History."""

    # Unfold's templates look it up per field, and a failing look-up is slow.
    conditional_fields = None

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 - Django's signature
    ) -> str:
        """Return the form's changes as text."""
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        changes = audit.diff_values(self.model, form.initial, changed)
        return audit.format_changes(changes, action=Action.ADDED if add else Action.CHANGED)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> None:
        audit.log(staff_user(request), obj, message, action=Action.ADDED)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> None:
        audit.log(staff_user(request), obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[models.Model]) -> None:
        audit.log_many(
            staff_user(request), [(record, "") for record in queryset], action=Action.REMOVED
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponseRedirect:
        """Redirect to the record's entries in the audit log."""
        url = reverse("admin:shop_auditentry_changelist")
        query = f"model_name={self.opts.model_name}&record_id={object_id}"
        return HttpResponseRedirect(f"{url}?{query}")


class ReadOnlyAdmin(LargeTableAdmin, AuditedAdmin):
    """Shows rows that only services write: nobody adds, changes or deletes them here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class TabbedAdmin(LargeTableAdmin):
    """Shows tabs above a list: all rows, then those with each value of one field, with counts."""

    list_before_template = "admin/shop/tabs.html"
    tab_field: str
    tab_labels: Sequence[tuple[str, Text]]

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> DeferredPaginator:
        """Return a paginator that reads the tabs' counts in its own query."""
        paginator = super().get_paginator(request, *args, **kwargs)
        rows = self.model._default_manager
        paginator.also = {
            f"n_{value}": CappedCount(
                rows.filter(**{self.tab_field: value}), row_search.MAX_COUNTED
            )
            for value, _label in self.tab_labels
        }
        return paginator

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            tabs = self._tabs(request, context["cl"].paginator.numbers)
            context["tabs"] = tabs
            context["tabs_label"] = self.opts.get_field(self.tab_field).verbose_name
            narrowed_by = narrowing_parameters(request)
            context["cl"].is_counted_by_tab = narrowed_by <= {f"{self.tab_field}__exact"}
            current = next((tab for tab in tabs if tab["value"] and tab["is_current"]), None)
            if current and len(narrowed_by) == 1:
                context["cl"].empty_tab = self.empty_tab(current, tabs)
        return response

    def empty_tab(
        self, current: Mapping[str, Any], tabs: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return what the list says under the current tab if it is empty.

        That is a `title`, and `label` and `query` of a link to where there is something to do.
        """
        title = _("Nothing under “%(tab)s”") % {"tab": current["label"]}
        return {"title": title, "label": _("Show all"), "query": ""}

    def _tabs(self, request: HttpRequest, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
        lookup = f"{self.tab_field}__exact"
        current = request.GET.get(lookup, "")
        counts = {value: numbers[f"n_{value}"] for value, _label in self.tab_labels}
        limit = row_search.MAX_COUNTED
        return [
            {
                "value": value,
                "label": label,
                "query": f"{lookup}={value}" if value else "",
                "count": count,
                "count_label": f"{count:,}" if count <= limit else f"{limit:,}+",
                "is_current": current == value,
            }
            for value, label, count in [
                ("", _("All"), sum(counts.values())),
                *((value, label, counts[value]) for value, label in self.tab_labels),
            ]
        ]


class ActionFormAdmin(ModelAdmin):  # type: ignore[misc]
    """Buttons on a record's page: each leads to a form (GET) that performs an action (POST).

    `action_views` maps a URL path below the record to the method that handles it. All of them need
    the permission `action_permission`, or their own one in `view_permissions` (method to codename).
    """

    action_views: dict[str, str] = {}  # noqa: RUF012 - Django's options are plain class attributes
    action_permission: str
    view_permissions: dict[str, str] = {}  # noqa: RUF012

    def has_action_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may run the actions; Django calls it for `permissions=`."""
        return bool(request.user.has_perm(f"shop.{self.action_permission}"))

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [
            path(
                f"<int:pk>/{route}/",
                self.admin_site.admin_view(self._action_view(method)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{method}",
            )
            for route, method in self.action_views.items()
        ] + urls

    def _action_view(self, method_name: str) -> Callable[..., HttpResponse]:
        """Return a view that checks the permission, loads the record and calls the method."""

        def view(request: HttpRequest, pk: int, **arguments: Any) -> HttpResponse:
            codename = self.view_permissions.get(method_name)
            if codename:
                is_permitted = request.user.has_perm(f"shop.{codename}")
            else:
                is_permitted = self.has_action_permission(request)
            if not is_permitted:
                raise PermissionDenied

            record = get_object_or_404(self.model, pk=pk)
            response: HttpResponse = getattr(self, method_name)(request, record, **arguments)
            return response

        return view

    def action_form_view[Form: forms.BaseForm](
        self,
        request: HttpRequest,
        record: models.Model,
        *,
        form_class: Callable[[Any], Form],
        title: Text,
        button: Text,
        perform: Callable[[Form], str],
        **options: Any,
    ) -> HttpResponse:
        """Show the form; on a valid POST perform the action and redirect to the record.

        `perform` returns the success message. A ShopError or ValidationError that it raises is
        shown in the form. `options` are those of `render_action_form`.
        """
        form = form_class(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                run_form_once(request, partial(perform, form))
                return self.redirect_to_record(record)
            except (ShopError, ValidationError) as error:
                add_service_error(form, error)
        return render_action_form(
            request,
            self,
            form=form,
            title=title,
            button=button,
            back_url=self.record_url(record),
            hidden=[form_key()],
            original=record,
            **options,
        )

    def record_url(self, record: models.Model) -> str:
        """Return the URL of the record's page, or of the list if the record is deleted."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if not self.model._default_manager.filter(pk=record.pk).exists():
            return reverse(f"{name}_changelist")
        return reverse(f"{name}_change", args=[record.pk])

    def redirect_to_record(self, record: models.Model) -> HttpResponse:
        """Return a redirect to the record's page."""
        return HttpResponseRedirect(self.record_url(record))
