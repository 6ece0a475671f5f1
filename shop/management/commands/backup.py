"""`manage.py backup FILE`: rows and pictures, of one moment, while the shop sells."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.management import backup


class Command(BaseCommand):
    """Exits with 1, and says why, when there is none."""

    help = (
        "Write the whole shop, rows and pictures, into one file, and check it by reading it back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        try:
            contents = backup.write_backup(file)
        except (backup.BackupRefused, OSError) as error:
            raise CommandError(str(error)) from error
        rows, files = (
            sum(contents["rows"].values()),
            len(contents["hashes"]) - len(contents["rows"]),
        )
        self.stdout.write(f"{file}: {rows:,} rows and {files:,} files, checked.")
