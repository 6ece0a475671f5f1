"""`manage.py demo`: a shop to look at, from nothing to a running server."""

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
HIGHEST_PORT = 65_535


class Command(BaseCommand):
    """Makes the demo once, then only starts it."""

    help = "Open the demo shop: made at the first run, kept from then on."
    requires_system_checks: list[str] = []  # noqa: RUF012 - the server checks

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fresh", action="store_true", help="start over with new demo data")
        parser.add_argument("--port", type=int, default=8000, help="where to listen (8000)")
        parser.add_argument("--no-server", action="store_true", help="only make the data")

    def handle(self, *_: Any, fresh: bool, port: int, no_server: bool, **__: Any) -> None:
        self._migrate()
        self._fill(fresh=fresh)
        if no_server:
            return
        wanted, port = port, free_port(port)
        if port != wanted:
            self.stdout.write(f"Port {wanted} is in use: taking {port}.")
        self._welcome(f"http://{HOST}:{port}")
        # In this process only, so that no other server shows them, whatever its database holds.
        settings.SHOP_ENVIRONMENT = "Demo"
        settings.SHOP_DEMO_LOGINS = [(*login, demo_shop.PASSWORD) for login in demo_shop.LOGINS]
        with worker():
            call_command("runserver", f"{HOST}:{port}", use_reloader=False, skip_checks=True)

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self._tell("Tables")
            call_command("migrate", verbosity=0)

    def _fill(self, *, fresh: bool) -> None:
        """Load the demo, unless it is there; never into, or over, a shop that is not the demo."""
        if demo_shop.is_loaded():
            if not fresh:
                self.stdout.write(
                    "The demo shop is there already: keeping its data (--fresh starts over)."
                )
                return
            self._tell("Clearing the old demo")
            call_command("flush", interactive=False, verbosity=0)
        elif User.objects.exists() or Product.objects.exists() or Order.objects.exists():
            raise CommandError(
                "This database holds a shop that is not the demo. Name another in DATABASE_URL."
            )
        start = time.monotonic()
        demo_shop.load(self._tell)
        self.stdout.write(f"Made in {time.monotonic() - start:.0f} seconds.")

    def _tell(self, doing: str) -> None:
        self.stdout.write(f"  {doing} …")
        self.stdout.flush()

    def _welcome(self, address: str) -> None:
        customer = User.objects.filter(role=User.Role.CUSTOMER).order_by("pk").first()
        self.stdout.write(
            f"\n{settings.SHOP_NAME} is open.\n\n"
            f"  Back office   {address}/admin/      {demo_shop.ADMIN}\n"
            f"  API           {address}/api/docs    {customer.email if customer else 'register an account'}\n"
            f"  Password      {demo_shop.PASSWORD}\n"
        )
        self.stdout.flush()


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does what takes too long for a page, for as long as this one serves."""
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(0)
    )  # else a `kill` would leave the worker behind
    command = [sys.executable, "manage.py", "db_worker", "--no-reload", "--verbosity", "0"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def free_port(wanted: int) -> int:
    """The wanted port, or the next of ten that nobody listens on."""
    for port in range(wanted, min(wanted + 10, HIGHEST_PORT)):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port
    raise CommandError(f"No port from {wanted} on is free. Name another with --port.")
