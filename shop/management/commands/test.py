"""`manage.py test`: run the test suite on SQLite and on PostgreSQL."""

import os
import subprocess
import sys
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand

NO_TESTS_COLLECTED = 5  # pytest's exit code
DEFAULT_POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/postgres"


class Command(BaseCommand):
    """All arguments but `--fast` go to pytest, such as `-k cart` or `tests/api`."""

    help = (
        "Run the tests on SQLite, and on PostgreSQL if DATABASE_URL names one or a local server is"
        " running. --fast leaves out the slow ones; all other arguments go to pytest."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def run_from_argv(self, argv: list[str]) -> None:
        """Bypass Django's argument parser, which does not know pytest's options."""
        self.handle(arguments=argv[2:])

    def handle(self, *_: Any, arguments: list[str], **__: Any) -> None:
        if not settings.SHOP_DEVELOPMENT_COMMANDS:
            sys.exit("The tests run in development only.")
        is_fast = "--fast" in arguments
        arguments = [argument for argument in arguments if argument != "--fast"]
        databases = find_databases()
        failed = False
        for number, (name, url) in enumerate(databases.items(), start=1):
            print(f"\n== Tests on {name} ==", flush=True)  # noqa: T201 - before pytest's output
            is_last = number == len(databases)
            command = [sys.executable, "-m", "pytest", *_select(is_fast, is_last), *arguments]
            environ = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "settings.test"}
            process = subprocess.run(command, env=environ, cwd=settings.BASE_DIR, check=False)  # noqa: S603
            allowed = {0} if is_last else {0, NO_TESTS_COLLECTED}
            failed = failed or process.returncode not in allowed
        if failed:
            sys.exit(1)


def _select(is_fast: bool, is_last: bool) -> list[str]:  # noqa: FBT001
    """Return pytest's marker option. Browser tests run once: pages don't depend on the database."""
    if is_fast:
        return ["-m", "not slow"]
    return [] if is_last else ["-m", "not browser"]


def find_databases() -> dict[str, str]:
    """Return the databases to test on: name -> URL."""
    databases = {"SQLite": "sqlite:///db.sqlite3"}
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        databases["PostgreSQL"] = url
    elif can_connect(DEFAULT_POSTGRES_URL):
        databases["PostgreSQL"] = DEFAULT_POSTGRES_URL
    else:
        print("No PostgreSQL server at 127.0.0.1:5432: testing on SQLite only.")  # noqa: T201
    return databases


def can_connect(url: str) -> bool:
    """Return whether a PostgreSQL server accepts a connection."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
