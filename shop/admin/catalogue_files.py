"""Import and export of further catalogue models from their lists."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session as SessionRow
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export.admin import ImportMixin
from import_export.formats.base_formats import Format
from import_export.forms import ConfirmImportForm
from import_export.results import Result, RowResult
from import_export.tmp_storages import BaseStorage
from tablib import Dataset  # type: ignore[import-untyped]
from unfold.contrib.import_export.forms import ImportForm

from shop.admin.base import staff_user
from shop.admin.exports import ExportAdmin
from shop.admin.exposed import ExposedModelAdmin
from shop.db.transactions import atomically
from shop.product_files import catalogue_files
from shop.services.errors import FileRefused, ShopError

#: How long a preview can be confirmed.
UPLOAD_LIFETIME = timedelta(hours=1)


class TableFormat(Format):  # type: ignore[misc]
    """CSV or XLSX, whichever the file's content is."""

    def __init__(self, model: Any, encoding: str | None = None) -> None:
        self.model = model

    def get_title(self) -> str:
        return str(_("CSV or Excel (XLSX)"))

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> Dataset:
        return catalogue_files.read_dataset(self.model, in_stream)


class UploadForm(ImportForm):  # type: ignore[misc]
    """Asks for the file."""

    def clean_import_file(self) -> Any:
        """Refuse a large file before it is read."""
        file = self.cleaned_data["import_file"]
        if file.size > catalogue_files.MAX_BYTES:
            message = _("The file is larger than %(limit)s MB. Split it into several files.")
            limit = catalogue_files.MAX_BYTES // 1024 // 1024
            raise forms.ValidationError(message % {"limit": limit}, code="too_large")
        return file


class UploadInMemory(BaseStorage):  # type: ignore[misc]
    """Holds an upload during its request. `keep_upload` keeps it until the preview is confirmed."""

    def save(self, data: bytes) -> None:
        self.data = data

    def read(self) -> bytes:
        return self.data


class CatalogueFiles(ImportMixin, ExportAdmin):  # type: ignore[misc]
    """Adds import, with a preview, and export to the list of a catalogue model."""

    import_form_class = UploadForm
    confirm_form_class = ConfirmImportForm
    import_export_change_list_template = None
    tmp_storage_class = UploadInMemory
    actions = ("export_selected",)

    @property
    def export_permission(self) -> str:  # type: ignore[override]
        return f"view_{self.opts.model_name}"

    def export(
        self, request: HttpRequest, queryset: models.QuerySet[Any], options: dict[str, Any]
    ) -> Iterator[bytes]:
        return catalogue_files.export_records(queryset, **options)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may add and change records."""
        rights = (f"shop.{action}_{self.opts.model_name}" for action in ("add", "change"))
        return all(map(request.user.has_perm, rights))

    def get_import_formats(self) -> list[Any]:
        return [partial(TableFormat, self.model)]

    def get_import_resource_classes(self, request: HttpRequest) -> list[Any]:
        return [catalogue_files.resource_class(self.model)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Add the import link to the list."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_import"
        context = {"import_url": reverse(name)} if self.has_import_permission(request) else {}
        return super().changelist_view(request, context | (extra_context or {}))

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        """Show why the file is refused. Raises what is no refusal."""
        if not isinstance(e, FileRefused):
            raise e
        form.add_error("import_file", str(e))

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Show the form or, for an upload, what it would change; keep it to be confirmed."""
        response: HttpResponse = super().import_action(request, **kwargs)
        context = getattr(response, "context_data", None) or {}
        if "confirm_form" in context:
            file = context["form"].cleaned_data["import_file"]
            file.seek(0)
            token = keep_upload(request, file.read(), _digest(context["result"]))
            context["confirm_form"].initial["import_file_name"] = token
        return response

    def process_import(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        """Apply the upload whose preview is confirmed: all of its rows, or none."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_import_permission(request):
            raise PermissionDenied
        try:
            result = self._apply(request)
        except ShopError as error:
            messages.error(request, str(error))
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_import"
            return HttpResponseRedirect(reverse(name))
        response: HttpResponse = self.process_result(result, request)
        return response

    @atomically
    def _apply(self, request: HttpRequest) -> Result:
        content, digest = take_upload(request, request.POST.get("import_file_name", ""))
        dataset = catalogue_files.read_dataset(self.model, content)
        resource = catalogue_files.resource_class(self.model)()
        result = resource.import_data(dataset, dry_run=False, user=staff_user(request))
        if result.has_errors() or result.has_validation_errors() or _digest(result) != digest:
            raise ShopError(
                _("The records changed after the preview. Nothing was imported. Upload it again.")
            )
        return result

    def add_success_message(self, result: Result, request: HttpRequest) -> None:
        """Say how many records were added and changed."""
        message = _("%(name)s: %(new)d added, %(changed)d changed, %(unchanged)d unchanged.")
        values = {
            "name": capfirst(self.opts.verbose_name_plural),
            "new": result.totals[RowResult.IMPORT_TYPE_NEW],
            "changed": result.totals[RowResult.IMPORT_TYPE_UPDATE],
            "unchanged": result.totals[RowResult.IMPORT_TYPE_SKIP],
        }
        messages.success(request, message % values)

    def generate_log_entries(self, result: Result, request: HttpRequest) -> None:
        """Do nothing, since the service writes the audit log."""


def _digest(result: Result) -> str:
    """Return a hash of what an import changes, by which a changed preview is recognised."""
    rows = [(row.import_type, row.diff) for row in result.rows]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def keep_upload(request: HttpRequest, content: bytes, digest: str) -> str:
    """Keep an upload as a session of its own and return its key.

    All processes share the table of sessions, nobody can download from it, and its rows expire.
    """
    SessionStore.clear_expired()
    upload = SessionStore()
    upload["uploaded_by"], upload["digest"] = staff_user(request).pk, digest
    upload["content"] = base64.b64encode(content).decode()
    upload.set_expiry(UPLOAD_LIFETIME)
    upload.create()
    return str(upload.session_key)


def take_upload(request: HttpRequest, key: str) -> tuple[bytes, str]:
    """Return an upload and the digest of its preview, and remove it, so that it is applied once.

    Raises ShopError if there is none, or if another user has uploaded it.
    """
    upload = SessionStore(key)
    is_own = upload.get("uploaded_by") == staff_user(request).pk
    if not is_own or not SessionRow.objects.filter(session_key=key).delete()[0]:
        raise ShopError(
            _("This import was applied already, or its preview is too old. Upload it again.")
        )
    return base64.b64decode(upload["content"]), upload["digest"]


class CatalogueAdmin(CatalogueFiles, ExposedModelAdmin):
    """The admin of a further catalogue model: nobody has to write one."""
