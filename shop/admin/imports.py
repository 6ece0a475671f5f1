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

from shop.admin.base import ONCE, ReadOnlyAdmin, Steps, clerk, fresh_key
from shop.admin.forms import NothingToAsk
from shop.admin.import_forms import TermsForm, UploadForm
from shop.admin.import_page import context_of
from shop.exchange import checking, pictures, work
from shop.exchange.fixit import fixit_file
from shop.exchange.sample import sample_file
from shop.models import Import, ImportRow
from shop.services.errors import FileRefused, ImportNotReady, ShopError
from shop.services.idempotency import once
from shop.services.import_files import discard

State = Import.State
READING = ("GET", "HEAD")


@admin.register(Import)
class ImportAdmin(Steps, ReadOnlyAdmin):
    """The history, and each import's page."""

    empty = "Nothing of a file is written before you have seen what it would change."
    add_label = "Import products"
    list_display = ("name", "created_at", "actor", "state_pill", "rows", "outcome")
    list_select_related = ("actor",)
    list_filter = ("state",)
    search_fields = ("name", "actor__email", "actor__last_name")
    show_add_link = False
    steps = {  # noqa: RUF012 - Django's admin options are plain class attributes
        "check": "check_again",
        "apply": "apply",
        "undo": "undo",
        "discard": "discard",
        "now": "do_it_now",
        "to-mend": "to_mend",
        "addresses": "addresses",
    }
    step_permission = "add_import"

    def has_step_permission(self, request: HttpRequest) -> bool:
        """An import writes products, so it needs that right besides its own."""
        user = request.user
        return bool(user.has_perm("shop.add_import") and user.has_perm("shop.change_product"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_step_permission(request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """As django-import-export asks for it."""
        return self.has_step_permission(request)

    def may_decide(self, request: HttpRequest, import_: Import) -> bool:
        """Whether it is theirs: nobody confirms what somebody else has looked at."""
        is_theirs = import_.actor_id == request.user.pk or request.user.is_superuser
        return bool(is_theirs and self.has_step_permission(request))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Import]:
        found: models.QuerySet[Import] = super().get_queryset(request)
        return found.defer("warnings", "error", "headers", "found", "options")

    def get_urls(self) -> list[URLPattern]:
        sample = self.admin_site.admin_view(self.sample)
        return [path("sample.csv", sample, name="shop_import_sample"), *super().get_urls()]

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
    def state_pill(self, import_: Import) -> tuple[str, str]:
        """Where it is."""
        return import_.state, import_.get_state_display()

    @display(description="Rows")
    def rows(self, import_: Import) -> str:
        """How many of each kind."""
        counts = [(import_.counts.get(kind), kind) for kind in ImportRow.Verdict.values]
        return " · ".join(f"{count:,} {kind}" for count, kind in counts if count)

    @display(description="What became of it")
    def outcome(self, import_: Import) -> str:
        """In numbers, as the service said it."""
        words = ("new", "changed", "left", "pictures", "removed", "restored", "kept")
        return " · ".join(f"{import_.result[word]:,} {word}" for word in words if import_.result.get(word))

    # Bringing a file

    def sample(self, request: HttpRequest) -> HttpResponse:
        """A file to begin with."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return _download(request, "sample products.csv", sample_file())

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for the file; keep it, have it checked, and show what it would do."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if is_sent else UploadForm()
        if is_sent and form.is_valid():
            return self._take(request, form.cleaned_data)
        return self._answer(
            request, "upload", {"title": "Import products", "form": form, "once": fresh_key()}
        )

    def _take(self, request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
        """Sent twice, it is kept once."""

        def keep() -> str:
            upload = checking.upload(
                actor=clerk(request), name=values["file"].name, content=values["content"]
            )
            return str(upload.pk)

        key = f"import {request.POST.get(ONCE, '')[:64]}" if request.POST.get(ONCE) else ""
        pk, again = once(user=clerk(request), key=key, request=values["file"].name, work=keep)
        if not again:
            work.ask(int(pk), work.CHECK, actor=clerk(request))
        return HttpResponseRedirect(reverse("admin:shop_import_change", args=[pk]))

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
        import_ = get_object_or_404(Import.objects.select_related("actor"), pk=pk)
        return self._page(request, import_)

    def _page(self, request: HttpRequest, import_: Import, terms: TermsForm | None = None) -> HttpResponse:
        may_decide = self.may_decide(request, import_)
        context = context_of(import_, request.GET, may_decide=may_decide, terms=terms)
        return self._answer(request, "page", {"title": import_.name, **context})

    def _answer(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, f"admin/shop/import/{template}.html", shared | context)

    def check_again(self, request: HttpRequest, import_: Import) -> HttpResponse:
        """Read the file as the clerk says."""
        if request.method != "POST":
            return self.back(import_)
        form = TermsForm(request.POST, import_=import_)
        if not form.is_valid():
            return self._page(request, import_, form)
        return self._ask(request, import_, work.CHECK, options=form.options())

    def apply(self, request: HttpRequest, import_: Import) -> HttpResponse:
        """Write what the page showed."""
        if request.method != "POST":
            return self.back(import_)
        try:
            seen = datetime.fromisoformat(request.POST.get("seen", ""))
        except ValueError:
            messages.error(request, "Look at the rows first, then apply them.")
            return self.back(import_)
        good_only = "good_only" in request.POST
        return self._ask(request, import_, work.APPLY, seen=seen, good_only=good_only)

    def undo(self, request: HttpRequest, import_: Import) -> HttpResponse:
        """Ask, then take it back."""
        hint = (
            "Changed fields get their old values, new products are removed, and stock goes back by as much as"
            " the import moved it. What was ordered or edited since stays, and is named."
        )
        return self._confirm(
            request,
            import_,
            title=f"Take {import_} back?",
            hint=hint,
            button="Take it back",
            do=lambda: self._ask(request, import_, work.UNDO),
        )

    def discard(self, request: HttpRequest, import_: Import) -> HttpResponse:
        """Ask, then forget the file and its rows; nothing of it was ever written."""

        def forget() -> HttpResponse:
            self._own(request, import_)
            try:
                discard(import_id=import_.pk, actor=clerk(request))
                messages.success(request, f"{import_} was discarded. No product was changed.")
            except ShopError as error:
                messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:shop_import_changelist"))

        hint = "The file and its preview are forgotten. No product is changed."
        title = f"Discard {import_}?"
        return self._confirm(request, import_, title=title, hint=hint, button="Discard file", do=forget)

    def do_it_now(self, request: HttpRequest, import_: Import) -> HttpResponse:
        """Finish in this request what no worker does."""
        if request.method == "POST" and work.is_forgotten(import_):
            self._own(request, import_)
            work.carry_out(import_.pk)
        return self.back(import_)

    def to_mend(self, request: HttpRequest, import_: Import) -> HttpResponse:
        """The wrong rows, to be corrected and brought again."""
        return _download(request, *fixit_file(import_))

    def addresses(self, request: HttpRequest, import_: Import) -> HttpResponse:
        """Where the pictures are that were not fetched."""
        try:
            listed = "".join(f"{sku}\t{address}\r\n" for sku, address in pictures.addresses(import_))
        except FileRefused as error:
            messages.error(request, str(error))
            return self.back(import_)
        return _download(request, "picture addresses.txt", listed.encode())

    def _own(self, request: HttpRequest, import_: Import) -> None:
        if not self.may_decide(request, import_):
            raise PermissionDenied

    def _ask(self, request: HttpRequest, import_: Import, step: str, **terms: Any) -> HttpResponse:
        """Have it done, or say why it cannot be."""
        self._own(request, import_)
        try:
            work.ask(import_.pk, step, actor=clerk(request), **terms)
        except ImportNotReady as error:
            messages.warning(request, str(error))
        return self.back(import_)

    def _confirm(
        self,
        request: HttpRequest,
        import_: Import,
        *,
        do: Callable[[], HttpResponse],
        **texts: str,
    ) -> HttpResponse:
        self._own(request, import_)
        if request.method == "POST":
            return do()
        about = {"original": import_, "form": NothingToAsk(), "back": self.address(import_), **texts}
        shared = self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, "admin/step.html", shared | about)


def _download(request: HttpRequest, name: str, content: bytes) -> HttpResponse:
    if request.method not in READING:
        return HttpResponseNotAllowed(READING)
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    headers = {"Content-Disposition": disposition}
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)
