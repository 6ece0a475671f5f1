"""`manage.py import_products FILE`: import a product file from a terminal or a nightly job."""

from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.models import ChangeRow, ChangeSet, User
from shop.product_files.imports import preview, runner
from shop.product_files.imports.field_parsing import RELATIONS
from shop.product_files.imports.relations import created_entries, list_names
from shop.services.change_sets.retention import discard_change_set
from shop.services.errors import ShopError

MAX_PRINTED_ERRORS = 20
RELATED_MODELS = sorted({field.related_model._meta.label_lower for field in RELATIONS})


class Command(BaseCommand):
    """Previews and applies a file. Exits with 1 and the reason if nothing was applied."""

    help = "Import a product file (CSV, TSV, XLSX, ZIP): preview it, print the preview, apply it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only print the preview")
        parser.add_argument(
            "--good-only", action="store_true", help="leave out rows with errors, apply the others"
        )
        stock_modes = [*ChangeSet.StockMode.values]
        stock_modes.remove(ChangeSet.StockMode.DIFFERENCE)
        parser.add_argument(
            "--stock", choices=stock_modes, help="for files without “stock at export”"
        )
        parser.add_argument(
            "--blank",
            choices=ChangeSet.BlankCells.values,
            help="what blank cells do: keep the value (default) or clear the field",
        )
        parser.add_argument(
            "--decimal-mark", choices=[".", ","], help="for files in which prices are ambiguous"
        )
        parser.add_argument(
            "--create-missing",
            action="store_true",
            help="create brands and the like that the file names and that don't exist",
        )
        parser.add_argument(
            "--as", dest="email", help="the responsible staff user (default: the only superuser)"
        )

    def handle(self, *_: Any, file: Path, dry_run: bool, good_only: bool, **options: Any) -> None:
        actor = self._actor(options["email"])
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error

        reading = {
            "stock_mode": options["stock"],
            "blank_cells": options["blank"],
            "decimal_mark": options["decimal_mark"],
            "create_missing": RELATED_MODELS if options["create_missing"] else [],
        }
        change_set = preview.store_upload(
            actor=actor,
            name=file.name,
            content=content,
            options={name: value for name, value in reading.items() if value},
        )
        self._run_step(change_set, runner.PREVIEW, actor)
        self._print_preview(change_set)
        if dry_run:
            discard_change_set(change_set_id=change_set.pk, actor=actor)
            self.stdout.write("Nothing was changed.")
            return
        self._run_step(change_set, runner.APPLY, actor, good_only=good_only)
        self._print_result(change_set)

    def _actor(self, email: str | None) -> User:
        staff = User.objects.filter(is_active=True, role=User.Role.ADMIN)
        matches = staff.filter(email__iexact=email) if email else staff.filter(is_superuser=True)
        actors = list(matches[:2])
        if len(actors) != 1:
            raise CommandError("Name the responsible staff user with --as EMAIL.")
        return actors[0]

    def _run_step(self, change_set: ChangeSet, step: str, actor: User, **options: Any) -> None:
        try:
            runner.request_step(change_set.pk, step, actor=actor, run_inline=True, **options)
        except ShopError as error:
            raise CommandError(str(error)) from error
        change_set.refresh_from_db()
        if change_set.pending_step:
            raise CommandError(
                f"{change_set.error} The products were imported, but not all pictures."
                " Run it again to store the rest."
            )
        if change_set.error:
            raise CommandError(f"{change_set.error} Nothing was changed.")

    def _print_preview(self, change_set: ChangeSet) -> None:
        detected, counts = change_set.detected, change_set.counts
        kind = ", ".join(filter(None, [detected["file_type"], detected["encoding"]]))
        file_format = preview.FILE_FORMATS[detected["file_format"]]
        self.stdout.write(f"{change_set.name}: {kind}, format: {file_format.label}")
        questions = [str(preview.QUESTIONS[name]) for name in detected["questions"]]
        for sentence in (*detected["suggestions"], *questions, *change_set.warnings):
            self.stdout.write(sentence)
        self.stdout.write(
            ", ".join(f"{label}: {counts[status]:,}" for status, label in ChangeRow.Status.choices)
        )

        for names in list_names(created_entries(change_set)):
            self.stdout.write(f"Will be created: {names}")
        rows = change_set.rows.filter(status=ChangeRow.Status.ERROR).order_by("number")
        for row in rows[:MAX_PRINTED_ERRORS]:
            texts = ((problem["message"], problem["suggestion"]) for problem in row.problems)
            errors = " ".join(filter(None, chain.from_iterable(texts)))
            self.stdout.write(f"Line {row.number} {row.sku}: {errors}")
        if (more := counts[ChangeRow.Status.ERROR] - MAX_PRINTED_ERRORS) > 0:
            self.stdout.write(f"And {more:,} more.")

    def _print_result(self, change_set: ChangeSet) -> None:
        result = change_set.result
        left_out = result["left_out"] + change_set.counts[ChangeRow.Status.ERROR]
        created = f", {result['created']:,} related records created" if "created" in result else ""
        pictures = f", {result['pictures']:,} pictures set" if "pictures" in result else ""
        self.stdout.write(
            f"Import {change_set.pk}: {result['new']:,} added, {result['changed']:,} changed,"
            f" {left_out:,} left out{created}{pictures}."
        )
