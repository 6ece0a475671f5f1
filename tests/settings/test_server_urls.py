"""DATABASE_URL and EMAIL_URL."""

import pytest
from django.db.utils import ConnectionHandler

from settings import env


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///db.sqlite3", str(env.ROOT / "db.sqlite3")),
        ("sqlite:///data/my%20shop.sqlite3", str(env.ROOT / "data" / "my shop.sqlite3")),
        ("sqlite:////srv/shop.sqlite3", "/srv/shop.sqlite3"),
    ],
)
def test_sqlite_path_is_relative_to_the_project_or_absolute(url, name):
    result = env.parse_database_url(url)
    assert (result["ENGINE"], result["NAME"]) == ("shop.db.sqlite3", name)
    assert result["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_sqlite_commits_survive_a_power_failure(tmp_path, django_db_blocker):
    file = ConnectionHandler(
        {"default": env.parse_database_url(f"sqlite:///{tmp_path}/shop.sqlite3")}
    )["default"]
    with django_db_blocker.unblock(), file.cursor() as cursor:
        result = [
            cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous")
        ]
        file.close()
    assert result == ["wal", 2]  # FULL


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgres_url_is_parsed(scheme):
    result = env.parse_database_url(
        f"{scheme}://me%2Bshop:p%40ss%2Fw%25rd@db.example:6543/my%20shop?sslmode=require"
    )
    names = ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME")
    assert [result[name] for name in names] == [
        "shop.db.postgresql",
        "me+shop",
        "p@ss/w%rd",
        "db.example",
        "6543",
        "my shop",
    ]
    assert result["OPTIONS"]["sslmode"] == "require"
    assert "lock_timeout=5000" in result["OPTIONS"]["options"]


def test_postgres_url_may_have_only_a_name():
    result = env.parse_database_url("postgres:///shop")
    assert [result[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "",
        "",
        "",
        "",
        "shop",
    ]
    assert result["OPTIONS"]["connect_timeout"] == 3


@pytest.mark.parametrize("scheme", ["console", "dummy"])
def test_email_url_without_a_server(scheme):
    assert env.parse_email_url(f"{scheme}://") == {
        "BACKEND": f"django.core.mail.backends.{scheme}.EmailBackend"
    }


@pytest.mark.parametrize(
    ("url", "port", "security"),
    [
        ("smtp://me%40b:p%40ss@mail.example:25", 25, {}),
        ("smtp://me%40b:p%40ss@mail.example", 587, {}),
        ("smtp+tls://me%40b:p%40ss@mail.example", 587, {"use_tls": True}),
        ("smtps://me%40b:p%40ss@mail.example", 465, {"use_ssl": True}),
    ],
)
def test_email_url_with_a_server(url, port, security):
    result = env.parse_email_url(url)
    assert result["BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    server = {
        "host": "mail.example",
        "port": port,
        "username": "me@b",
        "password": "p@ss",
        "timeout": 10,
    }
    assert result["OPTIONS"] == server | security
