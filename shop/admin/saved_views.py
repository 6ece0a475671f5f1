"""Saved views: searches and filters of a list that staff save and share."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from shop.admin.base import AuditedAdmin, staff_user
from shop.admin.view_filters import describe_query
from shop.models import SavedView
from shop.models.saved_views import normalize_query

#: URL name of a list -> the value of `SavedView.screen` for it.
SCREENS_BY_URL_NAME = {f"shop_{screen}_changelist": screen for screen in SavedView.Screen.values}


def saved_views_context(request: HttpRequest) -> dict[str, Any] | None:
    """Return the list's saved views, own and shared, and a URL that saves the current one.

    One query. Returns None, without a query, for a page that is no list with saved views.
    """
    match = request.resolver_match
    screen = SCREENS_BY_URL_NAME.get(match.url_name or "") if match else None
    if not screen:
        return None

    own_or_shared = Q(owner=staff_user(request)) | Q(is_shared=True, owner__is_active=True)
    columns = ("name", "query", "owner__email", "owner__first_name", "owner__last_name")
    views = list(
        SavedView.objects.filter(own_or_shared, screen=screen)
        .select_related("owner")
        .only(*columns)
    )

    query = _current_query(request)
    save_url = ""
    if query and query not in {view.query for view in views}:
        parameters = urlencode({"screen": screen, "query": query})
        save_url = f"{reverse('admin:shop_savedview_add')}?{parameters}"
    return {"views": views, "current_query": query, "save_url": save_url}


def _current_query(request: HttpRequest) -> str:
    try:
        return normalize_query(request.GET.urlencode())
    except ValueError:
        return ""


def saved_view_url(view: SavedView) -> str:
    """Return the URL of the list with the view's search and filters."""
    return f"{reverse(f'admin:shop_{view.screen}_changelist')}?{view.query}"


def render_filters(request: HttpRequest, screen: str, query: str) -> str:
    """Return the filters of a view in words, as a list."""
    if screen not in SavedView.Screen.values:
        return ""
    filters = describe_query(request, apps.get_model("shop", screen), query)
    lines = format_html_join(
        "", "<li>{}: {}</li>", ((title, ", ".join(values)) for title, values in filters)
    )
    return format_html('<ul class="shop-view-filters">{}</ul>', lines)


class QueryWidget(forms.HiddenInput):
    """Shows in words what the query string of a view filters, which it keeps."""

    input_type = "text"  # so that the field keeps its label and its errors

    def __init__(self, form: "SavedViewForm") -> None:
        super().__init__()
        self.form = form

    def id_for_label(self, id_: str) -> str:
        return ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        screen, query = str(self.form["screen"].value() or ""), str(value or "")
        return format_html(
            '<input type="hidden" name="{}" value="{}">{}',
            name,
            query,
            render_filters(self.form.request, screen, query),
        )


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]
    """A saved view of the user who submits the form; `get_form` sets `request`."""

    request: HttpRequest

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.owner = staff_user(self.request)
        if "query" in self.fields:  # a colleague's view is read-only
            self.fields["query"].widget = QueryWidget(self)

    def validate_constraints(self) -> None:
        """Check constraints on the owner, too: Django skips fields that the form doesn't have."""
        try:
            self.instance.validate_constraints(exclude=set(self.errors))
        except ValidationError as error:
            self.add_error(None, error)


@admin.register(SavedView)
class SavedViewAdmin(AuditedAdmin):
    """The user's own saved views. Whoever may view a list may save views of it."""

    form = SavedViewForm
    fields = ("name", "is_shared", "screen", "query")
    list_display = ("name", "screen", "is_shared", "open_link")
    card_corner = "open_link"
    empty_text = gettext_lazy(
        "Search or filter orders, products or customers, then click “Save this view” above them."
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        @display(description=_("Filters"))
        def filters(view: SavedView) -> str:
            return render_filters(request, view.screen, view.query)

        name, screen, *others = super().get_list_display(request)
        return [name, screen, filters, *others]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[SavedView]:
        views: models.QuerySet[SavedView] = super().get_queryset(request)
        return views.filter(owner=staff_user(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(self._viewable_screens(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: SavedView | None = None) -> bool:
        return self.has_module_permission(request) if obj is None else obj.owner == request.user

    has_change_permission = has_delete_permission = has_view_permission

    def _viewable_screens(self, request: HttpRequest) -> list[tuple[str, Any]]:
        return [
            (screen, label)
            for screen, label in SavedView.Screen.choices
            if request.user.has_perm(f"shop.view_{screen}")
        ]

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[SavedViewForm]:
        form: type[SavedViewForm] = super().get_form(request, *args, **kwargs)
        form.request = request
        return form

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        choices = [("", _("Choose a list")), *self._viewable_screens(request)]
        return super().formfield_for_choice_field(db_field, request, choices=choices, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Show one Save button only, which leads to the saved view."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, **kwargs)

    def response_post_save_add(self, request: HttpRequest, obj: SavedView) -> HttpResponse:
        return HttpResponseRedirect(saved_view_url(obj))

    @display(description="")
    def open_link(self, view: SavedView) -> str:
        """Return a link to the list with this view."""
        return format_html('<a class="shop-link" href="{}">{}</a>', saved_view_url(view), _("Open"))
