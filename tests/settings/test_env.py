import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from settings import env
from settings.env import Rate

KEYS = {"DJANGO_SECRET_KEY": "s" * 32, "JWT_SIGNING_KEY": "j" * 32}
PRODUCTION = {
    **KEYS,
    "DJANGO_ALLOWED_HOSTS": "shop.example.com",
    "DATABASE_URL": "postgres://u@h/shop",
    "EMAIL_URL": "smtp://mail.example.com",
}
LOCMEM = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "OPTIONS": {"MAX_ENTRIES": 100_000},
}
REDIS = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.25},
}
VALID = [  # variable, text, field, value
    ("DJANGO_DEBUG", "false", "debug", False),
    ("DJANGO_DEBUG", "Yes", "debug", True),
    ("DJANGO_DEBUG", "0", "debug", False),
    ("DJANGO_DEBUG", "ON", "debug", True),
    ("DJANGO_SECRET_KEY", "abc", "secret_key", "abc"),
    ("JWT_SIGNING_KEY", "abc", "jwt_signing_keys", ["abc"]),
    ("JWT_SIGNING_KEY", "new, old", "jwt_signing_keys", ["new", "old"]),
    (
        "DJANGO_ALLOWED_HOSTS",
        " a.example, b.example ,",
        "allowed_hosts",
        ["a.example", "b.example"],
    ),
    ("CSRF_TRUSTED_ORIGINS", "https://a.example", "csrf_trusted_origins", ["https://a.example"]),
    ("CORS_ALLOWED_ORIGINS", "https://a.example", "cors_allowed_origins", ["https://a.example"]),
    ("DJANGO_HTTPS", "off", "https", False),
    ("SHOP_TRUSTED_PROXIES", "2", "trusted_proxies", 2),
    ("CACHE_URL", "locmem://", "cache", LOCMEM),
    ("CACHE_URL", "redis://r:6379/1", "cache", {**REDIS, "LOCATION": "redis://r:6379/1"}),
    ("CACHE_URL", "rediss://r/0", "cache", {**REDIS, "LOCATION": "rediss://r/0"}),
    ("DEFAULT_FROM_EMAIL", "a@b.example", "mail_from", "a@b.example"),
    ("MEDIA_ROOT", "/srv/media", "media_root", Path("/srv/media")),
    ("SHOP_NAME", "O'Neil & Sons", "shop_name", "O'Neil & Sons"),
    ("SHOP_CURRENCY", "CHF", "shop_currency", "CHF"),
    ("SHOP_IMPRINT", "1 Fern Road, Kew", "shop_imprint", "1 Fern Road, Kew"),
    ("SHOP_ENVIRONMENT", "Staging", "shop_environment", "Staging"),
    ("SHOP_PUBLIC_CATALOG", "1", "public_catalog", True),
    (
        "SHOP_RESET_URL",
        "https://a.example/{uid}/{token}",
        "reset_url",
        "https://a.example/{uid}/{token}",
    ),
    ("SHOP_ORDER_URL", "https://a.example/{number}", "order_url", "https://a.example/{number}"),
    ("SHOP_TIME_ZONE", "Europe/Berlin", "shop_time_zone", "Europe/Berlin"),
    ("SHOP_TAX_RATE", "5.5", "shop_tax_rate", Decimal("5.5")),
    ("SHOP_PAYMENT_GATEWAY", "my.Gateway", "payment_gateway", "my.Gateway"),
    ("SHOP_PAYMENT_WEBHOOK_SECRET", "s3cret", "payment_webhook_secret", "s3cret"),
    ("SHOP_TWO_FACTOR", "required", "two_factor", "required"),
    ("SCRIPT_NAME", "/shop/", "script_name", "/shop"),
    ("SHOP_PAYMENT_METHODS", "card", "payment_methods", ["card"]),
    ("SHOP_PAYMENT_METHODS", " bank_transfer,,bank_transfer", "payment_methods", ["bank_transfer"]),
    ("SHOP_RATE_LOGIN", "5/s", "rate_login", Rate(5, 1)),
    ("SHOP_RATE_REGISTER", "100/day", "rate_register", Rate(100, 86400)),
    ("SHOP_RATE_API", "1000/hour", "rate_api", Rate(1000, 3600)),
]
INVALID = [  # variable, text, part of the message
    ("DJANGO_DEBUG", "maybe", "boolean"),
    ("DJANGO_HTTPS", "2", "boolean"),
    ("SHOP_PUBLIC_CATALOG", "y e s", "boolean"),
    ("SHOP_TRUSTED_PROXIES", "two", "integer"),
    ("SCRIPT_NAME", "shop", "'shop' is not a path such as /shop"),
    ("SHOP_TRUSTED_PROXIES", "-1", "greater than or equal to 0"),
    ("DATABASE_URL", "mysql://u@h/shop", "'mysql://' is neither sqlite:/// nor postgres://"),
    ("DATABASE_URL", "postgres://u@h:99999/shop", "Port out of range"),
    ("DATABASE_URL", "postgres://u@h", "name"),
    ("DATABASE_URL", "sqlite:///", "name"),
    ("CACHE_URL", "memcached://h", "'memcached://' is neither locmem:// nor redis://"),
    ("EMAIL_URL", "carrier-pigeon://h", "'carrier-pigeon://' is not console://"),
    ("SHOP_TWO_FACTOR", "maybe", "'off', 'optional' or 'required'"),
    ("JWT_SIGNING_KEY", " , ", "at least 1 item"),
    ("SHOP_CURRENCY", "euro", "'euro' is not a currency code such as EUR"),
    ("SHOP_CURRENCY", "KWD", "'KWD' has more than two decimals"),
    ("SHOP_CURRENCY", "eur", "'eur' is not a currency code such as EUR"),
    ("SHOP_TIME_ZONE", "Mars/Olympus", "'Mars/Olympus' is not a time zone such as Europe/Berlin"),
    ("SHOP_TAX_RATE", "nineteen", "'nineteen' is not a tax rate in percent such as 19 or 5.5"),
    ("SHOP_TAX_RATE", "101", "'101' is not a tax rate in percent such as 19 or 5.5"),
    ("SHOP_PAYMENT_METHODS", "card,shells", "'shells' is none of cash_on_delivery, "),
    ("SHOP_PAYMENT_METHODS", " , ", "it names no payment method"),
    ("SHOP_RATE_LOGIN", "ten", "'ten' is not a rate such as 10/min"),
    ("SHOP_RATE_REGISTER", "0/min", "'0/min' is not a rate such as 10/min"),
    ("SHOP_RATE_API", "10/fortnight", "'10/fortnight' is not a rate such as 10/min"),
]


def message_of(call, *arguments):
    with pytest.raises(ImproperlyConfigured) as raised:
        call(*arguments)
    return str(raised.value)


@pytest.mark.parametrize(("name", "text", "field", "value"), VALID)
def test_variable_sets_its_field_only(name, text, field, value):
    before, after = env.parse_environment({}), env.parse_environment({name: text})
    assert getattr(after, field) == value
    fields = vars(after)
    assert {other for other in fields if fields[other] != getattr(before, other)} <= {field}


def test_tax_rate_has_two_decimals_as_that_of_a_stored_item():
    assert str(env.parse_environment({"SHOP_TAX_RATE": "19"}).shop_tax_rate) == "19.00"


@pytest.mark.parametrize(("name", "text", "reason"), INVALID)
def test_invalid_variable_is_named(name, text, reason):
    message = message_of(env.parse_environment, {name: text})
    assert message.startswith(f"Invalid environment variables: {name}: ")
    assert reason in message


def test_all_invalid_variables_are_named_at_once():
    variables = {name: text for name, text, _ in reversed(INVALID)}
    message = message_of(env.parse_environment, variables)
    assert [name for name in variables if f"{name}: " not in message] == []
    assert message.endswith(" See .env.example.")


def test_error_contains_no_password():
    assert "hunter2" not in message_of(
        env.parse_environment, {"DATABASE_URL": "mysql://u:hunter2@h/shop"}
    )


def test_empty_variable_counts_as_unset():
    names = {name for name, *_ in (*VALID, *INVALID)}
    assert env.parse_environment(dict.fromkeys(names, "")) == env.parse_environment({})


def test_defaults_are_for_development():
    result = env.parse_environment({})
    assert (result.debug, result.public_catalog, result.trusted_proxies) == (True, False, 0)
    assert result.payment_methods == ["cash_on_delivery", "bank_transfer"]
    assert result.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert result.database["NAME"] == str(env.ROOT / "db.sqlite3")
    assert result.secret_key not in result.jwt_signing_keys
    assert (result.rate_login, result.rate_api) == (Rate(10, 60), Rate(600, 60))


@pytest.mark.parametrize("missing", [[], ["DATABASE_URL"], list(KEYS), list(PRODUCTION)])
def test_production_names_all_missing_variables(missing):
    variables = {name: value for name, value in PRODUCTION.items() if name not in missing}
    if missing:
        problems = "; ".join(f"{name} is missing" for name in missing)
        message = message_of(env.require_production, variables)
        assert message == f"Invalid environment variables: {problems}. See .env.example."
    else:
        env.require_production(variables)


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, "x" * 31) for name in KEYS] + [("JWT_SIGNING_KEY", f"{'y' * 32},{'x' * 31}")],
)
def test_production_rejects_a_short_secret(name, key):
    message = message_of(env.require_production, {**PRODUCTION, name: key})
    assert (
        message
        == f"Invalid environment variables: {name} is shorter than 32 bytes. See .env.example."
    )


def test_production_counts_bytes_and_treats_empty_as_missing():
    env.require_production({**PRODUCTION, "JWT_SIGNING_KEY": "é" * 16})
    message = message_of(
        env.require_production, {**PRODUCTION, "DATABASE_URL": "", "JWT_SIGNING_KEY": "x"}
    )
    assert "DATABASE_URL is missing; JWT_SIGNING_KEY is shorter" in message


@pytest.mark.parametrize("key", ["s" * 32, f"{'y' * 32},{'s' * 32}"])
def test_production_rejects_equal_secrets(key):
    message = message_of(env.require_production, {**PRODUCTION, "JWT_SIGNING_KEY": key})
    assert "DJANGO_SECRET_KEY and JWT_SIGNING_KEY are the same" in message


def load_production_settings(*names, module="settings.production", **variables):
    """Print these settings of production in a process that has only these variables."""
    code = "import sys; from django.conf import settings as s; "
    code += "print(*(getattr(s, name) for name in sys.argv[1:]))"
    command = [sys.executable, "-c", code, *names]
    environ = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": module,
        **variables,
    }
    return subprocess.run(
        command, cwd=env.ROOT, env=environ, capture_output=True, text=True, check=False
    )


def test_production_loads_with_the_required_variables():
    process = load_production_settings("DEBUG", "ALLOWED_HOSTS", **PRODUCTION, DJANGO_DEBUG="true")
    assert (process.stdout, process.returncode) == ("False ['shop.example.com']\n", 0)


@pytest.mark.parametrize(
    ("module", "variables", "output"),
    [
        ("production", {}, "['cash_on_delivery', 'bank_transfer'] False\n"),
        ("production", {"SHOP_PAYMENT_METHODS": "card"}, "['card'] False\n"),
        ("development", {}, "['cash_on_delivery', 'bank_transfer', 'card'] True\n"),
        ("development", {"SHOP_PAYMENT_METHODS": "bank_transfer"}, "['bank_transfer'] True\n"),
        (
            "development",
            {"SHOP_PAYMENT_METHODS": ""},
            "['cash_on_delivery', 'bank_transfer', 'card'] True\n",
        ),
    ],
)
def test_only_development_simulates_cards_and_runs_the_demo(module, variables, output):
    names = ("SHOP_PAYMENT_METHODS", "SHOP_DEVELOPMENT_COMMANDS")
    process = load_production_settings(
        *names, module=f"settings.{module}", **PRODUCTION, **variables
    )
    assert process.stdout == output


def test_production_logs_json():
    assert (
        "'()': 'shop.json_logging.JsonFormatter'"
        in load_production_settings("LOGGING", **PRODUCTION).stdout
    )


@pytest.mark.parametrize(
    ("https", "output"),
    [
        ("true", "True True __Host-sessionid __Host-csrftoken 31536000 True\n"),
        ("false", "False False sessionid csrftoken 0 False\n"),
    ],
)
def test_cookies_and_https_in_production(https, output):
    names = (
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SESSION_COOKIE_NAME",
        "CSRF_COOKIE_NAME",
    )
    process = load_production_settings(
        *names, "SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT", **PRODUCTION, DJANGO_HTTPS=https
    )
    assert (process.stdout, process.returncode) == (output, 0)


@pytest.mark.skipif((env.ROOT / ".env").exists(), reason="a .env file may set what is missing")
def test_production_does_not_load_without_the_required_variables():
    process = load_production_settings(
        "DEBUG", DATABASE_URL="sqlite:///db.sqlite3", EMAIL_URL="console://"
    )
    assert (process.stdout, process.returncode) == ("", 1)
    missing = (
        "DJANGO_SECRET_KEY is missing; JWT_SIGNING_KEY is missing; DJANGO_ALLOWED_HOSTS is missing"
    )
    assert f"ImproperlyConfigured: Invalid environment variables: {missing}." in process.stderr


@pytest.fixture
def dotenv(tmp_path):
    def dotenv(text):
        (tmp_path / ".env").write_text(text, encoding="utf-8")
        return env.read_dotenv(tmp_path / ".env")

    return dotenv


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("", {}),
        ("# A=1\n\n  \nnonsense\n", {}),
        ("A=1\nB = two words \n", {"A": "1", "B": "two words"}),
        ("A=\"quoted\"\nB='too'\n", {"A": "quoted", "B": "too"}),
        ("A=postgres://u:p@h/n?a=b\n", {"A": "postgres://u:p@h/n?a=b"}),
        ("A=\nB=ö", {"A": "", "B": "ö"}),
        ("A=1\r\nA=2\r\n", {"A": "2"}),
    ],
)
def test_dotenv_file_is_read(dotenv, text, variables):
    assert dotenv(text) == variables


def test_missing_dotenv_file_is_empty(tmp_path):
    assert env.read_dotenv(tmp_path / ".env") == {}


def test_process_variable_takes_precedence_over_the_dotenv_file(dotenv, tmp_path, monkeypatch):
    dotenv("SHOP_NAME=File\nSHOP_CURRENCY=CHF\n")
    monkeypatch.setattr(env, "ROOT", tmp_path)
    monkeypatch.setenv("SHOP_NAME", "Real")
    monkeypatch.delenv("SHOP_CURRENCY", raising=False)
    result = env.load_variables()
    assert (result["SHOP_NAME"], result["SHOP_CURRENCY"]) == ("Real", "CHF")


def test_env_example_lists_all_variables():
    lines = (env.ROOT / ".env.example").read_text().splitlines()
    listed = {line.removeprefix("# ").split("=")[0] for line in lines if "=" in line}
    names = {field.alias for field in env.Environment.model_fields.values()}
    assert names <= listed
