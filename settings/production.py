"""Production: does not start without its required variables; HTTPS unless DJANGO_HTTPS is false."""

import re

from settings import env

env.require_production(env.load_variables())

from settings.base import *  # noqa: E402, F403
from settings.base import ENVIRONMENT  # noqa: E402

DEBUG = False

SECURE_SSL_REDIRECT = ENVIRONMENT.https
# The API refuses plain HTTP itself, except for its health check.
SECURE_REDIRECT_EXEMPT = ["^" + re.escape(f"{ENVIRONMENT.script_name}/api".lstrip("/")) + "(/|$)"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.https
if ENVIRONMENT.https:
    # Browsers accept a `__Host-` cookie only over HTTPS and only from this host.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = ENVIRONMENT.https
if ENVIRONMENT.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "shop.json_logging.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
