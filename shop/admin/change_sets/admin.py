"""Pages of product imports: upload, preview, apply, undo, and the history.

The list's "add" page uploads a file; an import's own page shows it in each of its states. All
changes are POST requests to `runner.request_step`, which checks the state in the database.
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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from shop.admin.action_form import render_action_form
from shop.admin.base import (
    ActionFormAdmin,
    ReadOnlyAdmin,
    form_key,
    staff_user,
    submitted_key,
)
from shop.admin.change_sets.forms import ReadingOptionsForm, UploadForm
from shop.admin.change_sets.messages import join_counts, summarize_result
from shop.admin.change_sets.page import STATE_ROLES, page_context
from shop.admin.forms import ConfirmForm, is_key
from shop.admin.products.permissions import STOCK_PERMISSION
from shop.admin.rendering import render_label
from shop.models import ChangeRow, ChangeSet
from shop.product_files.exports.sample_file import build_sample_file
from shop.product_files.imports import pictures, preview, runner
from shop.product_files.imports.error_report import build_error_report
from shop.services.change_sets.retention import discard_change_set
from shop.services.errors import FileRefused, ImportNotReady, ShopError
from shop.services.idempotency import run_once

State = ChangeSet.State
#: What it takes to undo a change that was made on a page.
CHANGE_PERMISSIONS = dict.fromkeys(ChangeSet.Kind.values, "shop.change_product") | dict.fromkeys(
    ChangeSet.STOCK_KINDS, STOCK_PERMISSION
)
SAFE_METHODS = ("GET", "HEAD")


@admin.register(ChangeSet)
class ChangeSetAdmin(ActionFormAdmin, ReadOnlyAdmin):
    """The history of changes of many products, and the page of each change."""

    empty_text = gettext_lazy(
        "Product files, deliveries, counts and price changes appear here, and can be undone."
    )
    add_label = gettext_lazy("Import products")
    list_display = (
        "name",
        "kind",
        "created_at",
        "actor",
        "state_label",
        "row_counts",
        "result_text",
    )
    card_corner = "state_label"
    list_select_related = ("actor",)
    list_filter = ("kind", "state")
    search_fields = ("name", "actor__search_text")
    search_help_text = gettext_lazy("File, supplier, delivery note or who")
    show_add_link = False
    action_views = {  # noqa: RUF012 - Django's admin options are plain class attributes
        "preview": "preview_again",
        "apply": "apply",
        "undo": "undo",
        "discard": "discard",
        "run-now": "run_now",
        "error-report": "error_report",
        "picture-urls": "picture_urls",
    }
    action_permission = "add_changeset"
    view_permissions = {"undo": "view_changeset"}  # noqa: RUF012 - and `may_decide`

    def has_action_permission(self, request: HttpRequest) -> bool:
        """Check the permissions to import files and to change products."""
        user = request.user
        return bool(user.has_perm("shop.add_changeset") and user.has_perm("shop.change_product"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_action_permission(request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Check the permission under django-import-export's name for it."""
        return self.has_action_permission(request)

    def may_decide(self, request: HttpRequest, change_set: ChangeSet) -> bool:
        """Return whether the user may apply, discard or undo it.

        Of a file it takes who uploaded it, who reviewed the preview, or a superuser; of what was
        changed on a page, the right to make such a change.
        """
        if change_set.kind == ChangeSet.Kind.FILE:
            is_own = change_set.actor_id == request.user.pk or request.user.is_superuser
            return bool(is_own and self.has_action_permission(request))
        return bool(request.user.has_perm(CHANGE_PERMISSIONS[change_set.kind]))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[ChangeSet]:
        queryset: models.QuerySet[ChangeSet] = super().get_queryset(request)
        return queryset.defer("warnings", "error", "headers", "detected", "options")

    def get_urls(self) -> list[URLPattern]:
        sample = self.admin_site.admin_view(self.sample)
        return [path("sample.csv", sample, name="shop_changeset_sample"), *super().get_urls()]

    # List columns

    @display(description=gettext_lazy("State"), ordering="state")
    def state_label(self, change_set: ChangeSet) -> str:
        """Return the label of the state."""
        role = STATE_ROLES.get(State(change_set.state), "neutral")
        return render_label(role, change_set.get_state_display())

    @display(description=gettext_lazy("Rows"))
    def row_counts(self, change_set: ChangeSet) -> str:
        """Show the number of rows per status."""
        return join_counts(change_set.counts, dict(ChangeRow.Status.choices))

    @display(description=gettext_lazy("Result"))
    def result_text(self, change_set: ChangeSet) -> str:
        """Show the numbers of products that were changed."""
        return summarize_result(change_set)

    # Upload

    def sample(self, request: HttpRequest) -> HttpResponse:
        """Download the sample file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return _download(request, "sample products.csv", build_sample_file())

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask for a file, store it, start its preview and show its page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_post = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if is_post else UploadForm()
        if is_post and form.is_valid():
            return self._store(request, form.cleaned_data)
        context = {"title": _("Import products"), "form": form, "once": form_key()}
        return self._render(request, "upload", context)

    def _store(self, request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
        """Store the upload and request its preview, once per form."""

        def store() -> str:
            upload = preview.store_upload(
                actor=staff_user(request), name=values["file"].name, content=values["content"]
            )
            return str(upload.pk)

        pk, is_repeated = run_once(
            user=staff_user(request),
            key=submitted_key(request),
            request=values["file"].name,
            work=store,
        )
        if not is_repeated:
            runner.request_step(int(pk), runner.PREVIEW, actor=staff_user(request))
        return HttpResponseRedirect(reverse("admin:shop_changeset_change", args=[pk]))

    # The page of an import

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the import in its current state."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in SAFE_METHODS:
            return HttpResponseNotAllowed(SAFE_METHODS)
        pk = int(object_id) if is_key(object_id) else 0
        change_set = get_object_or_404(ChangeSet.objects.select_related("actor"), pk=pk)
        return self._page(request, change_set)

    def _page(
        self,
        request: HttpRequest,
        change_set: ChangeSet,
        form: ReadingOptionsForm | None = None,
    ) -> HttpResponse:
        may_decide = self.may_decide(request, change_set)
        context = page_context(
            change_set, request.GET, user=request.user, may_decide=may_decide, form=form
        )
        return self._render(request, "page", {"title": change_set.name, **context})

    def _render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, f"admin/shop/changeset/{template}.html", shared | context)

    def preview_again(self, request: HttpRequest, change_set: ChangeSet) -> HttpResponse:
        """Preview the file again with the submitted reading options."""
        if request.method != "POST":
            return self.redirect_to_record(change_set)
        form = ReadingOptionsForm(request.POST, change_set=change_set, user=request.user)
        if not form.is_valid():
            return self._page(request, change_set, form)
        return self._request_step(request, change_set, runner.PREVIEW, options=form.options())

    def apply(self, request: HttpRequest, change_set: ChangeSet) -> HttpResponse:
        """Apply the preview that the page showed."""
        if request.method != "POST":
            return self.redirect_to_record(change_set)
        try:
            seen = datetime.fromisoformat(request.POST.get("seen", ""))
        except ValueError:
            messages.error(request, _("Review the rows first, then apply them."))
            return self.redirect_to_record(change_set)
        good_only = "good_only" in request.POST
        return self._request_step(request, change_set, runner.APPLY, seen=seen, good_only=good_only)

    def undo(self, request: HttpRequest, change_set: ChangeSet) -> HttpResponse:
        """Undo; of a file after a confirmation."""
        if change_set.kind != ChangeSet.Kind.FILE:
            if request.method != "POST":
                return self.redirect_to_record(change_set)
            return self._request_step(request, change_set, runner.UNDO)
        return self._confirm(
            request,
            change_set,
            title=_("Undo the import of %(file)s?") % {"file": change_set},
            hint=_(
                "Changed fields get their old values, added products are removed, and the import's"
                " stock changes are reversed. Products that were ordered or edited after the import"
                " are kept and listed."
            ),
            button=_("Undo import"),
            do=lambda: self._request_step(request, change_set, runner.UNDO),
        )

    def discard(self, request: HttpRequest, change_set: ChangeSet) -> HttpResponse:
        """Ask for confirmation, then delete the import; it changed no product."""

        def perform() -> HttpResponse:
            file = {"file": str(change_set)}
            try:
                discard_change_set(change_set_id=change_set.pk, actor=staff_user(request))
                message = _("%(file)s was discarded. No product was changed.")
                messages.success(request, message % file)
            except ShopError as error:
                messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:shop_changeset_changelist"))

        return self._confirm(
            request,
            change_set,
            title=_("Discard %(file)s?") % {"file": change_set},
            hint=_("The file and its preview are deleted. No product is changed."),
            button=_("Discard file"),
            button_kind="danger",
            do=perform,
        )

    def run_now(self, request: HttpRequest, change_set: ChangeSet) -> HttpResponse:
        """Run an abandoned step in this request."""
        if request.method == "POST" and runner.is_abandoned(change_set):
            self._check_may_decide(request, change_set)
            runner.run_pending_steps(change_set.pk)
        return self.redirect_to_record(change_set)

    def error_report(self, request: HttpRequest, change_set: ChangeSet) -> HttpResponse:
        """Download the rows with errors."""
        return _download(request, *build_error_report(change_set))

    def picture_urls(self, request: HttpRequest, change_set: ChangeSet) -> HttpResponse:
        """Download the URLs of pictures on other servers, with their SKUs."""
        try:
            lines = [f"{sku}\t{url}\r\n" for sku, url in pictures.remote_picture_urls(change_set)]
        except FileRefused as error:
            messages.error(request, str(error))
            return self.redirect_to_record(change_set)
        return _download(request, "picture URLs.txt", "".join(lines).encode())

    def _check_may_decide(self, request: HttpRequest, change_set: ChangeSet) -> None:
        if not self.may_decide(request, change_set):
            raise PermissionDenied

    def _request_step(
        self, request: HttpRequest, change_set: ChangeSet, step: str, **options: Any
    ) -> HttpResponse:
        """Request the step, or show why it cannot be requested."""
        self._check_may_decide(request, change_set)
        try:
            runner.request_step(change_set.pk, step, actor=staff_user(request), **options)
        except ImportNotReady as error:
            messages.warning(request, str(error))
        return self.redirect_to_record(change_set)

    def _confirm(
        self,
        request: HttpRequest,
        change_set: ChangeSet,
        *,
        do: Callable[[], HttpResponse],
        title: str,
        button: str,
        **options: str,
    ) -> HttpResponse:
        """Show a confirmation page; on POST call `do`."""
        self._check_may_decide(request, change_set)
        if request.method == "POST":
            return do()
        return render_action_form(
            request,
            self,
            form=ConfirmForm(),
            title=title,
            button=button,
            back_url=self.record_url(change_set),
            original=change_set,
            **options,
        )


def _download(request: HttpRequest, name: str, content: bytes) -> HttpResponse:
    if request.method not in SAFE_METHODS:
        return HttpResponseNotAllowed(SAFE_METHODS)
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    headers = {"Content-Disposition": disposition}
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)
