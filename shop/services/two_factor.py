"""Two-factor authentication of staff by time-based codes (RFC 6238) and recovery codes."""

import re
from base64 import b32encode

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from shop.db.transactions import atomically
from shop.models import User
from shop.services import audit, sessions
from shop.services.errors import WrongCode

OFF, REQUIRED = "off", "required"
RECOVERY_CODES = 10
SECRET_BYTES = 20
#: A secret in hexadecimal.
KEY = re.compile(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}")

AUDIT_NAME = gettext_lazy("two-factor authentication")


def is_enabled(user: User) -> bool:
    """Return whether the user has turned on two-factor authentication."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def is_required(user: User) -> bool:
    """Return whether the user needs a code to sign in."""
    policy = settings.SHOP_TWO_FACTOR
    return policy != OFF and user.is_staff and (policy == REQUIRED or is_enabled(user))


def generate_secret() -> str:
    """Return a new secret to share with an authenticator app, in hexadecimal."""
    return str(random_hex(SECRET_BYTES))


def provisioning_uri(*, user: User, key: str) -> str:
    """Return the `otpauth:` URI from which an authenticator app reads the secret."""
    return str(TOTPDevice(user=user, key=key).config_url)


def format_secret(key: str) -> str:
    """Return the secret in base32, in groups of four, to be typed into an app."""
    letters = b32encode(bytes.fromhex(key)).decode()
    return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def count_recovery_codes(user: User) -> int:
    """Return the number of unused recovery codes."""
    return int(StaticToken.objects.filter(device__user=user).count())


@atomically
def verify_code(*, user: User, code: str) -> Device | None:
    """Return the device that the code belongs to, or None for a wrong code.

    A code is accepted once. Each wrong one doubles the time until the next is accepted.
    """
    code = re.sub(r"[\s-]", "", code).lower()
    if not code:
        return None  # not a guess, so it must not start a waiting time
    # Only one kind of device is tried, so that a wrong code does not lock the other kind as well.
    model = TOTPDevice if re.fullmatch(r"[0-9]{6}", code) else StaticDevice
    device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
    return device if device is not None and device.verify_token(code) else None


@atomically
def enable(*, user: User, key: str, code: str) -> tuple[Device, list[str]]:
    """Turn on two-factor authentication with a secret whose current code the user has entered.

    Returns the device and the recovery codes, which are readable this once. Ends every session.
    Raises WrongCode, also if it is on already.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    device = TOTPDevice.objects.create(user=user, key=key, name="authenticator app")
    is_second = TOTPDevice.objects.filter(user=user).count() > 1
    if is_second or verify_code(user=user, code=code) != device:
        raise WrongCode
    recovery = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [StaticToken.random_token() for _number in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
    audit.log(user, user, {str(AUDIT_NAME): (_("off"), _("on"))})
    sessions.end_sessions(user, because="two-factor on", by=user)
    device.refresh_from_db()
    return device, codes


@atomically
def disable(*, user: User, by: User) -> None:
    """Turn off a user's two-factor authentication, delete the recovery codes, end every session."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    devices = [model.objects.filter(user=user).delete()[0] for model in (TOTPDevice, StaticDevice)]
    if any(devices):
        audit.log(by, user, {str(AUDIT_NAME): (_("on"), _("off"))})
        sessions.end_sessions(user, because="two-factor off", by=by)
