"""`manage.py backup FILE`: write all rows and uploaded files into one ZIP, without downtime."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.management import backup


class Command(BaseCommand):
    """Exits with 1 and an error message if no backup was written."""

    help = "Write all rows and uploaded files into one ZIP file and verify it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        try:
            contents = backup.write_backup(file)
        except (backup.BackupRefused, OSError) as error:
            raise CommandError(str(error)) from error
        row_count = sum(contents["rows"].values())
        file_count = len(contents["hashes"]) - len(contents["rows"])
        self.stdout.write(f"{file}: {row_count:,} rows and {file_count:,} files, verified.")
