"""What the screens share: fields that arrive by themselves, screens that only show, steps that ask first."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from shop import surface
from shop.models import Product, User
from shop.services.errors import ShopError

type Fieldsets = list[tuple[str | None, dict[str, Any]]]


def clerk(request: HttpRequest) -> User:
    """The member of staff who clicks (the admin lets nobody else in)."""
    return cast("User", request.user)


def thumbnail(product: Product) -> str:
    """A product's picture at the size of a line."""
    source = product.image.url if product.image else static("shop/no-picture.svg")
    return format_html('<img class="shop-thumb" src="{}" alt="" loading="lazy">', source)


class SurfaceAdmin(ModelAdmin):  # type: ignore[misc]
    """A screen whose named sections and columns come first and whose other fields follow by themselves."""

    sections: Sequence[tuple[str | None, Sequence[str]]] = ()
    first_columns: Sequence[str] = ()
    not_columns: Sequence[str] = ()
    list_per_page = 25
    warn_unsaved_form = True

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Fieldsets:
        named = {name for _, names in self.sections for name in names}
        every = surface.editable(self.model) + surface.fixed(self.model)
        rest = [name for name in every if name not in named]
        sections: Fieldsets = [(title, {"fields": list(names)}) for title, names in self.sections]
        return sections + ([("More", {"fields": rest})] if rest else [])

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        return surface.fixed(self.model)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        named = {*self.first_columns, *self.not_columns}
        return [*self.first_columns, *(n for n in surface.columns(self.model) if n not in named)]


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """A screen that shows what the shop itself writes."""

    list_per_page = 25

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class Steps(ModelAdmin):  # type: ignore[misc]
    """Buttons on a record's page. Each leads to a page that asks (GET) and then does it (POST, with token).

    `steps` maps an address to the method that answers it, `step_permission` to the right that all need.
    """

    steps: dict[str, str] = {}  # noqa: RUF012 - Django's admin options are plain class attributes
    step_permission: str

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
            if not self.has_step_permission(request):
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
        title: str,
        button: str,
        do: Callable[[Form], str],
        hint: str = "",
    ) -> HttpResponse:
        """Show the form; on POST do it and tell what was done, or say in the form why it was refused."""
        form = ask_for(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                messages.success(request, do(form))
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
            "back": self.address(record),
        }
        return TemplateResponse(request, "admin/step.html", context)

    def address(self, record: models.Model) -> str:
        """The record's own page; the list's where the record is gone."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if not self.model._default_manager.filter(pk=record.pk).exists():
            return reverse(f"{name}_changelist")
        return reverse(f"{name}_change", args=[record.pk])

    def back(self, record: models.Model) -> HttpResponse:
        """To the record's page."""
        return HttpResponseRedirect(self.address(record))
