"""Environment variables of the shop, parsed and validated in one place.

Each variable is a field of `Environment`; `.env.example` documents them. A file `.env` in the
project folder is read too; variables of the process take precedence.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    ValidationError,
)

ROOT = Path(__file__).resolve().parent.parent
SECRETS = ("DJANGO_SECRET_KEY", "JWT_SIGNING_KEY")
REQUIRED_IN_PRODUCTION = (*SECRETS, "DJANGO_ALLOWED_HOSTS", "DATABASE_URL", "EMAIL_URL")
MIN_SECRET_BYTES = 32
#: ISO 4217 currencies with minor unit 3 or 4.
CURRENCIES_WITH_MORE_DECIMALS = frozenset(
    {"BHD", "CLF", "IQD", "JOD", "KWD", "LYD", "OMR", "TND", "UYW"}
)
PAYMENT_METHODS = ("cash_on_delivery", "bank_transfer", "card")
PERIODS = {"s": 1, "sec": 1, "min": 60, "hour": 3600, "day": 86400}
SMTP_OPTIONS: dict[str, dict[str, bool]] = {
    "smtp": {},
    "smtp+tls": {"use_tls": True},
    "smtps": {"use_ssl": True},
}


@dataclass(frozen=True)
class Rate:
    """At most `calls` requests within `seconds`."""

    calls: int
    seconds: int


def split_list(text: str) -> list[str]:
    """Split a comma-separated list; spaces and empty items are dropped."""
    return [item.strip() for item in text.split(",") if item.strip()]


def parse_currency(text: str) -> str:
    """Return an ISO 4217 code such as EUR.

    Raises ValueError if it does not look like one, or if amounts would need more than two decimals.
    """
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError(f"'{text}' is not a currency code such as EUR")
    if text in CURRENCIES_WITH_MORE_DECIMALS:
        raise ValueError(
            f"'{text}' has more than two decimals, which amounts of the shop can't have"
        )
    return text


def parse_time_zone(text: str) -> str:
    """Return the name of a time zone such as Europe/Berlin. Raises ValueError if it is unknown."""
    if text not in available_timezones():
        raise ValueError(f"'{text}' is not a time zone such as Europe/Berlin")
    return text


def parse_tax_rate(text: str) -> Decimal | None:
    """Parse a rate in percent such as 19 or 5.5; None for an empty one. Raises ValueError.

    It has two decimals, as the rate of a stored item has.
    """
    if not text:
        return None
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2})?|100", text):
        raise ValueError(f"'{text}' is not a tax rate in percent such as 19 or 5.5")
    return Decimal(text).quantize(Decimal("0.01"))


def parse_script_name(text: str) -> str:
    """Return a path prefix such as `/shop`. Raises ValueError if it does not start with a slash."""
    if text and not text.startswith("/"):
        raise ValueError(f"'{text}' is not a path such as /shop")
    return text.rstrip("/")


def parse_payment_methods(text: str) -> list[str]:
    """Return the named payment methods, each once. Raises ValueError for none or an unknown one."""
    methods = list(dict.fromkeys(split_list(text)))
    if unknown := [method for method in methods if method not in PAYMENT_METHODS]:
        raise ValueError(f"'{unknown[0]}' is none of {', '.join(PAYMENT_METHODS)}")
    if not methods:
        raise ValueError("it names no payment method")
    return methods


def parse_rate(text: str) -> Rate:
    """Parse a number of requests per period, such as `10/min`. Raises ValueError if invalid."""
    match = re.fullmatch(r"([1-9]\d*)/([a-z]+)", text)
    if not match or match[2] not in PERIODS:
        raise ValueError(f"'{text}' is not a rate such as 10/min ({', '.join(PERIODS)})")
    return Rate(int(match[1]), PERIODS[match[2]])


def parse_database_url(text: str) -> dict[str, Any]:
    """Parse a database URL into an entry of Django's `DATABASES`.

    `sqlite:///file` is relative to the project folder; PostgreSQL is
    `postgres://user:password@host:port/name?option=value`. Raises ValueError if the URL is invalid.
    """
    url = urlsplit(text)
    if url.scheme in {"sqlite", "postgres", "postgresql"} and not _url_path(url):
        raise ValueError(f"a {url.scheme} URL must end with a database name")
    if url.scheme == "sqlite":
        return _sqlite_database(url)
    if url.scheme in {"postgres", "postgresql"}:
        return _postgres_database(url)
    raise ValueError(f"'{url.scheme}://' is neither sqlite:/// nor postgres://")


def parse_cache_url(text: str) -> dict[str, Any]:
    """Parse `locmem://` (single process) or `redis://host:port/number` into an entry of CACHES."""
    scheme = urlsplit(text).scheme
    if scheme == "locmem":
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # A full cache drops entries, and among them counters of attempts at passwords.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    if scheme in {"redis", "rediss"}:
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": text,
            "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.25},
        }
    raise ValueError(f"'{scheme}://' is neither locmem:// nor redis://")


def parse_email_url(text: str) -> dict[str, Any]:
    """Parse an email URL into an entry of Django's `MAILERS`.

    `console://`, `dummy://` or `smtp://user:password@host:port`; `smtp+tls` is STARTTLS, `smtps` is
    implicit TLS. Raises ValueError if the URL is invalid.
    """
    url = urlsplit(text)
    if url.scheme in {"console", "dummy"}:
        return {"BACKEND": f"django.core.mail.backends.{url.scheme}.EmailBackend"}
    if url.scheme not in SMTP_OPTIONS:
        raise ValueError(f"'{url.scheme}://' is not console://, smtp://, smtp+tls:// or smtps://")
    options = {
        "host": url.hostname or "localhost",
        "port": url.port or (465 if url.scheme == "smtps" else 587),
        "username": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "timeout": 10,
    }
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": options | SMTP_OPTIONS[url.scheme],
    }


def _sqlite_database(url: SplitResult) -> dict[str, Any]:
    return {
        "ENGINE": "shop.db.sqlite3",
        "NAME": str(ROOT / _url_path(url)),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # A deferred transaction that reads before it writes fails with "database is locked"
            # when another one wrote in between; IMMEDIATE waits for the write lock at BEGIN.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: confirmed orders survive a power failure.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


def _postgres_database(url: SplitResult) -> dict[str, Any]:
    parameters = (
        "-c lock_timeout=5000 -c statement_timeout=15000"
        " -c idle_in_transaction_session_timeout=30000"
        " -c jit=off"  # compiling the query of a page takes longer than running it
        " -c random_page_cost=1.1"  # SSD: makes the planner use the search indexes
    )
    return {
        "ENGINE": "shop.db.postgresql",
        "NAME": _url_path(url),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "options": parameters,
            # Repeated statements are prepared. A pooler in transaction mode must support that
            # (PgBouncer since 1.21); otherwise add ?server_side_binding= to the URL.
            "server_side_binding": True,
            "prepare_threshold": 2,
            **dict(parse_qsl(url.query, keep_blank_values=True)),
        },
    }


def _url_path(url: SplitResult) -> str:
    return unquote(url.path).removeprefix("/")


def _variable(name: str, default: str) -> Any:
    return Field(alias=name, default=default)


CommaSeparated = Annotated[list[str], BeforeValidator(split_list)]
DatabaseURL = Annotated[dict[str, Any], BeforeValidator(parse_database_url)]
CacheURL = Annotated[dict[str, Any], BeforeValidator(parse_cache_url)]
EmailURL = Annotated[dict[str, Any], BeforeValidator(parse_email_url)]
RateText = Annotated[Rate, BeforeValidator(parse_rate)]
PaymentMethods = Annotated[list[str], BeforeValidator(parse_payment_methods)]
Currency = Annotated[str, AfterValidator(parse_currency)]
TimeZone = Annotated[str, AfterValidator(parse_time_zone)]
TaxRate = Annotated[Decimal | None, BeforeValidator(parse_tax_rate)]
ProjectPath = Annotated[Path, AfterValidator(lambda path: ROOT / path)]


class Environment(BaseModel):
    """All variables, parsed: field, type, name and default value as text."""

    model_config = ConfigDict(frozen=True, validate_default=True, hide_input_in_errors=True)

    debug: bool = _variable("DJANGO_DEBUG", "true")
    secret_key: str = _variable("DJANGO_SECRET_KEY", "for-development-only-" * 3)
    jwt_signing_keys: Annotated[CommaSeparated, Field(min_length=1)] = _variable(
        "JWT_SIGNING_KEY", "for-development-only-tokens-" * 2
    )
    allowed_hosts: CommaSeparated = _variable("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
    csrf_trusted_origins: CommaSeparated = _variable("CSRF_TRUSTED_ORIGINS", "")
    cors_allowed_origins: CommaSeparated = _variable("CORS_ALLOWED_ORIGINS", "")
    https: bool = _variable("DJANGO_HTTPS", "true")
    script_name: Annotated[str, AfterValidator(parse_script_name)] = _variable("SCRIPT_NAME", "")
    trusted_proxies: NonNegativeInt = _variable("SHOP_TRUSTED_PROXIES", "0")
    database: DatabaseURL = _variable("DATABASE_URL", "sqlite:///db.sqlite3")
    cache: CacheURL = _variable("CACHE_URL", "locmem://")
    mailer: EmailURL = _variable("EMAIL_URL", "console://")
    mail_from: str = _variable("DEFAULT_FROM_EMAIL", "shop@localhost")
    media_root: ProjectPath = _variable("MEDIA_ROOT", ".media")
    shop_name: str = _variable("SHOP_NAME", "Fern & Ember")
    shop_currency: Currency = _variable("SHOP_CURRENCY", "EUR")
    shop_time_zone: TimeZone = _variable("SHOP_TIME_ZONE", "UTC")
    shop_tax_rate: TaxRate = _variable("SHOP_TAX_RATE", "")
    shop_imprint: str = _variable("SHOP_IMPRINT", "")
    shop_fonts: CommaSeparated = _variable("SHOP_FONTS", "")
    shop_environment: str = _variable("SHOP_ENVIRONMENT", "")
    payment_methods: PaymentMethods = _variable(
        "SHOP_PAYMENT_METHODS", "cash_on_delivery,bank_transfer"
    )
    public_catalog: bool = _variable("SHOP_PUBLIC_CATALOG", "false")
    two_factor: Literal["off", "optional", "required"] = _variable("SHOP_TWO_FACTOR", "off")
    admin_idle_minutes: NonNegativeInt = _variable("SHOP_ADMIN_IDLE_MINUTES", "0")
    payment_gateway: str = _variable(
        "SHOP_PAYMENT_GATEWAY", "shop.services.payments.SimulatedGateway"
    )
    payment_webhook_secret: str = _variable("SHOP_PAYMENT_WEBHOOK_SECRET", "")
    reset_url: str = _variable("SHOP_RESET_URL", "")
    order_url: str = _variable("SHOP_ORDER_URL", "")
    rate_login: RateText = _variable("SHOP_RATE_LOGIN", "10/min")
    rate_register: RateText = _variable("SHOP_RATE_REGISTER", "10/min")
    rate_api: RateText = _variable("SHOP_RATE_API", "600/min")


def parse_environment(variables: Mapping[str, str]) -> Environment:
    """Parse the variables; an empty one counts as unset.

    Raises one ImproperlyConfigured that names every invalid variable.
    """
    try:
        return Environment.model_validate({name: text for name, text in variables.items() if text})
    except ValidationError as error:
        problems = [
            f"{problem['loc'][0]}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
    raise _improperly_configured(problems)


def require_production(variables: Mapping[str, str]) -> None:
    """Check the variables that production needs; their defaults would be unsafe there.

    Raises one ImproperlyConfigured that names each missing variable and short or reused secret.
    """
    problems = [f"{name} is missing" for name in REQUIRED_IN_PRODUCTION if not variables.get(name)]
    django_key, jwt_key = SECRETS
    keys = {
        django_key: [variables.get(django_key, "")],
        jwt_key: split_list(variables.get(jwt_key, "")),
    }
    problems += [
        f"{name} is shorter than {MIN_SECRET_BYTES} bytes"
        for name, values in keys.items()
        if any(0 < len(key.encode()) < MIN_SECRET_BYTES for key in values)
    ]
    if not problems and variables[django_key] in keys[jwt_key]:
        problems.append(f"{django_key} and {jwt_key} are the same")
    if problems:
        raise _improperly_configured(problems)


def _improperly_configured(problems: list[str]) -> ImproperlyConfigured:
    text = "; ".join(problems)
    return ImproperlyConfigured(f"Invalid environment variables: {text}. See .env.example.")


def load_variables() -> dict[str, str]:
    """Return the variables of the process on top of those of the project's `.env` file."""
    return read_dotenv(ROOT / ".env") | os.environ


def read_dotenv(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines; comments, blank lines and quotes around a value are dropped."""
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}
