"""The environment, read in one typed place that fails loudly.

Every variable that the shop knows is a field of `Environment`; `.env.example` lists them for people.
A file `.env` in the project's folder is read too, and a real variable wins over it.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
SECRETS = ("DJANGO_SECRET_KEY", "JWT_SIGNING_KEY")
REQUIRED_IN_PRODUCTION = (*SECRETS, "DJANGO_ALLOWED_HOSTS", "DATABASE_URL", "EMAIL_URL")
KEY_BYTES = 32
PERIODS = {"s": 1, "sec": 1, "min": 60, "hour": 3600, "day": 86400}
MAIL_SECURITY: dict[str, dict[str, bool]] = {
    "smtp": {},
    "smtp+tls": {"use_tls": True},
    "smtps": {"use_ssl": True},
}


@dataclass(frozen=True)
class Rate:
    """At most `calls` within `seconds`."""

    calls: int
    seconds: int


@dataclass(frozen=True)
class Environment:
    """What the environment says, parsed: the only thing that settings take from it."""

    debug: bool
    secret_key: str
    jwt_signing_keys: list[str]
    allowed_hosts: list[str]
    csrf_trusted_origins: list[str]
    cors_allowed_origins: list[str]
    https: bool
    trusted_proxies: int
    database: dict[str, Any]
    cache: dict[str, Any]
    mailer: dict[str, Any]
    mail_from: str
    media_root: Path
    shop_name: str
    shop_currency: str
    shop_imprint: str
    shop_environment: str
    public_catalog: bool
    second_factor: str
    reset_url: str
    rate_login: Rate
    rate_register: Rate
    rate_api: Rate


def require_production(variables: Mapping[str, str]) -> None:
    """Refuse to start in production without secrets of its own; names everything that is missing."""
    wrong = [f"{name} is missing" for name in REQUIRED_IN_PRODUCTION if not variables.get(name)]
    found = {
        SECRETS[0]: [variables.get(SECRETS[0], "")],
        SECRETS[1]: words(variables.get(SECRETS[1], "")),
    }
    short = [
        name
        for name, given in found.items()
        if any(0 < len(key.encode()) < KEY_BYTES for key in given)
    ]
    wrong += [f"{name} is shorter than {KEY_BYTES} bytes" for name in short]
    if not wrong and variables[SECRETS[0]] in found[SECRETS[1]]:
        wrong.append("DJANGO_SECRET_KEY and JWT_SIGNING_KEY are the same")
    _refuse(wrong)


def read(variables: Mapping[str, str]) -> Environment:
    """Parse the variables, or raise one ImproperlyConfigured that names everything that is wrong."""
    wrong: list[str] = []

    def take[T](name: str, default: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(variables.get(name) or default)
        except ValueError as error:
            wrong.append(f"{name}: {error}")
            return parse(default)

    environment = Environment(
        debug=take("DJANGO_DEBUG", "true", flag),
        secret_key=take("DJANGO_SECRET_KEY", "for-development-only-" * 3, str),
        jwt_signing_keys=take("JWT_SIGNING_KEY", "for-development-only-tokens-" * 2, keys),
        allowed_hosts=take("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", words),
        csrf_trusted_origins=take("CSRF_TRUSTED_ORIGINS", "", words),
        cors_allowed_origins=take("CORS_ALLOWED_ORIGINS", "", words),
        https=take("DJANGO_HTTPS", "true", flag),
        trusted_proxies=take("SHOP_TRUSTED_PROXIES", "0", count),
        database=take("DATABASE_URL", "sqlite:///db.sqlite3", database),
        cache=take("CACHE_URL", "locmem://", cache),
        mailer=take("EMAIL_URL", "console://", mailer),
        mail_from=take("DEFAULT_FROM_EMAIL", "shop@localhost", str),
        media_root=take("MEDIA_ROOT", ".media", lambda text: ROOT / text),
        shop_name=take("SHOP_NAME", "Fern & Ember", str),
        shop_currency=take("SHOP_CURRENCY", "EUR", currency),
        shop_imprint=take("SHOP_IMPRINT", "", str),
        shop_environment=take("SHOP_ENVIRONMENT", "", str),
        public_catalog=take("SHOP_PUBLIC_CATALOG", "false", flag),
        second_factor=take("SHOP_TWO_FACTOR", "off", second_factor),
        reset_url=take("SHOP_RESET_URL", "", str),
        rate_login=take("SHOP_RATE_LOGIN", "10/min", rate),
        rate_register=take("SHOP_RATE_REGISTER", "10/min", rate),
        rate_api=take("SHOP_RATE_API", "600/min", rate),
    )
    _refuse(wrong)
    return environment


def dotenv(path: Path) -> dict[str, str]:
    """`NAME=value` lines of a file; comments, blank lines and quotes around a value are dropped."""
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def everything() -> dict[str, str]:
    """The process environment over the project's `.env` file."""
    return dotenv(ROOT / ".env") | os.environ


def flag(text: str) -> bool:
    """Yes or no in the usual spellings."""
    known = {"true": True, "1": True, "yes": True, "on": True}
    known |= {"false": False, "0": False, "no": False, "off": False}
    if text.lower() not in known:
        raise ValueError(f"'{text}' is neither true nor false")
    return known[text.lower()]


def words(text: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text.split(",") if word.strip()]


def keys(text: str) -> list[str]:
    """A comma-separated list of one key or more."""
    if not words(text):
        raise ValueError("there is no key in it")
    return words(text)


def count(text: str) -> int:
    """A number, 0 or more."""
    if not re.fullmatch(r"\d+", text):
        raise ValueError(f"'{text}' is not a number such as 0 or 1")
    return int(text)


def currency(text: str) -> str:
    """An ISO 4217 code, such as EUR."""
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError(f"'{text}' is not a currency code such as EUR")
    return text


def second_factor(text: str) -> str:
    """Whether staff may or must have one."""
    if text not in {"off", "optional", "required"}:
        raise ValueError(f"'{text}' is neither off, optional nor required")
    return text


def rate(text: str) -> Rate:
    """A number of calls in a period: `10/min`."""
    found = re.fullmatch(r"([1-9]\d*)/([a-z]+)", text)
    if not found or found[2] not in PERIODS:
        raise ValueError(f"'{text}' is not a rate such as 10/min ({', '.join(PERIODS)})")
    return Rate(int(found[1]), PERIODS[found[2]])


def database(text: str) -> dict[str, Any]:
    """`sqlite:///file` (from the project's folder) or `postgres://user:password@host:port/name?option=value`."""
    url = urlsplit(text)
    if url.scheme in {"sqlite", "postgres", "postgresql"} and not _path(url):
        raise ValueError(f"a {url.scheme} address needs a name at its end")
    if url.scheme == "sqlite":
        return _sqlite(url)
    if url.scheme in {"postgres", "postgresql"}:
        return _postgres(url)
    raise ValueError(f"'{url.scheme}://' is neither sqlite:/// nor postgres://")


def cache(text: str) -> dict[str, Any]:
    """`locmem://` (one process only) or `redis://host:port/number`."""
    scheme = urlsplit(text).scheme
    if scheme == "locmem":
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    if scheme in {"redis", "rediss"}:
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": text,
            "OPTIONS": {"socket_connect_timeout": 3, "socket_timeout": 3},
        }
    raise ValueError(f"'{scheme}://' is neither locmem:// nor redis://")


def mailer(text: str) -> dict[str, Any]:
    """`console://`, `dummy://`, or `smtp://user:password@host:port` (`smtp+tls`, `smtps`)."""
    url = urlsplit(text)
    if url.scheme in {"console", "dummy"}:
        return {"BACKEND": f"django.core.mail.backends.{url.scheme}.EmailBackend"}
    if url.scheme not in MAIL_SECURITY:
        raise ValueError(f"'{url.scheme}://' is not console://, smtp://, smtp+tls:// or smtps://")
    server = {
        "host": url.hostname or "localhost",
        "port": url.port or (465 if url.scheme == "smtps" else 587),
        "username": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "timeout": 10,
    }
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": server | MAIL_SECURITY[url.scheme],
    }


def _sqlite(url: SplitResult) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(ROOT / _path(url)),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # A transaction that reads first and writes later is refused as "locked" by a rival's
            # write; IMMEDIATE takes its turn at the start instead.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: what was told as ordered survives a power cut too.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


def _postgres(url: SplitResult) -> dict[str, Any]:
    limits = "-c lock_timeout=5000 -c statement_timeout=15000"
    limits += " -c idle_in_transaction_session_timeout=30000"
    limits += " -c jit=off"  # compiling a page's query takes longer than running it
    limits += " -c random_page_cost=1.1"  # disks do not turn: a search is to use its index
    return {
        "ENGINE": "shop.db.postgresql",
        "NAME": _path(url),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "options": limits,
            # A statement that comes again is planned once. A pooler by transaction must know of it
            # (PgBouncer since 1.21), or the address says ?server_side_binding=.
            "server_side_binding": True,
            "prepare_threshold": 2,
            **dict(parse_qsl(url.query, keep_blank_values=True)),
        },
    }


def _path(url: SplitResult) -> str:
    return unquote(url.path).removeprefix("/")


def _refuse(wrong: list[str]) -> None:
    if wrong:
        message = "The environment is not right: " + "; ".join(wrong) + ". See .env.example."
        raise ImproperlyConfigured(message)
