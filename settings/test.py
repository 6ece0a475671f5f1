"""Tests: the database of DATABASE_URL; all other values are fixed, regardless of `.env`."""

import tempfile
from pathlib import Path

from settings import env
from settings.base import *  # noqa: F403
from settings.base import DATABASES

DEBUG = False
ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
FORCE_SCRIPT_NAME, STATIC_URL, MEDIA_URL = None, "/static/", "/media/"
# A file, because several processes and threads share it.
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["TEST"] = {"NAME": str(env.ROOT / ".test.sqlite3")}
else:
    # Test data need not survive a power failure.
    DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"
TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
CACHES = {"default": env.parse_cache_url("locmem://")}
MAILERS = {"default": env.parse_email_url("dummy://")}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True  # no collectstatic in tests
MEDIA_ROOT = Path(tempfile.gettempdir()) / "shop-test-media"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECRET_KEY = "for-the-tests-only-" * 3
JWT_SIGNING_KEYS = ["for-the-tests-only-tokens-" * 2]
SHOP_NAME = OTP_TOTP_ISSUER = "Test Shop"
SHOP_CURRENCY = "EUR"
SHOP_IMPRINT = ""
SHOP_FONTS = []
SHOP_ENVIRONMENT = ""
SHOP_DEVELOPMENT_COMMANDS = True
SHOP_PAYMENT_METHODS = list(env.PAYMENT_METHODS)
SHOP_PUBLIC_CATALOG = False
SHOP_RESET_URL = SHOP_ORDER_URL = ""
SHOP_TAX_RATE = None
SHOP_TWO_FACTOR = "off"
SHOP_ADMIN_IDLE_MINUTES = 0
SHOP_TRUSTED_PROXIES = 0
SHOP_RATES = dict.fromkeys(("login", "register", "api"), env.Rate(100_000, 60))
CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
