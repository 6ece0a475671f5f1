"""`manage.py restore FILE`: restore a backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.management import backup


class Command(BaseCommand):
    """Exits with 1 and an error message if nothing was changed."""

    help = "Restore a backup into an empty database, or with --replace instead of its data."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="delete existing data")

    def handle(self, *_: Any, file: Path, replace: bool, **__: Any) -> None:
        try:
            contents = backup.restore_backup(file, replace=replace)
        except backup.BackupRefused as error:
            raise CommandError(str(error)) from error
        row_count = sum(contents["rows"].values())
        self.stdout.write(
            f"Restored {row_count:,} rows and their files. Everybody is signed out, in the admin"
            " and in all apps."
        )
