"""Product files: brought, looked at, applied, taken back; and what became of earlier ones.

The upload's page is the list's "add" page, an import's own page shows it in each of its states. Everything
that writes is a POST that `work.ask` guards by the state in the database.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import content_disposition_header
from unfold.decorators import display

from shop.admin.base import ONCE, ActionFormAdmin, ReadOnlyAdmin, form_key, staff_user
from shop.admin.forms import ConfirmForm
from shop.admin.imports.forms import TermsForm, UploadForm
from shop.admin.imports.page import page_context
from shop.models import ImportRow, ProductImport
from shop.product_files.exports.sample_file import build_sample_file
from shop.product_files.imports import pictures, preview, runner
from shop.product_files.imports.error_report import build_error_report
from shop.services.errors import FileRefused, ImportNotReady, ShopError
from shop.services.idempotency import run_once
from shop.services.import_retention import discard_import

State = ProductImport.State
READING = ("GET", "HEAD")


@admin.register(ProductImport)
class ImportAdmin(ActionFormAdmin, ReadOnlyAdmin):
    """The history, and each import's page."""

    empty = "Nothing of a file is written before you have seen what it would change."
    add_label = "Import products"
    list_display = ("name", "created_at", "actor", "state_pill", "rows", "outcome")
    list_select_related = ("actor",)
    list_filter = ("state",)
    search_fields = ("name", "actor__email", "actor__last_name")
    show_add_link = False
    action_views = {  # noqa: RUF012 - Django's admin options are plain class attributes
        "check": "check_again",
        "apply": "apply",
        "undo": "undo",
        "discard": "discard",
        "now": "do_it_now",
        "to-mend": "to_mend",
        "addresses": "addresses",
    }
    action_permission = "add_productimport"

    def has_action_permission(self, request: HttpRequest) -> bool:
        """An import writes products, so it needs that right besides its own."""
        user = request.user
        return bool(
            user.has_perm("shop.add_productimport") and user.has_perm("shop.change_product")
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_action_permission(request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """As django-import-export asks for it."""
        return self.has_action_permission(request)

    def may_decide(self, request: HttpRequest, product_import: ProductImport) -> bool:
        """Whether it is theirs: nobody confirms what somebody else has looked at."""
        is_theirs = product_import.actor_id == request.user.pk or request.user.is_superuser
        return bool(is_theirs and self.has_action_permission(request))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[ProductImport]:
        found: models.QuerySet[ProductImport] = super().get_queryset(request)
        return found.defer("warnings", "error", "headers", "found", "options")

    def get_urls(self) -> list[URLPattern]:
        sample = self.admin_site.admin_view(self.sample)
        return [path("sample.csv", sample, name="shop_productimport_sample"), *super().get_urls()]

    # The list

    @display(
        description="State",
        ordering="state",
        label={
            State.CHECKED: "warning",
            State.APPLIED: "success",
            State.FAILED: "danger",
            State.CHECKING: "info",
            State.APPLYING: "info",
            State.UNDOING: "info",
        },
    )
    def state_pill(self, product_import: ProductImport) -> tuple[str, str]:
        """Where it is."""
        return product_import.state, product_import.get_state_display()

    @display(description="Rows")
    def rows(self, product_import: ProductImport) -> str:
        """How many of each kind."""
        counts = [(product_import.counts.get(kind), kind) for kind in ImportRow.Status.values]
        return " · ".join(f"{count:,} {kind}" for count, kind in counts if count)

    @display(description="What became of it")
    def outcome(self, product_import: ProductImport) -> str:
        """In numbers, as the service said it."""
        words = ("new", "changed", "left", "pictures", "removed", "restored", "kept")
        return " · ".join(
            f"{product_import.result[word]:,} {word}"
            for word in words
            if product_import.result.get(word)
        )

    # Bringing a file

    def sample(self, request: HttpRequest) -> HttpResponse:
        """A file to begin with."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return _download(request, "sample products.csv", build_sample_file())

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask for the file; keep it, have it checked, and show what it would do."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if is_sent else UploadForm()
        if is_sent and form.is_valid():
            return self._take(request, form.cleaned_data)
        return self._answer(
            request, "upload", {"title": "Import products", "form": form, "once": form_key()}
        )

    def _take(self, request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
        """Sent twice, it is kept once."""

        def keep() -> str:
            upload = preview.store_upload(
                actor=staff_user(request), name=values["file"].name, content=values["content"]
            )
            return str(upload.pk)

        key = f"import {request.POST.get(ONCE, '')[:64]}" if request.POST.get(ONCE) else ""
        pk, again = run_once(
            user=staff_user(request), key=key, request=values["file"].name, work=keep
        )
        if not again:
            runner.request_step(int(pk), runner.CHECK, actor=staff_user(request))
        return HttpResponseRedirect(reverse("admin:shop_productimport_change", args=[pk]))

    # An import's page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What it would do, does, or has done."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        pk = int(object_id) if object_id.isdecimal() else 0
        product_import = get_object_or_404(ProductImport.objects.select_related("actor"), pk=pk)
        return self._page(request, product_import)

    def _page(
        self, request: HttpRequest, product_import: ProductImport, terms: TermsForm | None = None
    ) -> HttpResponse:
        may_decide = self.may_decide(request, product_import)
        context = page_context(product_import, request.GET, may_decide=may_decide, terms=terms)
        return self._answer(request, "page", {"title": product_import.name, **context})

    def _answer(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(
            request, f"admin/shop/productimport/{template}.html", shared | context
        )

    def check_again(self, request: HttpRequest, product_import: ProductImport) -> HttpResponse:
        """Read the file as the clerk says."""
        if request.method != "POST":
            return self.redirect_to_record(product_import)
        form = TermsForm(request.POST, product_import=product_import)
        if not form.is_valid():
            return self._page(request, product_import, form)
        return self._ask(request, product_import, runner.CHECK, options=form.options())

    def apply(self, request: HttpRequest, product_import: ProductImport) -> HttpResponse:
        """Write what the page showed."""
        if request.method != "POST":
            return self.redirect_to_record(product_import)
        try:
            seen = datetime.fromisoformat(request.POST.get("seen", ""))
        except ValueError:
            messages.error(request, "Look at the rows first, then apply them.")
            return self.redirect_to_record(product_import)
        good_only = "good_only" in request.POST
        return self._ask(request, product_import, runner.APPLY, seen=seen, good_only=good_only)

    def undo(self, request: HttpRequest, product_import: ProductImport) -> HttpResponse:
        """Ask, then take it back."""
        hint = (
            "Changed fields get their old values, new products are removed, and stock goes back by as much as"
            " the import moved it. What was ordered or edited since stays, and is named."
        )
        return self._confirm(
            request,
            product_import,
            title=f"Take {product_import} back?",
            hint=hint,
            button="Take it back",
            do=lambda: self._ask(request, product_import, runner.UNDO),
        )

    def discard(self, request: HttpRequest, product_import: ProductImport) -> HttpResponse:
        """Ask, then forget the file and its rows; nothing of it was ever written."""

        def forget() -> HttpResponse:
            self._own(request, product_import)
            try:
                discard_import(import_id=product_import.pk, actor=staff_user(request))
                messages.success(
                    request, f"{product_import} was discarded. No product was changed."
                )
            except ShopError as error:
                messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:shop_productimport_changelist"))

        hint = "The file and its preview are forgotten. No product is changed."
        title = f"Discard {product_import}?"
        return self._confirm(
            request, product_import, title=title, hint=hint, button="Discard file", do=forget
        )

    def do_it_now(self, request: HttpRequest, product_import: ProductImport) -> HttpResponse:
        """Finish in this request what no worker does."""
        if request.method == "POST" and runner.is_abandoned(product_import):
            self._own(request, product_import)
            runner.run_pending_steps(product_import.pk)
        return self.redirect_to_record(product_import)

    def to_mend(self, request: HttpRequest, product_import: ProductImport) -> HttpResponse:
        """The wrong rows, to be corrected and brought again."""
        return _download(request, *build_error_report(product_import))

    def addresses(self, request: HttpRequest, product_import: ProductImport) -> HttpResponse:
        """Where the pictures are that were not fetched."""
        try:
            listed = "".join(
                f"{sku}\t{address}\r\n"
                for sku, address in pictures.remote_picture_urls(product_import)
            )
        except FileRefused as error:
            messages.error(request, str(error))
            return self.redirect_to_record(product_import)
        return _download(request, "picture addresses.txt", listed.encode())

    def _own(self, request: HttpRequest, product_import: ProductImport) -> None:
        if not self.may_decide(request, product_import):
            raise PermissionDenied

    def _ask(
        self, request: HttpRequest, product_import: ProductImport, step: str, **terms: Any
    ) -> HttpResponse:
        """Have it done, or say why it cannot be."""
        self._own(request, product_import)
        try:
            runner.request_step(product_import.pk, step, actor=staff_user(request), **terms)
        except ImportNotReady as error:
            messages.warning(request, str(error))
        return self.redirect_to_record(product_import)

    def _confirm(
        self,
        request: HttpRequest,
        product_import: ProductImport,
        *,
        do: Callable[[], HttpResponse],
        **texts: str,
    ) -> HttpResponse:
        self._own(request, product_import)
        if request.method == "POST":
            return do()
        about = {
            "original": product_import,
            "form": ConfirmForm(),
            "back": self.record_url(product_import),
            **texts,
        }
        shared = self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, "admin/action_form.html", shared | about)


def _download(request: HttpRequest, name: str, content: bytes) -> HttpResponse:
    if request.method not in READING:
        return HttpResponseNotAllowed(READING)
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    headers = {"Content-Disposition": disposition}
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)
