"""Export of products and orders: all that a list shows, or what is selected in it.

Whoever may view products may export them. An order export holds the names and addresses of many
customers, so it has a permission of its own.
"""

import tempfile
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import model_ngettext
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import models
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminSelectWidget

from shop.admin.action_form import render_action_form
from shop.admin.base import action_fields
from shop.admin.list_parameters import CheckedChangeList
from shop.models import Order, Product
from shop.product_files.exports import order_export, product_export
from shop.product_files.exports.export_formats import UrlBuilder
from shop.product_files.exports.xlsx_writer import MAX_XLSX_ROWS

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: Holds the name of the file that was sent last.
DOWNLOAD_COOKIE = "shop_download"


def file_response(chunks: Iterable[bytes], *, name: str, file_format: str) -> FileResponse:
    """Write the whole file to disk, then send it with its length.

    A streamed export that fails half-way would look complete: runserver, and proxies that speak
    HTTP/1.0 to us, mark the end of a response of unknown length only by closing the connection.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    try:
        file.writelines(chunks)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{name}.{file_format}",
        content_type=CONTENT_TYPES[file_format],
    )


class ExportForm(forms.Form):
    """Asks for the file format."""

    file_format = forms.ChoiceField(
        label=gettext_lazy("File format"),
        choices=[("csv", gettext_lazy("CSV")), ("xlsx", gettext_lazy("Excel (XLSX)"))],
        widget=UnfoldAdminSelectWidget,
    )


class ProductExportForm(ExportForm):
    """Asks for the columns too."""

    layout = forms.ChoiceField(
        label=gettext_lazy("Columns"),
        choices=[
            ("own", gettext_lazy("All fields, to edit and import again")),
            ("shopify", gettext_lazy("Shopify")),
            ("woocommerce", gettext_lazy("WooCommerce")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("layout", "file_format")


class OrderExportForm(ExportForm):
    """Asks what a row is, too."""

    rows = forms.ChoiceField(
        label=gettext_lazy("Rows"),
        choices=[
            ("order", gettext_lazy("One row per order")),
            ("item", gettext_lazy("One row per item")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("rows", "file_format")


class _FilteredChangeList(CheckedChangeList):
    """A changelist's filters and search, without fetching a page of results."""

    def read_results(self, request: HttpRequest) -> None:
        """Only let the database evaluate the query string: just the queryset is used."""
        self.result_list: list[Any] = []
        if self.get_filters_params():
            self.queryset.exists()


class ExportAdmin(ModelAdmin):  # type: ignore[misc]
    """Adds an export action and a link to the list. Both lead to a form that returns the file.

    The form only reads, so submitting it twice does no harm.
    """

    export_permission: str
    export_form: type[ExportForm] = ExportForm

    def export_rows(
        self, queryset: models.QuerySet[Any], options: dict[str, Any]
    ) -> models.QuerySet[Any]:
        """Return the records that become the file's rows; `options` as for `export`."""
        return queryset

    def export(
        self, request: HttpRequest, queryset: models.QuerySet[Any], options: dict[str, Any]
    ) -> Iterator[bytes]:
        """Yield the file in chunks; `options` is the form's cleaned data."""
        raise NotImplementedError

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Check the permission to export (Django calls this by its name for the action)."""
        return bool(request.user.has_perm(f"shop.{self.export_permission}"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_list)
        urls: list[URLPattern] = super().get_urls()
        return [
            path("export/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_export"),
            *urls,
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Add the export link to the list; the template appends the current filters."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        context = {"export_url": reverse(name)} if self.has_export_permission(request) else {}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        is_export = str(getattr(request.resolver_match, "url_name", "")).endswith("_export")
        changelist: type[ChangeList] = (
            _FilteredChangeList if is_export else super().get_changelist(request, **kwargs)
        )
        return changelist

    def export_list(self, request: HttpRequest) -> HttpResponseBase:
        """Export all that the list shows under the filters in the query string."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{back}?e=1")
        query = request.GET.urlencode()
        back = f"{back}?{query}" if query else back
        if changelist.filter_errors:  # the list shows them
            return HttpResponseRedirect(back)
        return self._export_response(request, changelist.queryset, back=back)

    @admin.action(
        description=gettext_lazy("Export selected %(verbose_name_plural)s"), permissions=["export"]
    )
    def export_selected(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> HttpResponseBase:
        """Export the selected records, or all pages of the list."""
        return self._export_response(
            request, queryset, back=request.get_full_path(), hidden=action_fields(request)
        )

    def _export_response(
        self,
        request: HttpRequest,
        queryset: models.QuerySet[Any],
        *,
        back: str,
        hidden: list[tuple[str, str]] | None = None,
    ) -> HttpResponseBase:
        """Return the file if the form is valid, else the form."""
        form = self.export_form(request.POST if "file_format" in request.POST else None)
        if form.is_valid() and self._fits_format(form, queryset):
            return self._file_response(request, queryset, form.cleaned_data)
        return self._form_response(
            request, queryset.count(), form=form, back_url=back, hidden=hidden or []
        )

    def _fits_format(self, form: ExportForm, queryset: models.QuerySet[Any]) -> bool:
        if form.cleaned_data["file_format"] != "xlsx":
            return True
        if self.export_rows(queryset, form.cleaned_data).count() <= MAX_XLSX_ROWS:
            return True
        message = _("An Excel sheet holds up to %(rows)s rows. Choose CSV, or export fewer.")
        form.add_error("file_format", message % {"rows": f"{MAX_XLSX_ROWS:,}"})
        return False

    def _file_response(
        self, request: HttpRequest, queryset: models.QuerySet[Any], options: dict[str, Any]
    ) -> FileResponse:
        """Return the records as a file, and a cookie from which the page sees that it has come."""
        file_format = options["file_format"]
        name = f"{self.opts.verbose_name_plural}-{timezone.localdate().isoformat()}"
        response = file_response(
            self.export(request, queryset, options), name=name, file_format=file_format
        )
        # A download leaves the page as it is: the page reads from this that the file has come.
        response.set_cookie(
            DOWNLOAD_COOKIE,
            quote(f"{name}.{file_format}"),
            max_age=60,
            path=reverse("admin:index"),
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Strict",
        )
        return response

    def _form_response(self, request: HttpRequest, count: int, **options: Any) -> HttpResponse:
        records = {"count": f"{count:,}", "names": model_ngettext(self.opts, count)}
        return render_action_form(
            request,
            self,
            title=_("Export %(names)s") % records,
            hint=_("%(count)s %(names)s") % records,
            button=_("Export %(count)s %(names)s") % records,
            download_cookie=DOWNLOAD_COOKIE,
            **options,
        )


def media_url_builder(request: HttpRequest) -> UrlBuilder:
    """Return a function that gives the absolute URL of a stored file."""
    site = request.build_absolute_uri("/")[:-1]

    def build_url(name: str) -> str:
        url: str = default_storage.url(name)
        return site + url if url.startswith("/") else url

    return build_url


class ProductExports(ExportAdmin):
    """Exports products."""

    export_permission = "view_product"
    export_form = ProductExportForm

    def export(
        self, request: HttpRequest, queryset: models.QuerySet[Product], options: dict[str, Any]
    ) -> Iterator[bytes]:
        build_url = media_url_builder(request)
        return product_export.export_products(queryset, build_url=build_url, **options)


class OrderExports(ExportAdmin):
    """Exports orders, one row per order or per item."""

    export_permission = "export_order"
    export_form = OrderExportForm

    def export_rows(
        self, queryset: models.QuerySet[Order], options: dict[str, Any]
    ) -> models.QuerySet[Any]:
        return order_export.export_rows(queryset, options["rows"])

    def export(
        self, request: HttpRequest, queryset: models.QuerySet[Order], options: dict[str, Any]
    ) -> Iterator[bytes]:
        return order_export.export_orders(queryset, **options)
