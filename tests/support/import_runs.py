"""Product imports through the services, and their results."""

import csv
import io

from shop.models import ChangeSet, Product, User
from shop.product_files.imports.preview import preview_import, store_upload
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.undo import undo_change_set

HEADERS = ("sku", "name", "price", "stock", "stock at export")


def csv_text(*rows, headers=HEADERS):
    out = io.StringIO()
    csv.writer(out).writerows([headers, *rows])
    return out.getvalue()


def ada():
    return User.objects.get(email="ada@example.com")


def upload_text(text, name="spring.csv", **options):
    content = text if isinstance(text, bytes) else text.encode()
    return store_upload(actor=ada(), name=name, content=content, options=options)


def create_preview(text, **options):
    """Upload the text as Ada and preview it."""
    change_set = upload_text(text, **options)
    preview_import(change_set)
    assert change_set.error == ""
    return change_set


def create_applied(text, *, good_only=False, **options):
    change_set = create_preview(text, **options)
    apply_change_set(change_set.pk, actor=ada(), good_only=good_only)
    change_set.refresh_from_db()
    return change_set


def undone(change_set):
    undo_change_set(change_set.pk, actor=ada())
    change_set.refresh_from_db()
    return change_set


def row_values(change_set, *columns):
    return list(change_set.rows.order_by("number").values_list(*columns))


def row_messages(change_set):
    """Return line -> messages of its problems."""
    rows = change_set.rows.exclude(problems=[]).order_by("number")
    return {row.number: [problem["message"] for problem in row.problems] for row in rows}


def problem_fields(change_set):
    """Return line -> fields with problems."""
    rows = change_set.rows.exclude(problems=[]).order_by("number")
    return {row.number: [problem["field"] for problem in row.problems] for row in rows}


def catalogue():
    """Return SKU -> all product fields that a file can set."""
    columns = ("name", "description", "price", "stock", "is_active", "low_stock_threshold", "image")
    return {row["sku"]: row for row in Product.objects.order_by("pk").values("sku", *columns)}


def current_state(change_set):
    return ChangeSet.objects.get(pk=change_set.pk).state


def outcomes(change_set):
    """Return SKU -> outcome and reason, of the new and changed rows."""
    rows = change_set.rows.filter(status__in=("new", "changed")).order_by("number")
    return {row.sku: (row.outcome, row.reason) for row in rows}
