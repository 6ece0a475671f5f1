"""Products and orders as files: what the list shows, or what is ticked in it.

Whoever may see products may export them. An export of orders carries the names and addresses of all
customers at once, so it takes the right to work on orders, and not only to look at one after the other.
"""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import models
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminSelectWidget

from shop.admin.base import action_fields
from shop.models import Order, Product
from shop.product_files.exports import order_export, product_export
from shop.product_files.exports.product_export import Address
from shop.product_files.exports.xlsx_writer import MAX_XLSX_ROWS

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ExportForm(forms.Form):
    """What kind of file."""

    file_format = forms.ChoiceField(
        label="File",
        choices=[("csv", "CSV, for any program"), ("xlsx", "XLSX, for Excel and its like")],
        widget=UnfoldAdminSelectWidget,
    )


class ProductExportForm(ExportForm):
    """For whom, too."""

    layout = forms.ChoiceField(
        label="Columns",
        choices=[
            ("own", "Ours: edit it and bring it back"),
            ("shopify", "As Shopify reads them"),
            ("woocommerce", "As WooCommerce reads them"),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("layout", "file_format")


class _Chosen(ChangeList):  # type: ignore[misc]
    """A list's filter and search without its page."""

    def get_results(self, request: HttpRequest) -> None:
        """Nothing: only the question is asked, not its first page."""


class ExportAdmin(ModelAdmin):  # type: ignore[misc]
    """An action and a link, which lead to a page that asks for the kind of file and answers with it.

    It only reads, so that sending the page twice does no harm.
    """

    export_permission: str
    export_form: type[ExportForm] = ExportForm

    def export_rows(self, chosen: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """What becomes a row of the file."""
        return chosen

    def export(
        self, request: HttpRequest, chosen: models.QuerySet[Any], answers: dict[str, Any]
    ) -> Iterator[bytes]:
        """The file in pieces."""
        raise NotImplementedError

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may take files away (Django asks by this name for the action)."""
        return bool(request.user.has_perm(f"shop.{self.export_permission}"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_shown)
        urls: list[URLPattern] = super().get_urls()
        return [
            path("export/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_export"),
            *urls,
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Give the list its link, which takes the filter along."""
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        context = {"export_page": reverse(page)} if self.has_export_permission(request) else {}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        is_export = str(getattr(request.resolver_match, "url_name", "")).endswith("_export")
        found: type[ChangeList] = (
            _Chosen if is_export else super().get_changelist(request, **kwargs)
        )
        return found

    def export_shown(self, request: HttpRequest) -> HttpResponseBase:
        """All that the list shows under the filter in the address."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            chosen = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{back}?e=1")
        query = request.GET.urlencode()
        return self._exported(request, chosen, back=f"{back}?{query}" if query else back)

    @admin.action(description="Export selected %(verbose_name_plural)s", permissions=["export"])
    def export_selected(
        self, request: HttpRequest, chosen: models.QuerySet[Any]
    ) -> HttpResponseBase:
        """What is ticked, or all pages of it."""
        return self._exported(
            request, chosen, back=request.get_full_path(), hidden=action_fields(request)
        )

    def _exported(
        self,
        request: HttpRequest,
        chosen: models.QuerySet[Any],
        *,
        back: str,
        hidden: list[tuple[str, str]] | None = None,
    ) -> HttpResponseBase:
        form = self.export_form(request.POST if "file_format" in request.POST else None)
        if form.is_valid() and not self._is_too_long(form, chosen):
            return self._file(request, chosen, form.cleaned_data)
        return self._ask_for_file(
            request, chosen.count(), form=form, back=back, hidden=hidden or []
        )

    def _is_too_long(self, form: ExportForm, chosen: models.QuerySet[Any]) -> bool:
        if (
            form.cleaned_data["file_format"] != "xlsx"
            or self.export_rows(chosen).count() <= MAX_XLSX_ROWS
        ):
            return False
        form.add_error(
            "file_format", f"A spreadsheet holds {MAX_XLSX_ROWS:,} rows. Take CSV, or choose fewer."
        )
        return True

    def _file(
        self, request: HttpRequest, chosen: models.QuerySet[Any], answers: dict[str, Any]
    ) -> StreamingHttpResponse:
        kind = answers["file_format"]
        name = f"{self.opts.verbose_name_plural}-{timezone.localdate().isoformat()}.{kind}"
        return StreamingHttpResponse(
            self.export(request, chosen, answers),
            content_type=TYPES[kind],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _ask_for_file(self, request: HttpRequest, count: int, **about: Any) -> HttpResponse:
        names = self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural
        context = self.admin_site.each_context(request) | about
        context |= {
            "opts": self.opts,
            "title": f"Export {names}",
            "hint": f"{count:,} {names}, as they are when you press the button.",
            "button": f"Export {count:,} {names}",
        }
        return TemplateResponse(request, "admin/action_form.html", context)


def media_url_builder(request: HttpRequest) -> Address:
    """Where this site serves a stored file, by its name."""
    site = request.build_absolute_uri("/")[:-1]

    def address(name: str) -> str:
        url: str = default_storage.url(name)
        return site + url if url.startswith("/") else url

    return address


class ProductExports(ExportAdmin):
    """The catalogue as a file."""

    export_permission = "view_product"
    export_form = ProductExportForm

    def export(
        self, request: HttpRequest, chosen: models.QuerySet[Product], answers: dict[str, Any]
    ) -> Iterator[bytes]:
        return product_export.export_products(chosen, address=media_url_builder(request), **answers)


class OrderExports(ExportAdmin):
    """Orders as a file, line by line."""

    export_permission = "change_order"

    def export_rows(self, chosen: models.QuerySet[Order]) -> models.QuerySet[Any]:
        return order_export.order_lines(chosen)

    def export(
        self, request: HttpRequest, chosen: models.QuerySet[Order], answers: dict[str, Any]
    ) -> Iterator[bytes]:
        return order_export.export_orders(chosen, **answers)
