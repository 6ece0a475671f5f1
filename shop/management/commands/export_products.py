"""`manage.py export_products FILE`: write the product catalogue to a file."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.models import Product
from shop.product_files.exports import product_export


class Command(BaseCommand):
    """Writes all products. Pictures keep their stored names: a command has no site URL."""

    help = "Write all products to FILE, or to standard output if FILE is -."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--format",
            choices=product_export.FILE_WRITERS,
            help="by default that of FILE's extension, else csv",
        )
        parser.add_argument("--layout", choices=product_export.LAYOUTS, default="own")

    def handle(self, *_: Any, **options: Any) -> None:
        path = Path(options["file"])
        file_format: product_export.Format = options["format"] or (
            "xlsx" if path.suffix.lower() == ".xlsx" else "csv"
        )
        chunks = product_export.export_products(
            Product.objects.all(), layout=options["layout"], file_format=file_format, build_url=str
        )
        if options["file"] == "-":
            sys.stdout.buffer.writelines(chunks)
            return
        try:
            _write_whole(path.resolve(), chunks)
        except OSError as error:
            raise CommandError(f"The file cannot be written: {error}") from error


def _write_whole(path: Path, chunks: Iterator[bytes]) -> None:
    """Replace the file once all is written: a failed export leaves the old file, or none."""
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
        path.write_bytes(b"".join(chunks))
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("xb") as file:
            file.writelines(chunks)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
