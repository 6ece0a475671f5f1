"""What the screens share: fields that arrive by themselves, screens that only show, steps that ask first."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from unfold.admin import ModelAdmin

from shop import exposure
from shop.admin import search
from shop.admin.changelists import CappedCount, DeferredPaginator, LargeTableAdmin
from shop.models import Product, User
from shop.models.order_status import OrderStatus, PaymentStatus, Role, Text
from shop.models.products import PictureFile
from shop.services import audit
from shop.services.audit import Action
from shop.services.errors import IdempotencyKeyReused, ShopError
from shop.services.idempotency import run_once

#: The hidden field of `fresh_key`.
ONCE, CSRF = "once", "csrfmiddlewaretoken"
ACTION_FIELDS = {"action": "", "select_across": "0"}

type Fieldsets = list[tuple[str | None, dict[str, Any]]]


def staff_user(request: HttpRequest) -> User:
    """The member of staff who clicks (the admin lets nobody else in)."""
    return cast("User", request.user)


def form_key() -> tuple[str, str]:
    """A hidden field by which a form that is sent twice is known."""
    return ONCE, secrets.token_urlsafe(12)


def run_form_once(request: HttpRequest, work: Callable[[], str]) -> None:
    """Do it and tell what was done; a form that was sent before does nothing more and says so."""
    sent = sorted((name, values) for name, values in request.POST.lists() if name != CSRF)
    key = f"page {request.POST[ONCE][:64]}" if ONCE in request.POST else ""
    try:
        said, again = run_once(
            user=staff_user(request), key=key, request=f"{request.path} {sent}", work=work
        )
    except IdempotencyKeyReused as error:
        raise ShopError(
            "This page was sent before with something else. Look at it again, then send it."
        ) from error
    if again:
        messages.info(request, f"This was sent before, and nothing was done again. {said}")
    else:
        messages.success(request, said)


def action_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What a list's action came with, for its second page to send again."""
    kept = [(name, request.POST.get(name, default)) for name, default in ACTION_FIELDS.items()]
    return [
        *kept,
        *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)),
    ]


def render_thumbnail(product: Product, *, alt: str = "") -> str:
    """A product's picture at the size of a line; it needs its `alt` where nothing beside it says it."""
    picture = cast("PictureFile", product.image)
    source = picture.small_url if picture else static("shop/no-picture.svg")
    return format_html('<img class="shop-thumb" src="{}" alt="{}" loading="lazy">', source, alt)


def render_label(role: Role, text: Text) -> str:
    """Return the admin's one kind of label, in the colour of its role."""
    return format_html('<span class="shop-label shop-{}">{}</span>', role, text)


def status_label(status: OrderStatus | PaymentStatus) -> str:
    """Return the label of an order's or a payment's status."""
    return render_label(status.facts.role, status.label)


def render_age(moment: datetime) -> str:
    """How long ago, with the moment for whoever points at it."""
    since = timesince(moment, timezone.now(), depth=1)
    return format_html('<span title="{}">{} ago</span>', moment.isoformat(" ", "minutes"), since)


class AuditedAdmin(ModelAdmin):  # type: ignore[misc]
    """A screen whose changes go into the shop's own audit log, with old and new; its History is there."""

    conditional_fields = (
        None  # Unfold's fields ask for it; a template looks long for what is not there
    )

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 - Django's
    ) -> str:
        """What the form changes, in words; of a password only that."""
        changed = [name for name in form.changed_data if "password" not in name]
        told = audit.diff_values(
            self.model, form.initial, {name: form.cleaned_data[name] for name in changed}
        )
        words = audit.format_changes(told, action=Action.ADDED if add else Action.CHANGED)
        return (
            words
            if len(changed) == len(form.changed_data)
            else f"{words}\npassword: changed".lstrip()
        )

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The form. What a rival wrote after it was checked is found by its own checks, the second time."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except IntegrityError:
            return super().changeform_view(request, *args, **kwargs)

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
        """The audit log's lines about this record."""
        address = reverse("admin:shop_auditentry_changelist")
        return HttpResponseRedirect(f"{address}?kind={self.opts.model_name}&record_id={object_id}")


class ExposedModelAdmin(LargeTableAdmin, AuditedAdmin):
    """A screen whose named sections and columns come first and whose other fields follow by themselves."""

    sections: Sequence[tuple[str | None, Sequence[str]]] = ()
    first_columns: Sequence[str] = ()
    not_columns: Sequence[str] = ()
    warn_unsaved_form = True

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Fieldsets:
        named = {name for _, names in self.sections for name in names}
        every = exposure.editable_fields(self.model) + exposure.read_only_fields(self.model)
        rest = [name for name in every if name not in named]
        sections: Fieldsets = [(title, {"fields": list(names)}) for title, names in self.sections]
        return sections + ([("More", {"fields": rest})] if rest else [])

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return exposure.read_only_fields(self.model)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        named = {*self.first_columns, *self.not_columns}
        return [
            *self.first_columns,
            *(n for n in exposure.list_columns(self.model) if n not in named),
        ]


class ReadOnlyAdmin(LargeTableAdmin, AuditedAdmin):
    """A screen that shows what the shop itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class TabbedAdmin(LargeTableAdmin):
    """Tabs above a list: all rows, then those with each value of one field, with their counts."""

    list_before_template = "admin/shop/tabs.html"
    tab_field: str
    tab_labels: Sequence[tuple[str, Text]]

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> DeferredPaginator:
        """One that counts for the tabs too."""
        paginator = super().get_paginator(request, *args, **kwargs)
        rows = self.model._default_manager
        paginator.also = {
            f"n_{value}": CappedCount(rows.filter(**{self.tab_field: value}), search.MAX_COUNTED)
            for value, _ in self.tab_labels
        }
        return paginator

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None) or {}
        if "cl" in context:
            context["tabs"] = self._tabs(request, context["cl"].paginator.numbers)
            context["tabs_label"] = self.opts.get_field(self.tab_field).verbose_name
        return answer

    def _tabs(self, request: HttpRequest, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
        lookup = f"{self.tab_field}__exact"
        here = request.GET.get(lookup, "")
        total = sum(numbers[f"n_{value}"] for value, _ in self.tab_labels)
        found: list[tuple[str, Text, int]] = [("", "All", total)]
        found += [(value, label, numbers[f"n_{value}"]) for value, label in self.tab_labels]
        return [
            {
                "label": label,
                "query": f"{lookup}={value}" if value else "",
                "count": count,
                "shown": f"{count:,}"
                if count <= search.MAX_COUNTED
                else f"{search.MAX_COUNTED:,}+",
                "is_here": here == value,
            }
            for value, label, count in found
        ]


class ActionFormAdmin(ModelAdmin):  # type: ignore[misc]
    """Buttons on a record's page. Each leads to a page that asks (GET) and then does it (POST, with token).

    `steps` maps an address to the method that answers it, `step_permission` is the right that they need, and
    `own_permissions` names the methods that need another one.
    """

    steps: dict[str, str] = {}  # noqa: RUF012 - Django's admin options are plain class attributes
    step_permission: str
    own_permissions: dict[str, str] = {}  # noqa: RUF012

    def has_step_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may press the buttons, and the list's (Django asks by this name)."""
        return bool(request.user.has_perm(f"shop.{self.step_permission}"))

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [
            path(
                f"<int:pk>/{address}/",
                self.admin_site.admin_view(self._step(method)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{method}",
            )
            for address, method in self.steps.items()
        ] + urls

    def _step(self, method: str) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, pk: int, **extra: Any) -> HttpResponse:
            own = self.own_permissions.get(method)
            if not (
                request.user.has_perm(f"shop.{own}") if own else self.has_step_permission(request)
            ):
                raise PermissionDenied
            record = get_object_or_404(self.model, pk=pk)
            answer: HttpResponse = getattr(self, method)(request, record, **extra)
            return answer

        return view

    def ask[Form: forms.Form](
        self,
        request: HttpRequest,
        record: models.Model,
        *,
        ask_for: Callable[[Any], Form],
        title: Text,
        button: Text,
        do: Callable[[Form], str],
        hint: str = "",
        other_button: tuple[str, str] | None = None,
    ) -> HttpResponse:
        """Show the form; on POST do it and tell what was done, or say in the form why it was refused.

        `other_button` does it in another way: the name that it posts, and its label.
        """
        form = ask_for(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                run_form_once(request, partial(do, form))
                return self.back(record)
            except (ShopError, ValidationError) as error:
                form.add_error(None, error if isinstance(error, ValidationError) else str(error))
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "original": record,
            "title": title,
            "hint": hint,
            "form": form,
            "button": button,
            "other_button": other_button,
            "back": self.address(record),
            "hidden": [form_key()],
        }
        return TemplateResponse(request, "admin/action_form.html", context)

    def address(self, record: models.Model) -> str:
        """The record's own page; the list's where the record is gone."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if not self.model._default_manager.filter(pk=record.pk).exists():
            return reverse(f"{name}_changelist")
        return reverse(f"{name}_change", args=[record.pk])

    def back(self, record: models.Model) -> HttpResponse:
        """To the record's page."""
        return HttpResponseRedirect(self.address(record))
