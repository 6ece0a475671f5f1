"""Filters that members of staff keep for a list, and share."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from shop.admin.base import AuditedAdmin, staff_user
from shop.models import SavedView, User
from shop.models.saved_views import normalize_query

SCREENS = {f"shop_{screen}_changelist": screen for screen in SavedView.Screen.values}


def saved_views_context(request: HttpRequest) -> dict[str, Any] | None:
    """What stands above a list that keeps filters: mine, the shared ones, and where to keep this one.

    One query; None, without a query, for every other page.
    """
    match = request.resolver_match
    screen = SCREENS.get(match.url_name or "") if match else None
    if not screen:
        return None
    here = _query_of(request)
    mine_and_shared = Q(owner=staff_user(request)) | Q(is_shared=True, owner__is_active=True)
    shown = ("name", "query", "owner__email", "owner__first_name", "owner__last_name")
    kept = list(
        SavedView.objects.filter(mine_and_shared, screen=screen)
        .select_related("owner")
        .only(*shown)
    )
    is_new = bool(here) and here not in {one.query for one in kept}
    wanted = urlencode({"screen": screen, "query": here})
    keep = f"{reverse('admin:shop_savedview_add')}?{wanted}" if is_new else ""
    return {"here": here, "kept": kept, "keep": keep}


def _query_of(request: HttpRequest) -> str:
    try:
        return normalize_query(request.GET.urlencode())
    except ValueError:
        return ""


def view_url(kept: SavedView) -> str:
    """The list as it was kept."""
    return f"{reverse(f'admin:shop_{kept.screen}_changelist')}?{kept.query}"


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]
    """A filter of the one who asks."""

    owner: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.owner = self.owner

    def validate_constraints(self) -> None:
        """Check the constraints with the owner too. Django's skips those on fields not in the form."""
        try:
            self.instance.validate_constraints(exclude=set(self.errors))
        except ValidationError as error:
            self.add_error(None, error)


@admin.register(SavedView)
class SavedViewAdmin(AuditedAdmin):
    """One's own filters. Who may see a list may keep filters for it; nobody touches those of others."""

    form = SavedViewForm
    fields = ("name", "is_shared", "screen", "query")
    list_display = ("name", "screen", "is_shared", "open")
    empty = (
        "Search or filter orders, products or people, then press “Keep this filter” above the list."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[SavedView]:
        found: models.QuerySet[SavedView] = super().get_queryset(request)
        return found.filter(owner=staff_user(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(self._lists(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(self._lists(request))

    def has_view_permission(self, request: HttpRequest, obj: SavedView | None = None) -> bool:
        return self.has_module_permission(request) if obj is None else obj.owner == request.user

    has_change_permission = has_delete_permission = has_view_permission

    def _lists(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The lists that this member of staff may see."""
        lists = SavedView.Screen.choices
        return [
            (screen, label)
            for screen, label in lists
            if request.user.has_perm(f"shop.view_{screen}")
        ]

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[SavedViewForm]:
        form: type[SavedViewForm] = super().get_form(request, *args, **kwargs)
        form.owner = staff_user(request)
        return form

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_choice_field(
            db_field, request, choices=[("", "Choose a list"), *self._lists(request)], **kwargs
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """One button: after it, one wants to see the list."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, **kwargs)

    def response_post_save_add(self, request: HttpRequest, obj: SavedView) -> HttpResponse:
        return HttpResponseRedirect(view_url(obj))

    @display(description="")
    def open(self, kept: SavedView) -> str:
        """Leads to the list."""
        return format_html('<a class="shop-link" href="{}">Open</a>', view_url(kept))
