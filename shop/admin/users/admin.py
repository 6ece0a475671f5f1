"""The admin of users, their rights, and their API sessions."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Permission
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from shop import exposure
from shop.admin.base import AuditedAdmin, ReadOnlyAdmin, staff_user
from shop.admin.exposed import ExposedListAdmin
from shop.admin.forms import ModelErrorsForm
from shop.admin.rendering import render_age, render_label
from shop.admin.users.customers import CustomerAdmin, can_manage_user, keep_own_session
from shop.admin.users.groups import group_field
from shop.models import Session, User
from shop.services.sessions import end_sessions

PERMISSION_FIELDS = ("role", "groups", "is_superuser", "user_permissions")
#: Fields with a place of their own on the page, or none.
PLACED_FIELDS = (
    *PERMISSION_FIELDS,
    "id",
    "password",
    "session_version",
    "last_login",
    "created_at",
)
COLUMNS = ("name", "phone", "role", "is_active", "joined")
HIDDEN_COLUMNS = (*PLACED_FIELDS, "email", "first_name", "last_name")


def detail_fields() -> list[str]:
    """Return the names of all other fields of a user, whether the account is active last."""
    names = exposure.names_of(exposure.all_fields(User))
    details = [name for name in names if name not in PLACED_FIELDS]
    return sorted(details, key="is_active".__eq__)


def new_user_fields() -> list[str]:
    """Return the names of those that are filled in when a customer is added."""
    editable = exposure.editable_fields(User)
    return [name for name in detail_fields() if name in editable and name != "is_active"]


class NewCustomerForm(ModelErrorsForm):
    """Adds a customer, who chooses a password by a reset email; colleagues are invited."""

    class Meta:
        model = User
        fields = new_user_fields()

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        self.instance.set_unusable_password()
        user: User = super().save(commit)
        return user


class ExistingUserForm(ModelErrorsForm):
    """Changes a user, but not the password, which nobody else ever knows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rights: Any = self.fields.get("user_permissions")
        if rights:
            rights.queryset = self.instance.user_permissions.select_related("content_type")


class OwnRightsField(forms.ModelMultipleChoiceField[Permission]):
    """Rights that somebody has beside those of their groups, each with a box to take it away."""

    def label_from_instance(self, obj: Permission) -> str:
        return obj.name


@admin.register(User)
class UserAdmin(CustomerAdmin, DjangoUserAdmin, ExposedListAdmin, AuditedAdmin):  # type: ignore[misc, type-arg]
    """Customers and staff. Only superusers change roles and permissions."""

    empty_text = gettext_lazy("Customers appear here when they register in an app.")
    form = ExistingUserForm
    add_form = NewCustomerForm
    add_form_template = "admin/change_form.html"
    add_label = gettext_lazy("Add customer")
    list_display = COLUMNS
    first_columns = COLUMNS
    hidden_columns = HIDDEN_COLUMNS
    card_corner = "role"
    list_filter = ("role", "is_active")
    hidden_filters = (*HIDDEN_COLUMNS, "phone")
    ordering = ("-created_at", "-id")  # type: ignore[misc]
    search_fields = ("search_text",)  # type: ignore[misc]
    search_help_text = gettext_lazy("Name, email or phone")  # type: ignore[misc]
    dates = ("created_at", "last_login")
    add_fieldsets = ((None, {"fields": new_user_fields()}),)

    @display(description=gettext_lazy("Name"), ordering="last_name")
    def name(self, user: User) -> str:
        """Return first and last name, with the email below, and whether they are invited."""
        return format_html(
            '<span class="shop-user-name">{} {}<small>{}</small></span>',
            user.get_full_name(),
            render_label("warning", _("Invited")) if user.is_invited else "",
            user.email,
        )

    @display(description=gettext_lazy("Joined"), ordering="created_at")
    def joined(self, user: User) -> str:
        """Return the age of the account."""
        return render_age(user.created_at)

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """Show rights to superusers only, and of staff only; others see that it is staff."""
        if not isinstance(obj, User):
            return self.add_fieldsets
        rights: tuple[str, ...] = ()
        if obj.is_staff or request.user.is_superuser:
            rights = ("role",)
        if obj.is_staff and request.user.is_superuser:
            rights = PERMISSION_FIELDS if obj.user_permissions.exists() else PERMISSION_FIELDS[:-1]
        return (
            (None, {"fields": detail_fields()}),
            *(((_("What they may do"), {"fields": rights}),) if rights else ()),
            (_("Dates"), {"fields": self.dates}),
        )

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Show groups as cards, and rights of one user only to be taken away."""
        if db_field.name == "groups":
            return group_field()
        if db_field.name == "user_permissions":
            return OwnRightsField(
                Permission.objects.none(),
                required=False,
                label=_("Rights of their own"),
                help_text=_("Clear a box to take the right away. Give rights by groups."),
                widget=UnfoldAdminCheckboxSelectMultipleWidget,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """Return the URLs without Django's page that sets somebody else's password."""
        urls: list[URLPattern] = super().get_urls()
        return [url for url in urls if url.name != "auth_user_password_change"]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Add a customer; a colleague is invited instead."""
        context = {"title": _("Add customer"), **(extra_context or {})}
        response: HttpResponse = super().add_view(request, form_url, context)
        return response

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> tuple[str, ...]:
        read_only = (*self.dates, *exposure.read_only_fields(User))
        if request.user.is_superuser:
            return read_only
        # Whoever can change an email can take over the account by a password reset.
        return (*read_only, *PERMISSION_FIELDS, *(("email",) if obj else ()))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may be changed: staff only by superusers and themselves."""
        return can_manage_user(request, obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: orders and stock movements refer to users. Deactivate them instead."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Save the changed fields only, so that a concurrent password change is kept.

        A user whose rights change is signed out everywhere.
        """
        if not change:
            return super().save_model(request, obj, form, change)
        columns = {field.name for field in obj._meta.concrete_fields}
        changed = set(form.changed_data)
        obj.save(update_fields=columns & changed)
        if changed & {*PERMISSION_FIELDS, "is_active"}:
            end_sessions(obj, because="rights changed", by=staff_user(request))
            keep_own_session(request, obj)
        return None


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """API sessions, one per signed-in device."""

    empty_text = gettext_lazy("A session appears here when a customer signs in to an app.")
    list_display = ("user", "device", "live", "created_at", "refreshed_at", "revoked_because")
    card_title = "user"
    card_corner = "live"
    list_select_related = ("user",)
    search_fields = ("user__search_text", "device")
    search_help_text = gettext_lazy("Customer or device")
    actions = ("sign_out",)

    @display(description=gettext_lazy("Active"), boolean=True)
    def live(self, session: Session) -> bool:
        """Return whether the session's tokens are valid now."""
        return session.is_live(timezone.now())

    def has_sign_out_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may end sessions; Django calls it for `permissions=`."""
        return bool(request.user.has_perm("shop.change_session"))

    @action(description=gettext_lazy("Sign out selected devices"), permissions=["sign_out"])
    def sign_out(self, request: HttpRequest, sessions: models.QuerySet[Session]) -> None:
        """End the selected sessions, except those of staff whom the user can't manage."""
        ended = sum(
            end_sessions(session.user, because="staff", only=session, by=staff_user(request))
            for session in sessions.select_related("user")
            if can_manage_user(request, session.user)
        )
        message = ngettext("%(count)d device signed out.", "%(count)d devices signed out.", ended)
        messages.success(request, message % {"count": ended})
