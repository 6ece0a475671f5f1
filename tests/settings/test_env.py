import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import ConnectionHandler

from settings import env
from settings.env import Rate

KEYS = {"DJANGO_SECRET_KEY": "s" * 32, "JWT_SIGNING_KEY": "j" * 32}
PRODUCTION = {
    **KEYS,
    "DJANGO_ALLOWED_HOSTS": "shop.example.com",
    "DATABASE_URL": "postgres://u@h/shop",
    "EMAIL_URL": "smtp://mail.example.com",
}
LOCMEM = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
REDIS = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "OPTIONS": {"socket_connect_timeout": 3, "socket_timeout": 3},
}
GOOD = [
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
    ("SHOP_TWO_FACTOR", "required", "second_factor", "required"),
    ("SHOP_RATE_LOGIN", "5/s", "rate_login", Rate(5, 1)),
    ("SHOP_RATE_REGISTER", "100/day", "rate_register", Rate(100, 86400)),
    ("SHOP_RATE_API", "1000/hour", "rate_api", Rate(1000, 3600)),
]
BAD = [
    ("DJANGO_DEBUG", "maybe", "'maybe' is neither true nor false"),
    ("DJANGO_HTTPS", "2", "'2' is neither true nor false"),
    ("SHOP_PUBLIC_CATALOG", "y e s", "'y e s' is neither true nor false"),
    ("SHOP_TRUSTED_PROXIES", "two", "'two'"),
    ("SHOP_TRUSTED_PROXIES", "-1", "-1"),
    ("DATABASE_URL", "mysql://u@h/shop", "'mysql://' is neither sqlite:/// nor postgres://"),
    ("DATABASE_URL", "postgres://u@h:99999/shop", "Port out of range"),
    ("DATABASE_URL", "postgres://u@h", "name"),
    ("DATABASE_URL", "sqlite:///", "name"),
    ("CACHE_URL", "memcached://h", "'memcached://' is neither locmem:// nor redis://"),
    ("EMAIL_URL", "carrier-pigeon://h", "'carrier-pigeon://' is not console://"),
    ("SHOP_CURRENCY", "euro", "'euro' is not a currency code such as EUR"),
    ("SHOP_CURRENCY", "eur", "'eur' is not a currency code such as EUR"),
    ("SHOP_RATE_LOGIN", "ten", "'ten' is not a rate such as 10/min"),
    ("SHOP_RATE_REGISTER", "0/min", "'0/min' is not a rate such as 10/min"),
    ("SHOP_RATE_API", "10/fortnight", "'10/fortnight' is not a rate such as 10/min"),
]


def message_of(call, *arguments):
    with pytest.raises(ImproperlyConfigured) as refused:
        call(*arguments)
    return str(refused.value)


@pytest.mark.parametrize(("name", "text", "field", "value"), GOOD)
def test_a_variable_is_read(name, text, field, value):
    before, after = env.read({}), env.read({name: text})
    assert getattr(after, field) == value
    fields = vars(after)
    assert {other for other in fields if fields[other] != getattr(before, other)} <= {field}


@pytest.mark.parametrize(("name", "text", "reason"), BAD)
def test_a_variable_that_is_wrong_is_named(name, text, reason):
    message = message_of(env.read, {name: text})
    assert message.startswith(f"The environment is not right: {name}: ")
    assert reason in message


def test_all_mistakes_are_told_at_once():
    wrong = {name: text for name, text, _ in reversed(BAD)}
    message = message_of(env.read, wrong)
    assert [name for name in wrong if f"{name}: " not in message] == []
    assert message.endswith(" See .env.example.")


def test_no_secret_is_told_with_a_mistake():
    assert "hunter2" not in message_of(env.read, {"DATABASE_URL": "mysql://u:hunter2@h/shop"})


def test_an_empty_variable_is_one_that_is_not_there():
    names = {name for name, *_ in (*GOOD, *BAD)}
    assert env.read(dict.fromkeys(names, "")) == env.read({})


def test_without_any_variable_it_is_a_laptop():
    found = env.read({})
    assert (found.debug, found.public_catalog, found.trusted_proxies) == (True, False, 0)
    assert found.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert found.database["NAME"] == str(env.ROOT / "db.sqlite3")
    assert found.secret_key not in found.jwt_signing_keys
    assert (found.rate_login, found.rate_api) == (Rate(10, 60), Rate(600, 60))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///db.sqlite3", str(env.ROOT / "db.sqlite3")),
        ("sqlite:///data/my%20shop.sqlite3", str(env.ROOT / "data" / "my shop.sqlite3")),
        ("sqlite:////srv/shop.sqlite3", "/srv/shop.sqlite3"),
    ],
)
def test_a_sqlite_file_is_found_from_the_project_or_from_the_root(url, name):
    found = env.database(url)
    assert (found["ENGINE"], found["NAME"]) == ("django.db.backends.sqlite3", name)
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_sqlite_file_keeps_what_was_committed_when_the_power_fails(tmp_path, django_db_blocker):
    file = ConnectionHandler({"default": env.database(f"sqlite:///{tmp_path}/shop.sqlite3")})[
        "default"
    ]
    with django_db_blocker.unblock(), file.cursor() as cursor:
        found = [
            cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous")
        ]
        file.close()
    assert found == ["wal", 2]  # FULL


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_postgres_address_is_taken_apart(scheme):
    found = env.database(
        f"{scheme}://me%2Bshop:p%40ss%2Fw%25rd@db.example:6543/my%20shop?sslmode=require"
    )
    names = ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME")
    assert [found[name] for name in names] == [
        "shop.db.postgresql",
        "me+shop",
        "p@ss/w%rd",
        "db.example",
        "6543",
        "my shop",
    ]
    assert found["OPTIONS"]["sslmode"] == "require"
    assert "lock_timeout=5000" in found["OPTIONS"]["options"]


def test_a_postgres_address_may_be_short():
    found = env.database("postgres:///shop")
    assert [found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "",
        "",
        "",
        "",
        "shop",
    ]
    assert found["OPTIONS"]["connect_timeout"] == 3


@pytest.mark.parametrize("kind", ["console", "dummy"])
def test_mails_may_go_nowhere(kind):
    assert env.mailer(f"{kind}://") == {"BACKEND": f"django.core.mail.backends.{kind}.EmailBackend"}


@pytest.mark.parametrize(
    ("url", "port", "security"),
    [
        ("smtp://me%40b:p%40ss@mail.example:25", 25, {}),
        ("smtp://me%40b:p%40ss@mail.example", 587, {}),
        ("smtp+tls://me%40b:p%40ss@mail.example", 587, {"use_tls": True}),
        ("smtps://me%40b:p%40ss@mail.example", 465, {"use_ssl": True}),
    ],
)
def test_mails_may_go_to_a_server(url, port, security):
    found = env.mailer(url)
    assert found["BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    server = {
        "host": "mail.example",
        "port": port,
        "username": "me@b",
        "password": "p@ss",
        "timeout": 10,
    }
    assert found["OPTIONS"] == server | security


@pytest.mark.parametrize("missing", [[], ["DATABASE_URL"], list(KEYS), list(PRODUCTION)])
def test_production_names_all_that_is_missing(missing):
    variables = {name: value for name, value in PRODUCTION.items() if name not in missing}
    if missing:
        told = "; ".join(f"{name} is missing" for name in missing)
        message = message_of(env.require_production, variables)
        assert message == f"The environment is not right: {told}. See .env.example."
    else:
        env.require_production(variables)


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, "x" * 31) for name in KEYS] + [("JWT_SIGNING_KEY", f"{'y' * 32},{'x' * 31}")],
)
def test_production_refuses_a_short_key(name, key):
    message = message_of(env.require_production, {**PRODUCTION, name: key})
    assert (
        message
        == f"The environment is not right: {name} is shorter than 32 bytes. See .env.example."
    )


def test_production_counts_bytes_and_takes_empty_for_missing():
    env.require_production({**PRODUCTION, "JWT_SIGNING_KEY": "é" * 16})
    message = message_of(
        env.require_production, {**PRODUCTION, "DATABASE_URL": "", "JWT_SIGNING_KEY": "x"}
    )
    assert "DATABASE_URL is missing; JWT_SIGNING_KEY is shorter" in message


@pytest.mark.parametrize("key", ["s" * 32, f"{'y' * 32},{'s' * 32}"])
def test_production_refuses_two_keys_that_are_one(key):
    message = message_of(env.require_production, {**PRODUCTION, "JWT_SIGNING_KEY": key})
    assert "DJANGO_SECRET_KEY and JWT_SIGNING_KEY are the same" in message


def started(*shown, **variables):
    """The process that loads the settings of production, with these variables and no others."""
    show = "import sys; from django.conf import settings as s; "
    show += "print(*(getattr(s, name) for name in sys.argv[1:]))"
    command = [sys.executable, "-c", show, *shown]
    alone = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "settings.production",
        **variables,
    }
    return subprocess.run(
        command, cwd=env.ROOT, env=alone, capture_output=True, text=True, check=False
    )


def test_production_starts_with_what_it_needs():
    process = started("DEBUG", "ALLOWED_HOSTS", **PRODUCTION, DJANGO_DEBUG="true")
    assert (process.stdout, process.returncode) == ("False ['shop.example.com']\n", 0)


def test_production_writes_json_lines():
    assert "'()': 'shop.json_logging.JsonFormatter'" in started("LOGGING", **PRODUCTION).stdout


@pytest.mark.parametrize(
    ("https", "told"),
    [
        ("true", "True True __Host-sessionid __Host-csrftoken 31536000 True\n"),
        ("false", "False False sessionid csrftoken 0 False\n"),
    ],
)
def test_cookies_and_https_in_production(https, told):
    names = (
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SESSION_COOKIE_NAME",
        "CSRF_COOKIE_NAME",
    )
    process = started(
        *names, "SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT", **PRODUCTION, DJANGO_HTTPS=https
    )
    assert (process.stdout, process.returncode) == (told, 0)


@pytest.mark.skipif((env.ROOT / ".env").exists(), reason="a .env may name what is missing")
def test_production_does_not_start_without():
    process = started("DEBUG", DATABASE_URL="sqlite:///db.sqlite3", EMAIL_URL="console://")
    assert (process.stdout, process.returncode) == ("", 1)
    missing = (
        "DJANGO_SECRET_KEY is missing; JWT_SIGNING_KEY is missing; DJANGO_ALLOWED_HOSTS is missing"
    )
    assert f"ImproperlyConfigured: The environment is not right: {missing}." in process.stderr


@pytest.fixture
def dotenv(tmp_path):
    def dotenv(text):
        (tmp_path / ".env").write_text(text, encoding="utf-8")
        return env.dotenv(tmp_path / ".env")

    return dotenv


@pytest.mark.parametrize(
    ("text", "found"),
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
def test_a_file_is_read(dotenv, text, found):
    assert dotenv(text) == found


def test_a_file_that_is_not_there_says_nothing(tmp_path):
    assert env.dotenv(tmp_path / ".env") == {}


def test_a_real_variable_wins_over_the_file(dotenv, tmp_path, monkeypatch):
    dotenv("SHOP_NAME=File\nSHOP_CURRENCY=CHF\n")
    monkeypatch.setattr(env, "ROOT", tmp_path)
    monkeypatch.setenv("SHOP_NAME", "Real")
    monkeypatch.delenv("SHOP_CURRENCY", raising=False)
    found = env.everything()
    assert (found["SHOP_NAME"], found["SHOP_CURRENCY"]) == ("Real", "CHF")
