"""Product imports through the services, and their results."""

import csv
import io

from shop.models import Product, ProductImport, User
from shop.product_files.imports.apply import apply_import
from shop.product_files.imports.preview import preview_import, store_upload
from shop.product_files.imports.undo import undo_import

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
    product_import = upload_text(text, **options)
    preview_import(product_import)
    assert product_import.error == ""
    return product_import


def create_applied(text, *, good_only=False, **options):
    product_import = create_preview(text, **options)
    apply_import(product_import.pk, actor=ada(), good_only=good_only)
    product_import.refresh_from_db()
    return product_import


def undone(product_import):
    undo_import(product_import.pk, actor=ada())
    product_import.refresh_from_db()
    return product_import


def row_values(product_import, *columns):
    return list(product_import.rows.order_by("number").values_list(*columns))


def row_messages(product_import):
    """Return line -> messages of its problems."""
    rows = product_import.rows.exclude(problems=[]).order_by("number")
    return {row.number: [problem["message"] for problem in row.problems] for row in rows}


def problem_fields(product_import):
    """Return line -> fields with problems."""
    rows = product_import.rows.exclude(problems=[]).order_by("number")
    return {row.number: [problem["field"] for problem in row.problems] for row in rows}


def catalogue():
    """Return SKU -> all product fields that a file can set."""
    columns = ("name", "description", "price", "stock", "is_active", "low_stock_threshold", "image")
    return {row["sku"]: row for row in Product.objects.order_by("pk").values("sku", *columns)}


def current_state(product_import):
    return ProductImport.objects.get(pk=product_import.pk).state


def outcomes(product_import):
    """Return SKU -> outcome and reason, of the new and changed rows."""
    rows = product_import.rows.filter(status__in=("new", "changed")).order_by("number")
    return {row.sku: (row.outcome, row.reason) for row in rows}
