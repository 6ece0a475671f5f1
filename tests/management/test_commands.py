import re
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace

import django
import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

import shop
from shop.management.commands import test as test_command
from shop.models import AuditEntry, IdempotencyKey, OutboxMessage, Product, Session


def test_check_stock_without_differences(mug, capsys):
    call_command("check_stock")
    assert capsys.readouterr().out == "Stock, movements and orders agree.\n"


def test_check_stock_lists_differences(mug, lamp, capsys):
    Product.objects.filter(pk=mug.pk).update(stock=11)
    with pytest.raises(CommandError, match="Differences: 1"):
        call_command("check_stock")
    output = capsys.readouterr().out
    assert "MUG-1" in output
    assert "LAMP-1" not in output


def test_purge_deletes_expired_rows_only(carl, capsys):
    now = timezone.now()
    for hours in (71, 73):
        IdempotencyKey.objects.create(
            user=carl, key=str(hours), created_at=now - timedelta(hours=hours)
        )
    for days in (-1, 1):
        Session.objects.create(user=carl, password_hash="x", expires_at=now + timedelta(days=days))
        OutboxMessage.objects.create(
            user=carl,
            kind="order_placed",
            created_at=now - timedelta(days=90 + days),
            expires_at=now,
        )
    for days, action in ((89, "signed_in"), (91, "signed_in"), (91, "changed")):
        entry = AuditEntry.objects.create(actor=carl, action=action, model_name="user", record_id=1)
        AuditEntry.objects.filter(pk=entry.pk).update(created_at=now - timedelta(days=days))
    call_command("purge")
    assert re.findall(r"\d+", capsys.readouterr().out) == ["1", "1", "1", "1", "0", "0"]
    assert AuditEntry.objects.count() == 2
    assert IdempotencyKey.objects.get().key == "71"
    assert Session.objects.get().expires_at > now
    assert OutboxMessage.objects.get().created_at > now - timedelta(days=90)


def test_tests_use_the_postgres_of_database_url(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/shop")
    assert test_command.find_databases() == {
        "SQLite": "sqlite:///db.sqlite3",
        "PostgreSQL": "postgres://somewhere/shop",
    }


@pytest.mark.parametrize("is_running", [True, False])
def test_tests_use_a_local_postgres_if_it_runs(monkeypatch, is_running):
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setattr(test_command, "can_connect", lambda url: is_running)
    assert ("PostgreSQL" in test_command.find_databases()) is is_running


def test_server_that_refuses_connections_is_not_used(monkeypatch):
    def raise_error(url, **_):
        raise psycopg.OperationalError(url)

    monkeypatch.setattr(psycopg, "connect", raise_error)
    assert test_command.can_connect(test_command.DEFAULT_POSTGRES_URL) is False


@pytest.fixture
def pytest_runs(monkeypatch):
    """Record pytest's processes instead of starting them; `codes` are their exit codes."""
    runs, codes = [], {"sqlite:///a": 0, "postgres://b": 0}
    databases = {"SQLite": "sqlite:///a", "PostgreSQL": "postgres://b"}
    monkeypatch.setattr(test_command, "find_databases", lambda: databases)

    def run(command, *, env, cwd, check):
        runs.append((command[1:], env["DATABASE_URL"], env["DJANGO_SETTINGS_MODULE"]))
        return SimpleNamespace(returncode=codes[env["DATABASE_URL"]])

    monkeypatch.setattr(test_command.subprocess, "run", run)
    return runs, codes


def test_tests_run_on_both_databases_and_in_the_browser_once(pytest_runs):
    runs, _ = pytest_runs
    test_command.Command().run_from_argv(["manage.py", "test", "-k", "cart"])
    assert runs == [
        (["-m", "pytest", "-m", "not browser", "-k", "cart"], "sqlite:///a", "settings.test"),
        (["-m", "pytest", "-k", "cart"], "postgres://b", "settings.test"),
    ]


def test_fast_leaves_out_slow_tests(pytest_runs):
    runs, _ = pytest_runs
    test_command.Command().run_from_argv(["manage.py", "test", "-k", "cart", "--fast"])
    assert [command for command, *_ in runs] == [
        ["-m", "pytest", "-m", "not slow", "-k", "cart"]
    ] * 2


@pytest.mark.parametrize(
    ("sqlite", "postgres", "fails"),
    [(0, 0, False), (5, 0, False), (1, 0, True), (0, 1, True), (0, 5, True)],
)
def test_tests_fail_if_one_database_does(pytest_runs, sqlite, postgres, fails):
    _, codes = pytest_runs
    codes.update({"sqlite:///a": sqlite, "postgres://b": postgres})
    with pytest.raises(SystemExit) if fails else nullcontext():
        test_command.Command().run_from_argv(["manage.py", "test"])


def test_tests_are_refused_outside_development(pytest_runs, settings):
    runs, _ = pytest_runs
    settings.SHOP_DEVELOPMENT_COMMANDS = False
    with pytest.raises(SystemExit):
        test_command.Command().run_from_argv(["manage.py", "test"])
    assert runs == []


def test_about_names_the_versions(db, capsys):
    call_command("about")
    assert f" {shop.__version__} (Django {django.get_version()}," in capsys.readouterr().out
