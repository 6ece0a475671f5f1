"""Sessions of browsers, which are those of the admin: who is signed in, from where, since when.

This module is the SESSION_ENGINE.
"""

from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: The last use is written this often at most, so that few requests write.
USE_RECORDED_EVERY = timedelta(minutes=1)


class BrowserSession(AbstractBaseSession):
    """A browser's session, which `SessionStore` writes; it is nobody's until somebody signs in."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        related_name="browser_sessions",
        verbose_name=_("user"),
    )
    client_ip = models.CharField(_("client IP"), max_length=45, blank=True)
    device = models.CharField(_("device"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("signed in"), default=timezone.now)
    used_at = models.DateTimeField(_("last used"), default=timezone.now)

    class Meta:
        default_permissions = ()
        verbose_name = _("browser session")
        verbose_name_plural = _("browser sessions")

    @classmethod
    def get_session_store_class(cls) -> Any:
        return SessionStore

    def has_expired(self, now: datetime) -> bool:
        """Return whether it is too old, or was not used for SHOP_ADMIN_IDLE_MINUTES."""
        limit = timedelta(minutes=settings.SHOP_ADMIN_IDLE_MINUTES)
        return self.expire_date <= now or (bool(limit) and self.used_at + limit <= now)

    def is_live(self, now: datetime) -> bool:
        """Return whether somebody is signed in by it: not ended or expired, same session hash."""
        if self.user is None or not self.user.is_active or self.has_expired(now):
            return False
        hashes = [self.user.get_session_auth_hash(), *self.user.get_session_auth_fallback_hash()]
        return self.get_decoded().get(HASH_SESSION_KEY) in hashes


class SessionStore(DatabaseSessionStore):
    """Django's own, with `BrowserSession` as its model; reading it takes no further query.

    `client_ip` and `device` are those of the request, which the middleware sets.
    """

    client_ip = device = ""
    signed_in_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        return BrowserSession

    def load(self) -> dict[str, Any]:
        """Return the session's values, and record its use; none if it has ended or expired."""
        row = BrowserSession.objects.filter(session_key=self.session_key).first()
        now = timezone.now()
        if row is None or row.has_expired(now):
            self.flush()
            return {}
        self.signed_in_at = row.created_at
        if row.used_at + USE_RECORDED_EVERY <= now:
            use = {"used_at": now, "client_ip": self.client_ip}
            BrowserSession.objects.filter(pk=row.pk).update(**use)
        values: dict[str, Any] = self.decode(row.session_data)
        return values

    aload: Any = sync_to_async(load)

    def create(self) -> None:
        self.signed_in_at = timezone.now()
        super().create()

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.client_ip, row.device = self.client_ip, self.device[:200]
        row.created_at = self.signed_in_at or row.created_at
        return row
