"""Codes and devices of two-factor authentication."""

from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

KEY = "3132333435363738393031323334353637383930"  # RFC 6238, appendix B
RECOVERY = "abcdefgh"


def code_at(moment, key=KEY):
    """Return the six-digit code that an authenticator app shows at a Unix time."""
    totp = TOTP(bytes.fromhex(key))
    totp.time = moment
    return f"{totp.token():06}"


def create_device(user):
    """Turn on two-factor authentication for the user, with KEY and the recovery code RECOVERY."""
    device = TOTPDevice.objects.create(user=user, key=KEY)
    recovery = StaticDevice.objects.create(user=user)
    StaticToken.objects.create(device=recovery, token=RECOVERY)
    return device
