"""People, and the devices on which they are signed in."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from shop.models.base import CleanTextModel


class LowerEmailField(models.EmailField):  # type: ignore[type-arg]
    """An address kept in lower case, whatever was typed, so that unique means unique."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return value.lower() if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value.lower() if isinstance(value, str) else value


class UserManager(BaseUserManager["User"]):
    """Makes people."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """A saved user; ValidationError when a field is wrong or the email is taken."""
        user = self.model(email=email.lower(), **extra)
        user.set_password(password)
        # `createsuperuser` asks for no name.
        user.full_clean(exclude=["first_name", "last_name"] if user.is_superuser else None)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """An admin who may do everything."""
        return self.create_user(email, password, **{**extra, **SUPERUSER_FIELDS})


class User(CleanTextModel, AbstractBaseUser, PermissionsMixin):
    """A customer, or an admin: one who may enter the admin."""

    class Role(models.TextChoices):
        ADMIN = "admin", "Admin"
        CUSTOMER = "customer", "Customer"

    email = LowerEmailField(
        "email",
        unique=True,
        error_messages={"unique": "This email is taken."},
        help_text="What they sign in with, and where mails about orders go.",
    )
    first_name = models.CharField("first name", max_length=100)
    last_name = models.CharField("last name", max_length=100)
    phone = models.CharField(
        "phone", max_length=30, blank=True, help_text="For questions about a delivery."
    )
    role = models.CharField(
        "role",
        max_length=10,
        choices=Role,
        default=Role.CUSTOMER,
        help_text="An admin may enter the back office and do there what groups or “superuser” allow.",
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Switch off instead of deleting: it signs out at once."
    )
    created_at = models.DateTimeField("created at", default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=Q(role__in=["admin", "customer"]), name="user_role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(is_superuser=False) | Q(role="admin"),
                name="user_superuser_is_admin",
                violation_error_message="A superuser has the role Admin.",
            ),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="user_newest"),
            models.Index(fields=["last_name", "-created_at", "-id"], name="user_by_name"),
        )

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def get_full_name(self) -> str:
        """First and last name (Django and the admin ask by this name)."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_staff(self) -> bool:
        """Whether the admin lets them in (Django asks by this name)."""
        return self.role == self.Role.ADMIN


SUPERUSER_FIELDS = {"role": User.Role.ADMIN, "is_superuser": True}


class Session(models.Model):
    """One login on one device: what its tokens belong to, and what ends them all at once.

    Only the newest refresh token works. The one before it is remembered so that its return within
    seconds (two tabs, a lost answer) is told from a theft.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # session_of_user begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions", db_index=False
    )
    password_hash = models.CharField(max_length=64, editable=False)
    current = models.UUIDField("current refresh token", default=uuid.uuid4, editable=False)
    previous = models.UUIDField("refresh token before", null=True, editable=False)
    device = models.CharField("device", max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField("signed in", default=timezone.now, editable=False)
    refreshed_at = models.DateTimeField("last refreshed", default=timezone.now, editable=False)
    expires_at = models.DateTimeField("ends at the latest", editable=False)
    revoked_at = models.DateTimeField("ended", null=True, blank=True, editable=False)
    revoked_because = models.CharField("why", max_length=30, blank=True, editable=False)

    class Meta:
        ordering = ("-refreshed_at",)
        indexes = (models.Index(fields=["user", "-refreshed_at"], name="session_of_user"),)

    def __str__(self) -> str:
        return f"{self.user}, {self.device or 'unknown device'}"

    def is_live(self, now: datetime) -> bool:
        """Whether its tokens work: not ended or run out, and neither user nor password changed since."""
        return (
            self.revoked_at is None
            and self.expires_at > now
            and self.refreshed_at + settings.REFRESH_LIFETIME > now
            and self.user.is_active
            and self.password_hash == self.user.get_session_auth_hash()
        )
