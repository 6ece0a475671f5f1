"""A code from a telephone beside the password, for staff: set up, asked, taken away (by django-otp)."""

import re
from base64 import b32encode

from django.conf import settings
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from shop.db.transactions import atomically
from shop.models import User
from shop.services import audit
from shop.services.errors import WrongCode

OFF, REQUIRED = "off", "required"
RECOVERY_CODES = 10
#: 160 bits, as hexadecimal digits.
KEY = re.compile(r"[0-9a-f]{40}")


def is_enabled(user: User) -> bool:
    """Whether this person has a second factor."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def is_required(user: User) -> bool:
    """Whether this person's password alone is not enough."""
    policy = settings.SHOP_TWO_FACTOR
    return policy != OFF and user.is_staff and (policy == REQUIRED or is_enabled(user))


def generate_secret() -> str:
    """What shop and telephone are to share."""
    return str(random_hex(20))


def provisioning_uri(*, user: User, key: str) -> str:
    """The `otpauth:` address by which an authenticator app takes the key."""
    return str(TOTPDevice(user=user, key=key).config_url)


def format_secret(key: str) -> str:
    """The key as people type it into an app."""
    letters = b32encode(bytes.fromhex(key)).decode()
    return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def count_recovery_codes(user: User) -> int:
    """How many recovery codes were not used yet."""
    return int(StaticToken.objects.filter(device__user=user).count())


@atomically
def verify_code(*, user: User, code: str) -> Device | None:
    """The device that the code is of; None for a wrong one.

    Each code is accepted once, and each wrong one makes the next wait longer, twice as long each time.
    """
    code = re.sub(r"[\s-]", "", code).lower()
    if not code:
        return None  # forgotten, not guessed: it makes nobody wait
    # Asked each for its own, or a mistyped code would lock the recovery codes as well.
    model = TOTPDevice if re.fullmatch(r"[0-9]{6}", code) else StaticDevice
    device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
    return device if device is not None and device.verify_token(code) else None


@atomically
def enable(*, user: User, key: str, code: str) -> tuple[Device, list[str]]:
    """Take a second factor, shown to work by a code of it, for somebody who has none.

    Gives the recovery codes, which nobody will see again. Raises WrongCode.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    device = TOTPDevice.objects.create(user=user, key=key, name="telephone")
    if (
        TOTPDevice.objects.filter(user=user).count() > 1
        or verify_code(user=user, code=code) != device
    ):
        raise WrongCode
    recovery = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
    audit.log(user, user, {"second factor": ("", "set up")})
    device.refresh_from_db()
    return device, codes


@atomically
def disable(*, user: User, by: User) -> None:
    """Forget somebody's second factor and its recovery codes."""
    for model in (TOTPDevice, StaticDevice):
        model.objects.filter(user=user).delete()
    audit.log(by, user, {"second factor": ("set up", "taken away")})
