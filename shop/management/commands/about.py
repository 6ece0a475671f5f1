"""`manage.py about`: print the versions of the shop and of what it runs on.

Not `version`: Django answers that itself, before it looks for commands of apps.
"""

import platform
from typing import Any

from django import get_version
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

import shop


class Command(BaseCommand):
    """Prints one line, for bug reports."""

    help = "Print the versions of the shop, Django, Python and the database."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def handle(self, *_: Any, **__: Any) -> None:
        database = ".".join(map(str, connection.get_database_version()))
        self.stdout.write(
            f"{settings.SHOP_NAME} {shop.__version__} (Django {get_version()},"
            f" Python {platform.python_version()}, {connection.display_name} {database})"
        )
