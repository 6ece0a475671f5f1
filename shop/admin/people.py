"""People, their rights, and the devices on which they are signed in."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from shop.admin.base import ReadOnlyAdmin
from shop.models import Session, User
from shop.services import accounts

RIGHTS = ("role", "is_superuser", "groups", "user_permissions")


class NewUserForm(UserCreationForm):  # type: ignore[misc]
    """A new person."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "phone", *RIGHTS)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """Customers and staff. Only a superuser decides who is staff, and what staff may do."""

    form = UserChangeForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "phone", "role", "is_active", "created_at", "last_login")
    list_filter = ("role", "is_active")
    list_per_page = 25
    ordering = ("-created_at", "-id")
    search_fields = ("email", "first_name", "last_name", "phone")
    readonly_fields = ("created_at", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name", "phone", "is_active", "password")}),
        ("Rights", {"fields": RIGHTS}),
        ("Dates", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name", "phone")}),
        ("Rights", {"fields": ("role", "is_superuser", "groups")}),
        ("Password", {"fields": ("usable_password", "password1", "password2")}),
    )

    @display(description="Name", ordering="last_name")
    def name(self, user: User) -> str:
        """First and last name."""
        return user.get_full_name()

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> tuple[str, ...]:
        fixed = tuple(super().get_readonly_fields(request, obj))
        if request.user.is_superuser:
            return fixed
        # An email is where a password's reset is sent.
        return (*fixed, *RIGHTS, *(("email",) if obj else ()))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff are changed by superusers; a staff member's own rights end at customers and themselves."""
        mine = obj is None or not obj.is_staff or obj == request.user or request.user.is_superuser
        return mine and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody is deleted, since orders and ledger name them; they are switched off."""
        return False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Set a staff member's password; a customer's is nobody's business."""
        user = self.get_object(request, id)
        if not request.user.is_superuser or (isinstance(user, User) and not user.is_staff):
            raise PermissionDenied
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        return answer


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Devices that are signed in to the API."""

    list_display = ("user", "device", "live", "created_at", "refreshed_at", "revoked_because")
    list_select_related = ("user",)
    search_fields = ("user__email", "device")
    actions = ("sign_out",)

    @display(description="Live", boolean=True)
    def live(self, session: Session) -> bool:
        """Whether its tokens work now."""
        return session.is_live(timezone.now())

    def has_sign_out_permission(self, request: HttpRequest) -> bool:
        """Whoever may change sessions may end them."""
        return bool(request.user.has_perm("shop.change_session"))

    @action(description="Sign out selected devices", permissions=["sign_out"])
    def sign_out(self, request: HttpRequest, sessions: models.QuerySet[Session]) -> None:
        """End the selected sessions at once."""
        ended = sum(
            accounts.end_sessions(session.user, because="staff", only=session)
            for session in sessions.select_related("user")
        )
        messages.success(request, f"{ended} signed out.")


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Sets of rights."""
