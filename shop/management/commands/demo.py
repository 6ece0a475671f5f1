"""`manage.py demo`: create the demo shop if needed and start the server."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from shop.management import demo_shop
from shop.models import Order, Product, User

HOST = "127.0.0.1"
MAX_PORT = 65_535
NOT_THE_DEMO = "This database holds a shop that is not the demo. Set DATABASE_URL to another one."
OTHER_VERSION = (
    "This demo was created by another version of the shop. Replace it with:"
    " python3 manage.py demo --fresh"
)


class Command(BaseCommand):
    """Creates the demo data on the first run; later runs only start the server."""

    help = "Start the demo shop. Its data is created on the first run and kept from then on."
    requires_system_checks: list[str] = []  # noqa: RUF012 - runserver runs them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fresh", action="store_true", help="replace the demo data")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")
        parser.add_argument("--no-server", action="store_true", help="only create the data")

    def handle(self, *_: Any, fresh: bool, port: int, no_server: bool, **__: Any) -> None:
        demo_shop.check_allowed()
        self._prepare_database(fresh=fresh)
        if no_server:
            return
        free_port = find_free_port(port)
        if free_port != port:
            self.stdout.write(f"Port {port} is in use, using {free_port} instead.")
        self._print_welcome(f"http://{HOST}:{free_port}")
        # Set in this process only, so that no other server shows them, whatever its database.
        settings.SHOP_ENVIRONMENT = "Demo"
        settings.SHOP_DEMO_LOGINS = [(*login, demo_shop.PASSWORD) for login in demo_shop.LOGINS]
        with run_worker():
            call_command("runserver", f"{HOST}:{free_port}", use_reloader=False, skip_checks=True)

    def _prepare_database(self, *, fresh: bool) -> None:
        """Create the demo unless it exists, or replace it. Other shops are never changed."""
        executor = MigrationExecutor(connection)
        loader = executor.loader
        applied = {node for node in loader.applied_migrations if node[0] == "shop"}
        is_other_version = not applied <= loader.disk_migrations.keys()
        if applied and demo_shop.is_loaded():
            if is_other_version and not fresh:
                raise CommandError(OTHER_VERSION)
            if not fresh:
                if executor.migration_plan(loader.graph.leaf_nodes()):
                    call_command("migrate", verbosity=0)
                self.stdout.write("Using the existing demo data (--fresh replaces it).")
                return
            self._print_progress("Deleting the old demo")
            drop_tables()
        elif is_other_version or (applied and _has_data()):
            raise CommandError(NOT_THE_DEMO)

        start = time.monotonic()
        self._print_progress("Tables")
        call_command("migrate", verbosity=0)
        demo_shop.load(self._print_progress)
        self.stdout.write(f"Created in {time.monotonic() - start:.0f} seconds.")

    def _print_progress(self, step: str) -> None:
        self.stdout.write(f"  {step} …")
        self.stdout.flush()

    def _print_welcome(self, url: str) -> None:
        customer = User.objects.filter(role=User.Role.CUSTOMER).order_by("pk").first()
        api_login = customer.email if customer else "register an account"
        self.stdout.write(
            f"\n{settings.SHOP_NAME} is running.\n\n"
            f"  Back office   {url}/admin/      {demo_shop.ADMIN}\n"
            f"  API           {url}/api/docs    {api_login}\n"
            f"  Password      {demo_shop.PASSWORD}\n"
        )
        self.stdout.flush()


def _has_data() -> bool:
    return User.objects.exists() or Product.objects.exists() or Order.objects.exists()


def drop_tables() -> None:
    """Drop the tables of all installed apps, also those of other versions of the shop."""
    tables = set(connection.introspection.django_table_names(only_existing=True))
    tables |= {
        name
        for name in connection.introspection.table_names()
        if name.startswith("shop_") or name == "django_migrations"
    }
    with connection.schema_editor() as editor:
        for table in sorted(tables):
            editor.execute(editor.sql_delete_table % {"table": editor.quote_name(table)})


@contextmanager
def run_worker() -> Iterator[subprocess.Popen[bytes]]:
    """Run `manage.py worker` in a process of its own; it ends with the context."""
    # Without a handler, SIGTERM would end this process and leave the worker running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    command = [sys.executable, "manage.py", "worker", "--no-reload", "--verbosity", "0"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL)  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def find_free_port(first: int) -> int:
    """Return the first of ten ports that is not in use. Raises CommandError if all are."""
    for port in range(first, min(first + 10, MAX_PORT)):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port
    raise CommandError(f"No port from {first} on is free. Choose another one with --port.")
