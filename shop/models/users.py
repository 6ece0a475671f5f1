"""Users, and their API sessions."""

import hashlib
import unicodedata
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop import exposure
from shop.db.phone_search import ContactSearchField
from shop.db.text_folding import NAME_COLLATION
from shop.models.base import CleanTextModel


class LowerEmailField(models.EmailField):  # type: ignore[type-arg]
    """An email address, stored and looked up in lower case, so that it is unique in any case."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return value.lower() if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value.lower() if isinstance(value, str) else value


class UserManager(BaseUserManager["User"]):
    """Creates users."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create a user. Raises ValidationError for an invalid field or an email in use."""
        user = self.model(email=email.lower(), **extra)
        user.set_password(password)
        # `createsuperuser` asks for nothing else.
        unasked = exposure.customer_writable_fields(self.model) if user.is_superuser else []
        user.full_clean(exclude=set(unasked) - extra.keys())
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create a member of staff with all permissions."""
        return self.create_user(email, password, **{**extra, **SUPERUSER_FIELDS})


class User(CleanTextModel, AbstractBaseUser, PermissionsMixin):
    """A customer or a member of staff. Staff can sign in to the admin.

    A field added here appears in registration and profile, the admin, exports and erasure.
    """

    #: Fields that the API never contains.
    STAFF_ONLY: ClassVar[frozenset[str]] = frozenset(
        {
            "password",
            "last_login",
            "is_superuser",
            "is_active",
            "session_version",
            "groups",
            "user_permissions",
        }
    )
    #: Fields that customers see, and only staff change.
    READ_ONLY_FOR_CUSTOMERS: ClassVar[frozenset[str]] = frozenset({"email", "role"})
    #: Fields that are not personal. All others are erased with the customer's data.
    KEPT_WHEN_ERASED: ClassVar[frozenset[str]] = frozenset(
        {"role", "is_superuser", "session_version", "created_at"}
    )

    class Role(models.TextChoices):
        ADMIN = "admin", _("Staff")
        CUSTOMER = "customer", _("Customer")

    email = LowerEmailField(
        _("email"),
        unique=True,
        error_messages={"unique": _("This email is taken.")},
        help_text=_("For signing in, and for emails about orders."),
    )
    first_name = models.CharField(_("first name"), max_length=100, db_collation=NAME_COLLATION)
    last_name = models.CharField(_("last name"), max_length=100, db_collation=NAME_COLLATION)
    phone = models.CharField(
        _("phone"), max_length=30, blank=True, help_text=_("For questions about a delivery.")
    )
    role = models.CharField(
        _("role"),
        max_length=10,
        choices=Role,
        default=Role.CUSTOMER,
        help_text=_("Staff can sign in to the back office. Groups say what they can do there."),
    )
    is_superuser = models.BooleanField(
        _("full access"),
        default=False,
        help_text=_(
            "For owners of the shop: they may do everything, also invite colleagues and say what"
            " these may do."
        ),
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Clear this to close the account and sign it out on all devices."),
    )
    session_version = models.PositiveIntegerField(_("session version"), default=0, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    search_text = ContactSearchField(
        fields=("email", "first_name", "last_name", "phone"), phone="phone"
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("customers and staff")
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
                violation_error_message=_("Only staff can have full access."),
            ),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="user_newest"),
            models.Index(fields=["last_name", "-created_at", "-id"], name="user_by_name"),
        )

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def get_full_name(self) -> str:
        """Return first and last name; Django calls it."""
        return f"{self.first_name} {self.last_name}".strip()

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(_normalize_password(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        return super().check_password(_normalize_password(raw_password))

    async def acheck_password(self, raw_password: str | None) -> bool:
        return await super().acheck_password(_normalize_password(raw_password))

    @property
    def is_staff(self) -> bool:
        """Return whether the user can sign in to the admin; Django reads it."""
        return self.role == self.Role.ADMIN

    @property
    def is_invited(self) -> bool:
        """Return whether this is a colleague who has not accepted the invitation yet."""
        return self.is_staff and not self.has_usable_password()

    def get_session_auth_hash(self) -> str:
        """Return what a session stores, of an app or a browser; it ends when this changes.

        Covers the password, `session_version`, whether the user is staff and, of staff, whether
        they are a superuser, and the two-factor policy.
        A customer's is Django's own until their first `end_all_sessions`.
        """
        return self._add_session_facts(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Return the same under each of SECRET_KEY_FALLBACKS; Django calls it."""
        return map(self._add_session_facts, super().get_session_auth_fallback_hash())

    def _add_session_facts(self, password_hash: str) -> str:
        facts = f"{password_hash} {self.session_version}"
        if self.is_staff:
            facts += f" {self.is_superuser} {settings.SHOP_TWO_FACTOR}"
        elif not self.session_version:
            return password_hash
        return hashlib.sha256(facts.encode()).hexdigest()

    def end_all_sessions(self) -> None:
        """End every session of apps and browsers, this one's too, by a new session hash."""
        User.objects.filter(pk=self.pk).update(session_version=F("session_version") + 1)
        self.refresh_from_db(fields=["session_version"])


def hash_password(password: str) -> str:
    """Return the hash of a password, as `User.set_password` stores it."""
    return make_password(_normalize_password(password))


def _normalize_password(password: Any) -> Any:
    """Return a password in NFC: keyboards differ in how they send an accented letter."""
    return unicodedata.normalize("NFC", password) if isinstance(password, str) else password


SUPERUSER_FIELDS = {"role": User.Role.ADMIN, "is_superuser": True}


class Session(models.Model):
    """One login on one device. Its tokens are valid as long as the session is.

    Only the current refresh token works. The previous one is stored to tell its reuse after a lost
    response, or in a second tab, from a theft.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The index session_of_user starts with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="sessions",
        db_index=False,
        verbose_name=_("user"),
    )
    password_hash = models.CharField(_("password hash"), max_length=64, editable=False)
    current_token = models.UUIDField(_("current refresh token"), default=uuid.uuid4, editable=False)
    previous_token = models.UUIDField(_("previous refresh token"), null=True, editable=False)
    # Without a previous token there is nothing to protect, so a new session counts as used.
    successor_used = models.BooleanField(_("new tokens used"), default=True, editable=False)
    device = models.CharField(_("device"), max_length=200, blank=True, editable=False)
    client_ip = models.CharField(_("client IP"), max_length=45, blank=True, editable=False)
    created_at = models.DateTimeField(_("signed in"), default=timezone.now, editable=False)
    refreshed_at = models.DateTimeField(_("last refreshed"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), editable=False)
    revoked_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    revoked_because = models.CharField(_("reason"), max_length=30, blank=True, editable=False)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ("-refreshed_at",)
        indexes = (models.Index(fields=["user", "-refreshed_at"], name="session_of_user"),)

    def __str__(self) -> str:
        return f"{self.user}, {self.device or _('unknown device')}"

    def is_live(self, now: datetime) -> bool:
        """Return whether the session is valid: not ended or expired, user active, same hash."""
        return (
            self.revoked_at is None
            and self.expires_at > now
            and self.refreshed_at + settings.REFRESH_LIFETIME > now
            and self.user.is_active
            and self.password_hash == self.user.get_session_auth_hash()
        )
