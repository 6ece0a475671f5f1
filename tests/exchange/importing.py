"""Product files as people bring them, and what became of them."""

import csv
import io

from shop.exchange.applying import apply
from shop.exchange.checking import check, upload
from shop.exchange.undoing import undo
from shop.models import Import, Product, User

HEADERS = ("sku", "name", "price", "stock", "stock at export")


def text_of(*rows, headers=HEADERS):
    out = io.StringIO()
    csv.writer(out).writerows([headers, *rows])
    return out.getvalue()


def checked(text, **options):
    """The import of this file, checked for Ada."""
    import_ = upload(actor=ada(), name="spring.csv", content=text.encode(), options=options)
    check(import_)
    assert import_.error == ""
    return import_


def ada():
    return User.objects.get(email="ada@example.com")


def applied(text, *, good_only=False, **options):
    import_ = checked(text, **options)
    apply(import_.pk, actor=ada(), good_only=good_only)
    import_.refresh_from_db()
    return import_


def taken_back(import_):
    undo(import_.pk, actor=ada())
    import_.refresh_from_db()
    return import_


def rows(import_, *columns):
    return list(import_.rows.order_by("number").values_list(*columns))


def said(import_):
    """Line → what is wrong or why it is skipped."""
    found = import_.rows.exclude(problems=[]).order_by("number")
    return {row.number: [problem["said"] for problem in row.problems] for row in found}


def catalogue():
    """All that a product file can say, by SKU."""
    columns = ("name", "description", "price", "stock", "is_active", "low_stock_threshold", "image")
    return {row["sku"]: row for row in Product.objects.order_by("pk").values("sku", *columns)}


def state_of(import_):
    return Import.objects.get(pk=import_.pk).state


def outcomes(import_):
    """SKU → outcome and why, of the rows that were to be written."""
    found = import_.rows.filter(verdict__in=("new", "changed")).order_by("number")
    return {row.sku: (row.outcome, row.why) for row in found}
