from datetime import timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from shop.management.commands import test as suite
from shop.models import IdempotencyKey, Product, Session


def test_check_stock_is_content_with_an_honest_shop(mug, capsys):
    call_command("check_stock")
    assert capsys.readouterr().out == "Stock, movements and orders agree.\n"


def test_check_stock_says_where_the_numbers_part(mug, lamp, capsys):
    Product.objects.filter(pk=mug.pk).update(stock=11)
    with pytest.raises(CommandError, match="1 disagreements"):
        call_command("check_stock")
    assert capsys.readouterr().out == "MUG-1: stock is 11, its movements add up to 10.\n"


def test_purge_forgets_only_what_has_served_its_time(carl, capsys):
    now = timezone.now()
    for hours in (71, 73):
        IdempotencyKey.objects.create(
            user=carl, key=str(hours), created_at=now - timedelta(hours=hours)
        )
    for days in (-1, 1):
        Session.objects.create(user=carl, password_hash="x", expires_at=now + timedelta(days=days))
    call_command("purge")
    assert (
        capsys.readouterr().out
        == "Forgot 1 keys, 1 sessions, the files of 0 imports and 0 files of pictures.\n"
    )
    assert IdempotencyKey.objects.get().key == "71"
    assert Session.objects.get().expires_at > now


def test_the_suite_runs_on_the_database_that_is_named(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/shop")
    assert suite.databases() == {
        "SQLite": "sqlite:///db.sqlite3",
        "PostgreSQL": "postgres://somewhere/shop",
    }


@pytest.mark.parametrize("is_there", [True, False])
def test_the_suite_runs_on_the_usual_server_where_it_answers(monkeypatch, is_there):
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setattr(suite, "answers", lambda url: is_there)
    assert ("PostgreSQL" in suite.databases()) is is_there


def test_a_server_that_refuses_does_not_answer(monkeypatch):
    def refuse(url, **_):
        raise psycopg.OperationalError(url)

    monkeypatch.setattr(psycopg, "connect", refuse)
    assert suite.answers(suite.USUAL_SERVER) is False


@pytest.mark.parametrize("code", [0, 1, 5])
def test_the_suite_fails_when_one_database_does(monkeypatch, code):
    runs = []
    monkeypatch.setattr(
        suite, "databases", lambda: {"SQLite": "sqlite:///a", "PostgreSQL": "postgres://b"}
    )

    def run(command, *, env, cwd, check):
        runs.append((command[1:], env["DATABASE_URL"], env["DJANGO_SETTINGS_MODULE"]))
        return type("Run", (), {"returncode": code if "postgres" in env["DATABASE_URL"] else 5})

    monkeypatch.setattr(suite.subprocess, "run", run)
    command = suite.Command()
    if code:
        with pytest.raises(SystemExit):
            command.run_from_argv(["manage.py", "test", "-k", "cart"])
    else:
        command.run_from_argv(["manage.py", "test", "-k", "cart"])
    assert runs == [
        (["-m", "pytest", "-m", "not browser", "-k", "cart"], "sqlite:///a", "settings.test"),
        (["-m", "pytest", "-k", "cart"], "postgres://b", "settings.test"),
    ]
