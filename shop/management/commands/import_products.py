"""`manage.py import_products FILE`: the admin's import, for a terminal or a nightly job."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.models import ImportRow, ProductImport, User
from shop.product_files.imports import preview, runner
from shop.services.errors import ShopError
from shop.services.import_retention import discard_import

NAMED = 20


class Command(BaseCommand):
    """Exits with 1, and says why, when nothing was applied."""

    help = "Bring a product file (CSV, TSV, XLSX, ZIP): check it, say what it does, and apply it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only say what it would do")
        parser.add_argument(
            "--good-only", action="store_true", help="leave out what is wrong, apply the rest"
        )
        stock = [way for way in ProductImport.Stock.values if way != ProductImport.Stock.DIFFERENCE]
        parser.add_argument("--stock", choices=stock, help="for files without “stock at export”")
        parser.add_argument(
            "--blank", choices=ProductImport.Blank.values, help="what a blank cell does (keep)"
        )
        parser.add_argument(
            "--point", choices=[".", ","], help="the decimal sign, where the file does not say"
        )
        parser.add_argument("--as", dest="email", help="who does it (the only superuser)")

    def handle(self, *_: Any, file: Path, dry_run: bool, good_only: bool, **options: Any) -> None:
        actor = self._actor(options["email"])
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        chosen = {name: options[name] for name in ("stock", "blank", "point") if options[name]}
        product_import = preview.store_upload(
            actor=actor, name=file.name, content=content, options=chosen
        )
        self._do(product_import, runner.CHECK, actor)
        self._tell(product_import)
        if dry_run:
            discard_import(import_id=product_import.pk, actor=actor)
            self.stdout.write("Nothing was changed.")
            return
        self._do(product_import, runner.APPLY, actor, good_only=good_only)
        done = product_import.result
        pictures = f", {done['pictures']:,} pictures set" if "pictures" in done else ""
        left = done["left"] + product_import.counts["wrong"]
        self.stdout.write(
            f"Import {product_import.pk}: {done['new']:,} added, {done['changed']:,} changed,"
            f" {left:,} left out{pictures}."
        )

    def _actor(self, email: str | None) -> User:
        staff = User.objects.filter(is_active=True, role=User.Role.ADMIN)
        found = staff.filter(email__iexact=email) if email else staff.filter(is_superuser=True)
        actors = list(found[:2])
        if len(actors) != 1:
            raise CommandError("Say with --as EMAIL which member of staff does this.")
        return actors[0]

    def _do(self, product_import: ProductImport, step: str, actor: User, **terms: Any) -> None:
        try:
            runner.request_step(product_import.pk, step, actor=actor, at_once=True, **terms)
        except ShopError as error:
            raise CommandError(str(error)) from error
        product_import.refresh_from_db()
        if product_import.error:
            raise CommandError(f"{product_import.error} Nothing was changed.")

    def _tell(self, product_import: ProductImport) -> None:
        found = product_import.found
        kind = ", ".join(filter(None, [found["format"], found["encoding"]]))
        self.stdout.write(
            f"{product_import.name}: {kind}, columns of {preview.DIALECTS[found['dialect']].label}"
        )
        for sentence in (
            *found["suggestions"],
            *found["questions"].values(),
            *product_import.warnings,
        ):
            self.stdout.write(sentence)
        self.stdout.write(
            ", ".join(f"{product_import.counts[kind]:,} {kind}" for kind in ImportRow.Status.values)
        )
        wrong = product_import.rows.filter(status=ImportRow.Status.WRONG).order_by("number")
        for row in wrong[:NAMED]:
            said = " ".join(problem["said"] for problem in row.problems)
            self.stdout.write(f"Line {row.number} {row.sku}: {said}")
        if (more := product_import.counts["wrong"] - NAMED) > 0:
            self.stdout.write(f"And {more:,} more.")
