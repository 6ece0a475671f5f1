"""Sessions of apps and browsers: open, find, refresh, list, end and purge them."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.models import BrowserSession, Session, User
from shop.services import audit
from shop.services.errors import InvalidToken, NotFound, TokenReused
from shop.services.idempotency import run_once

#: Reuse of a refresh token within this time is a second tab or a lost answer, not theft.
GRACE = timedelta(seconds=10)


@dataclass(frozen=True)
class SignedInDevice:
    """A live session of an app or a browser. `handle` names it without giving access to it."""

    session: Session | BrowserSession
    handle: str
    used_at: datetime

    @property
    def is_browser(self) -> bool:
        """Return whether it is a browser's, and so one of the admin."""
        return isinstance(self.session, BrowserSession)


def open_session(user: User, device: str, client_ip: str = "") -> Session:
    """Create the session of a login on a device."""
    now = timezone.now()
    return Session.objects.create(
        user=user,
        password_hash=user.get_session_auth_hash(),
        device=device[:200],
        client_ip=client_ip[:45],
        created_at=now,
        refreshed_at=now,
        expires_at=now + settings.SESSION_LIFETIME,
    )


def open_session_once(
    user: User, device: str, client_ip: str, key: str, request: str
) -> tuple[Session, bool]:
    """Open a session, or find the one that this request has opened; return whether it has.

    Of concurrent calls with the same key and request, only one opens a session. Raises
    IdempotencyKeyReused; InvalidToken if the session of the first request has ended.
    """
    pk, is_replay = run_once(
        user=user,
        key=key,
        request=request,
        work=lambda: str(open_session(user, device, client_ip).pk),
    )
    return find_session(pk), is_replay


def find_session(pk: str | uuid.UUID) -> Session:
    """Return a session with its user. Raises InvalidToken if it has ended."""
    session = Session.objects.select_related("user").filter(pk=pk).first()
    if session is None or not session.is_live(timezone.now()):
        raise InvalidToken
    return session


def refresh(*, session_id: uuid.UUID, token_id: uuid.UUID) -> Session:
    """Rotate a refresh token and return its session with the successor as `current_token`.

    A used token returns the same successor for GRACE, and until the successor is used: the response
    was lost. Reuse after that suggests theft: it ends the session and raises TokenReused (RFC 9700,
    section 4.14.2). Raises InvalidToken if the session has ended.
    """
    find_session(session_id)
    now = timezone.now()
    successor = {
        "previous_token": F("current_token"),
        "current_token": uuid.uuid4(),
        "successor_used": False,
        "refreshed_at": now,
    }
    rotated = Session.objects.filter(pk=session_id, current_token=token_id).update(**successor)
    session = Session.objects.select_related("user").filter(pk=session_id).first()
    if session is None:
        raise InvalidToken
    may_return = not session.successor_used or now - session.refreshed_at <= GRACE
    if rotated or (session.previous_token == token_id and may_return):
        return session
    end_sessions(session.user, because="token reused", only=session)
    raise TokenReused


def record_successor_use(session: Session) -> None:
    """Record the first call with the access token of a refresh: its answer has arrived."""
    rotated = Session.objects.filter(pk=session.pk, current_token=session.current_token)
    rotated.update(successor_used=True)


@atomically
def end_sessions(
    user: User, *, because: str, only: Session | None = None, by: User | None = None
) -> int:
    """End one session of an app, or all of a user; return how many of apps were live.

    All includes the sessions of browsers, by a new session hash. `by` is logged if staff.
    """
    live = Session.objects.filter(user=user, revoked_at=None)
    if only is None:
        user.end_all_sessions()
    else:
        live = live.filter(pk=only.pk)
    ended = live.update(revoked_at=timezone.now(), revoked_because=because)
    if ended or only is None:
        result = _("all ended") if only is None else _("%(count)d ended") % {"count": ended}
        audit.log(by, user, {_("sessions"): (_("active"), result)})
    return ended


def list_devices(user: User) -> list[SignedInDevice]:
    """Return where the user is signed in now, the last used first.

    One query, and of staff, who alone use a browser, a second one.
    """
    now = timezone.now()
    apps = [
        SignedInDevice(session, _session_handle(session), session.refreshed_at)
        for session in user.sessions.filter(revoked_at=None)
        if session.is_live(now)
    ]
    browsers = [
        SignedInDevice(session, _session_handle(session), session.used_at)
        for session in (user.browser_sessions.all() if user.is_staff else ())
        if session.is_live(now)
    ]
    return sorted(apps + browsers, key=lambda device: device.used_at, reverse=True)


def _session_handle(session: Session | BrowserSession) -> str:
    """Return a name of the session for forms: the key of a browser's would be a password."""
    return salted_hmac("shop.session", str(session.pk), algorithm="sha256").hexdigest()


@atomically
def end_own_session(*, user: User, handle: str) -> None:
    """Sign the user out of one of the devices that `list_devices` returns. Raises NotFound."""
    session = next((d.session for d in list_devices(user) if d.handle == handle), None)
    if session is None:
        raise NotFound
    if isinstance(session, Session):
        end_sessions(user, because="logout", only=session, by=user)
    else:
        session.delete()
        result = _("%(count)d ended") % {"count": 1}
        audit.log(user, user, {_("sessions"): (_("active"), result)})


def purge_sessions() -> int:
    """Delete sessions whose tokens or cookies have all expired; return the count."""
    now = timezone.now()
    expired = Q(expires_at__lt=now) | Q(refreshed_at__lt=now - settings.REFRESH_LIFETIME)
    browsers = BrowserSession.objects.filter(expire_date__lt=now)
    return Session.objects.filter(expired).delete()[0] + browsers.delete()[0]
