"""`manage.py restore FILE`: the shop as it was when the backup was made."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.management import backup


class Command(BaseCommand):
    """Exits with 1, and says why, when nothing was changed."""

    help = "Bring a backup back: into an empty database, or in the place of what is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--replace", action="store_true", help="throw away what the database holds"
        )

    def handle(self, *_: Any, file: Path, replace: bool, **__: Any) -> None:
        try:
            contents = backup.restore_backup(file, replace=replace)
        except backup.BackupRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{sum(contents['rows'].values()):,} rows are back, and their pictures.")
