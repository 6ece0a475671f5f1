"""Imports of product files: upload, preview, apply and undo, and their results."""

import csv
import io

from shop.models import Product, ProductImport, User
from shop.product_files.imports.apply import apply_import
from shop.product_files.imports.preview import preview_import, store_upload
from shop.product_files.imports.undo import undo_import

HEADERS = ("sku", "name", "price", "stock", "stock at export")


def text_of(*rows, headers=HEADERS):
    """The text of a CSV file."""
    out = io.StringIO()
    csv.writer(out).writerows([headers, *rows])
    return out.getvalue()


def checked(text, **options):
    """The import of a CSV file after its preview, uploaded by Ada."""
    product_import = store_upload(
        actor=ada(), name="spring.csv", content=text.encode(), options=options
    )
    preview_import(product_import)
    assert product_import.error == ""
    return product_import


def ada():
    return User.objects.get(email="ada@example.com")


def applied(text, *, good_only=False, **options):
    """The import of a CSV file after it was applied."""
    product_import = checked(text, **options)
    apply_import(product_import.pk, actor=ada(), good_only=good_only)
    product_import.refresh_from_db()
    return product_import


def taken_back(product_import):
    """The import after undo."""
    undo_import(product_import.pk, actor=ada())
    product_import.refresh_from_db()
    return product_import


def rows(product_import, *columns):
    """These columns of the rows of the import."""
    return list(product_import.rows.order_by("number").values_list(*columns))


def said(product_import):
    """Line number → its messages: errors, or the reason why it is skipped."""
    with_messages = product_import.rows.exclude(problems=[]).order_by("number")
    return {row.number: [problem["said"] for problem in row.problems] for row in with_messages}


def catalogue():
    """SKU → the fields that a product file can change."""
    columns = ("name", "description", "price", "stock", "is_active", "low_stock_threshold", "image")
    return {row["sku"]: row for row in Product.objects.order_by("pk").values("sku", *columns)}


def state_of(product_import):
    return ProductImport.objects.get(pk=product_import.pk).state


def outcomes(product_import):
    """SKU → outcome and its reason, of the rows that change the catalogue."""
    written = product_import.rows.filter(status__in=("new", "changed")).order_by("number")
    return {row.sku: (row.outcome, row.why) for row in written}
