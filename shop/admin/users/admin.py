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
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from shop.admin.base import AuditedAdmin, ReadOnlyAdmin, render_age, staff_user
from shop.admin.changelists import LargeTableAdmin
from shop.admin.users.customers import CustomerAdmin, can_manage_user
from shop.models import Session, User
from shop.services import accounts

RIGHTS = ("role", "is_superuser", "groups", "user_permissions")


class NewUserForm(UserCreationForm):  # type: ignore[misc]
    """A new person. Staff are given a password; a customer sets their own, by "forgot password"."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "phone", *RIGHTS)

    def clean(self) -> dict[str, Any]:
        """Nobody but a customer knows a customer's password, from the first day on."""
        if self.cleaned_data.get("role", User.Role.CUSTOMER) == User.Role.CUSTOMER:
            if self.cleaned_data.get("password1"):
                self.add_error(
                    "password1", "Customers choose their own password: leave this empty."
                )
            self.cleaned_data |= {"usable_password": "false"}
        values: dict[str, Any] = super().clean() or self.cleaned_data
        return values


class PersonForm(UserChangeForm):  # type: ignore[misc]
    """A person. Nothing of a customer's password is on the page, not even that there is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.is_staff:
            del self.fields["password"]


@admin.register(User)
class UserAdmin(CustomerAdmin, DjangoUserAdmin, LargeTableAdmin, AuditedAdmin):  # type: ignore[misc, type-arg]
    """Customers and staff. Only a superuser decides who is staff, and what staff may do."""

    empty = "Customers appear here when they register in an app."
    form = PersonForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("name", "phone", "role", "is_active", "joined")
    list_filter = ("role", "is_active")
    ordering = ("-created_at", "-id")
    search_fields = ("email", "first_name", "last_name", "phone")
    search_help_text = "Name, email or phone"
    readonly_fields = ("created_at", "last_login")
    details = ("email", "first_name", "last_name", "phone", "is_active")
    add_fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name", "phone")}),
        ("Rights", {"fields": ("role", "is_superuser", "groups")}),
        (
            "Password",
            {
                "fields": ("password1", "password2"),
                "description": "For staff only. Customers choose their own, by “forgot password”.",
            },
        ),
    )

    @display(description="Name", ordering="last_name")
    def name(self, user: User) -> str:
        """First and last name, with the email below."""
        return format_html(
            '<span class="shop-who">{} <small>{}</small></span>', user.get_full_name(), user.email
        )

    @display(description="Joined", ordering="created_at")
    def joined(self, user: User) -> str:
        """How long ago."""
        return render_age(user.created_at)

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """Rights are for superusers and what staff have; to others it is only said who is staff."""
        if obj is None:
            return self.add_fieldsets if request.user.is_superuser else self.add_fieldsets[:1]
        is_staff = isinstance(obj, User) and obj.is_staff
        decides = is_staff and request.user.is_superuser
        rights = RIGHTS if decides else ("role",) if is_staff or request.user.is_superuser else ()
        return (
            (None, {"fields": (*self.details, *(("password",) if decides else ()))}),
            *((("Rights", {"fields": rights}),) if rights else ()),
            ("Dates", {"fields": self.readonly_fields}),
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> tuple[str, ...]:
        fixed = tuple(super().get_readonly_fields(request, obj))
        if request.user.is_superuser:
            return fixed
        # An email is where a password's reset is sent.
        return (*fixed, *RIGHTS, *(("email",) if obj else ()))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff are changed by superusers; a staff member's own rights end at customers and themselves."""
        return can_manage_user(request, obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody is deleted, since orders and ledger name them; they are switched off."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Write what was edited and nothing else: a password that its owner changes meanwhile stays."""
        if not change:
            return super().save_model(request, obj, form, change)
        mine = {field.name for field in obj._meta.concrete_fields}
        return obj.save(update_fields=mine & set(form.changed_data))

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set a staff member's password; a customer's is nobody's business."""
        user = self.get_object(request, id)
        if not request.user.is_superuser or (isinstance(user, User) and not user.is_staff):
            raise PermissionDenied
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        return answer


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Devices that are signed in to the API."""

    empty = "A device appears here when a customer signs in with it in an app."
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
        """End the selected sessions at once, except those of other staff."""
        ended = sum(
            accounts.end_sessions(
                session.user, because="staff", only=session, by=staff_user(request)
            )
            for session in sessions.select_related("user")
            if can_manage_user(request, session.user)
        )
        messages.success(request, f"{ended} signed out.")


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, AuditedAdmin):  # type: ignore[misc]
    """Sets of rights."""

    empty = (
        "A group is a set of rights with a name, such as Packing. Add one, then give it to staff."
    )
