"""The admin of users, their permissions, their API sessions, and groups."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from shop import exposure
from shop.admin.base import AuditedAdmin, ReadOnlyAdmin, staff_user
from shop.admin.exposed import ExposedListAdmin
from shop.admin.forms import ModelErrorsForm
from shop.admin.rendering import render_age
from shop.admin.users.customers import CustomerAdmin, can_manage_user, keep_own_session
from shop.models import Session, User
from shop.services.sessions import end_sessions
from shop.text_validation import clean_line

PERMISSION_FIELDS = ("role", "is_superuser", "groups", "user_permissions")
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
    """Return the names of those that are filled in when a user is added."""
    editable = exposure.editable_fields(User)
    return [name for name in detail_fields() if name in editable and name != "is_active"]


class NewUserForm(ModelErrorsForm, UserCreationForm):  # type: ignore[misc]
    """Adds a user. Staff get a password here; customers choose their own by a reset email."""

    class Meta:
        model = User
        fields = (*new_user_fields(), *PERMISSION_FIELDS)

    def clean(self) -> dict[str, Any]:
        """Refuse a password for a customer, so that nobody else ever knows it."""
        if self.cleaned_data.get("role", User.Role.CUSTOMER) == User.Role.CUSTOMER:
            if self.cleaned_data.get("password1"):
                self.add_error(
                    "password1", _("Leave this empty: customers choose their own password.")
                )
            self.cleaned_data |= {"usable_password": "false"}
        values: dict[str, Any] = super().clean() or self.cleaned_data
        return values


class ExistingUserForm(ModelErrorsForm, UserChangeForm):  # type: ignore[misc]
    """Changes a user. Customers have no password field, since it shows part of the hash."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.is_staff:
            del self.fields["password"]


class SetPasswordForm(AdminPasswordChangeForm):  # type: ignore[misc]
    """Sets a member of staff's password."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        """Save the password only, so that a concurrent change of other fields is kept."""
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


@admin.register(User)
class UserAdmin(CustomerAdmin, DjangoUserAdmin, ExposedListAdmin, AuditedAdmin):  # type: ignore[misc, type-arg]
    """Customers and staff. Only superusers change roles and permissions."""

    empty_text = gettext_lazy("Customers appear here when they register in an app.")
    form = ExistingUserForm
    add_form = NewUserForm
    change_password_form = SetPasswordForm
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
    add_fieldsets = (
        (None, {"fields": new_user_fields()}),
        (gettext_lazy("Permissions"), {"fields": ("role", "is_superuser", "groups")}),
        (
            gettext_lazy("Password"),
            {
                "fields": ("password1", "password2"),
                "description": gettext_lazy("For staff only. Customers choose their own."),
            },
        ),
    )

    @display(description=gettext_lazy("Name"), ordering="last_name")
    def name(self, user: User) -> str:
        """Return first and last name, with the email below."""
        return format_html(
            '<span class="shop-user-name">{} <small>{}</small></span>',
            user.get_full_name(),
            user.email,
        )

    @display(description=gettext_lazy("Joined"), ordering="created_at")
    def joined(self, user: User) -> str:
        """Return the age of the account."""
        return render_age(user.created_at)

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """Show permissions to superusers only, and of staff only; others see that it is staff."""
        if obj is None:
            return self.add_fieldsets if request.user.is_superuser else self.add_fieldsets[:1]

        is_staff = isinstance(obj, User) and obj.is_staff
        password: tuple[str, ...] = ()
        permissions: tuple[str, ...] = ()
        if is_staff and request.user.is_superuser:
            password, permissions = ("password",), PERMISSION_FIELDS
        elif is_staff or request.user.is_superuser:
            permissions = ("role",)
        return (
            (None, {"fields": (*detail_fields(), *password)}),
            *(((_("Permissions"), {"fields": permissions}),) if permissions else ()),
            (_("Dates"), {"fields": self.dates}),
        )

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

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        """Let superusers set a staff member's password. Raises PermissionDenied for customers."""
        user = self.get_object(request, id)
        if not request.user.is_superuser or (isinstance(user, User) and not user.is_staff):
            raise PermissionDenied
        response: HttpResponse = super().user_change_password(request, id, form_url)
        return response


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


admin.site.unregister(Group)


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    """A group, whose name is cleaned like every text of the shop."""

    def clean_name(self) -> str:
        """Return the name normalised. Raises ValidationError if nothing of it is visible."""
        try:
            name = clean_line(self.cleaned_data["name"])
        except ValueError as error:
            raise ValidationError(str(error), code="characters") from error
        if not name:
            raise ValidationError(self.fields["name"].error_messages["required"], code="required")
        return name


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, AuditedAdmin):  # type: ignore[misc]
    """Groups of permissions."""

    form = GroupForm
    empty_text = gettext_lazy(
        "A group is a named set of permissions, such as Packing. Add one, then add staff to it."
    )
