"""`manage.py test`: the whole suite, on SQLite and on the PostgreSQL that is there."""

import os
import subprocess
import sys
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand

NOTHING_RAN = 5  # pytest's exit code
USUAL_SERVER = "postgres://postgres@127.0.0.1:5432/postgres"


class Command(BaseCommand):
    """Takes pytest's own arguments, such as `-k cart` or `tests/api`."""

    help = "Run the tests on SQLite, and on PostgreSQL where DATABASE_URL names one or the usual one answers."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own shape

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand everything after `test` to pytest."""
        self.handle(arguments=argv[2:])

    def handle(self, *_: Any, arguments: list[str], **__: Any) -> None:
        failed = False
        *earlier, last = databases().items()
        for name, url in (*earlier, last):
            print(f"\n== The suite on {name} ==", flush=True)  # noqa: T201 - before pytest's own lines
            environ = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "settings.test"}
            is_last = (name, url) == last
            # What a browser shows is the same on both: once is enough.
            chosen = [] if is_last else ["-m", "not browser"]
            command = [sys.executable, "-m", "pytest", *chosen, *arguments]
            run = subprocess.run(command, env=environ, cwd=settings.BASE_DIR, check=False)  # noqa: S603
            failed = failed or run.returncode not in ({0} if is_last else {0, NOTHING_RAN})
        if failed:
            sys.exit(1)


def databases() -> dict[str, str]:
    """The databases to test on, by name."""
    found = {"SQLite": "sqlite:///db.sqlite3"}
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        found["PostgreSQL"] = given
    elif answers(USUAL_SERVER):
        found["PostgreSQL"] = USUAL_SERVER
    else:
        print("No PostgreSQL answers at 127.0.0.1:5432: testing on SQLite alone.")  # noqa: T201
    return found


def answers(url: str) -> bool:
    """Whether a server lets us in."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
