"""`manage.py export_products FILE`: the catalogue as a file."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.models import Product
from shop.product_files.exports import product_export


class Command(BaseCommand):
    """Writes all products. Pictures are named as they are stored: a command knows no site's address."""

    help = "Write all products to FILE, or to standard output where it is -."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--format",
            choices=product_export.WRITERS,
            help="FILE's ending says it too; otherwise it is csv.",
        )
        parser.add_argument("--layout", choices=product_export.LAYOUTS, default="own")

    def handle(self, *_: Any, **options: Any) -> None:
        ending = Path(options["file"]).suffix.removeprefix(".").lower()
        file_format: product_export.Format = options["format"] or (
            "xlsx" if ending == "xlsx" else "csv"
        )
        pieces = product_export.export_products(
            Product.objects.all(), layout=options["layout"], file_format=file_format, address=str
        )
        if options["file"] == "-":
            sys.stdout.buffer.writelines(pieces)
            return
        try:
            with Path(options["file"]).open("wb") as file:
                file.writelines(pieces)
        except OSError as error:
            raise CommandError(f"The file cannot be written: {error}") from error
