"""The preview: what each row of a file changes, without changing the catalogue."""

import pytest
from support import factories
from support.import_runs import (
    ada,
    create_preview,
    csv_text,
    problem_fields,
    row_messages,
    row_values,
)

from shop.models import ChangeSet, Product
from shop.models.products import MAX_STOCK
from shop.product_files.imports import preview
from shop.product_files.imports.preview import preview_import, store_upload
from shop.services.change_sets import locking
from shop.services.change_sets.locking import State, claim
from shop.services.errors import ConcurrentUpdate, ImportNotReady, NotFound
from shop.services.stock import Kind, adjust_stock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]

NEW_RUG = {
    "name": "Rug",
    "sku": "NEW-1",
    "barcode": None,
    "description": "",
    "price": "7.00",
    "is_active": True,
    "low_stock_threshold": 5,
    "tax_rate": None,
}


def test_rows_are_new_changed_or_unchanged(mug, lamp):
    before = factories.all_rows()["Product"]
    change_set = create_preview(
        csv_text(
            ("MUG-1", "Mug", "12.50", 10, 10),
            ("lamp-1", "Lamp", "50", 9, 5),
            ("NEW-1", "Rug", 7, 3, ""),
        )
    )
    old, new = {"price": "49.90", "stock": 5}, {"price": "50.00", "stock": 9}
    assert row_values(
        change_set, "number", "status", "sku", "name", "product", "before", "after", "delta"
    ) == [
        (2, "unchanged", "MUG-1", "Mug", mug.pk, {}, {}, None),
        (3, "changed", "LAMP-1", "Lamp", lamp.pk, old, new, 4),
        (4, "new", "NEW-1", "Rug", None, {}, NEW_RUG, 3),
    ]
    assert change_set.counts == {
        "new": 1,
        "changed": 1,
        "unchanged": 1,
        "skipped": 0,
        "error": 0,
    }
    assert (
        change_set.state,
        change_set.rows_checked,
        change_set.rows_total,
        change_set.warnings,
    ) == ("checked", 3, 3, [])
    assert factories.all_rows()["Product"] == before


def test_every_editable_field_is_imported(mug):
    headers = ("sku", "name", "description", "price", "active", "reorder level")
    change_set = create_preview(
        csv_text(("MUG-1", "Cup", "Red.\nBig.", "13", "no", "7"), headers=headers)
    )
    assert row_values(change_set, "after") == [
        (
            {
                "name": "Cup",
                "description": "Red.\nBig.",
                "price": "13.00",
                "is_active": False,
                "low_stock_threshold": 7,
            },
        )
    ]


def test_text_is_compared_after_cleaning(mug):
    assert row_values(
        create_preview(csv_text((" mug-1 ", "  Mug ", "12,50", "", ""))), "status"
    ) == [("unchanged",)]


@pytest.mark.parametrize(
    ("cells", "messages"),
    [
        (("A-1", "", "7", "", ""), ["Name is missing: a new product needs it."]),
        (("A-1", "Rug", "", "", ""), ["Price is missing: a new product needs it."]),
        (
            ("A-1", "R" * 201, "7", "", ""),
            ["Name is too long: the limit is 200 characters, this has 201."],
        ),
        (
            ("Ä-1", "Rug", "7", "", ""),
            ["SKU: Use letters A to Z, digits and punctuation, without accents."],
        ),
        (
            ("A-1", "Rug", "123456789", "", ""),
            ["Price is too large: the limit is 8 digits before the decimals."],
        ),
        (
            ("A-1", "R\x07ug", "7", "", ""),
            ["Name: Remove the character U+0007: it isn't allowed."],
        ),
        (
            ("A-1", "", "abc", "x", ""),
            [
                "Price: “abc” isn't a price. Write it like 12.50.",
                "Stock: “x” isn't a whole number. Write it like 12.",
                "Name is missing: a new product needs it.",
            ],
        ),
        (
            ("A-1", "Rug", "7", MAX_STOCK + 1, ""),
            ["Stock: it would become 1,000,000,001. Allowed is 0 to 1,000,000,000."],
        ),
    ],
)
def test_row_with_errors_lists_all_errors_and_keeps_its_cells(cells, messages):
    change_set = create_preview(csv_text(cells))
    assert row_messages(change_set) == {2: messages}
    assert row_values(change_set, "status", "cells", "after") == [
        ("error", [str(cell) for cell in cells], {})
    ]
    assert change_set.counts["error"] == 1


def test_error_of_one_row_does_not_affect_others(mug):
    change_set = create_preview(
        csv_text(
            ("A-1", "Rug", "7", "", ""), ("A-2", "Mat", "x", "", ""), ("A-3", "Bag", "8", "", "")
        )
    )
    assert row_values(change_set, "sku", "status") == [
        ("A-1", "new"),
        ("A-2", "error"),
        ("A-3", "new"),
    ]


def test_row_that_is_not_a_product_is_skipped():
    headers = ("Handle", "Title", "Variant Price", "Image Src")
    change_set = create_preview(
        csv_text(("mug", "Mug", "7", "a.jpg"), ("mug", "", "", "b.jpg"), headers=headers)
    )
    assert row_values(change_set, "status") == [("new",), ("skipped",)]
    assert row_messages(change_set) == {3: ["This row is only a picture of “mug”."]}
    assert row_values(change_set, "cells")[1] == (["mug", "", "", "b.jpg"],)


def test_repeated_sku_is_an_error_in_each_line(mug):
    change_set = create_preview(
        csv_text(
            ("A-1", "Rug", 7, "", ""),
            ("B-1", "Mat", 7, "", ""),
            ("a-1", "Bag", 7, "", ""),
            ("A-1 ", "Rug", 7, "", ""),
        )
    )
    assert row_messages(change_set) == {
        2: ["SKU: lines 4, 5 have the same SKU."],
        4: ["SKU: lines 2, 5 have the same SKU."],
        5: ["SKU: lines 2, 4 have the same SKU."],
    }
    assert change_set.warnings == ["3 rows share a SKU with another row. Keep one row per SKU."]


def test_new_product_without_sku_gets_one(mug):
    change_set = create_preview(csv_text(("", "Rug", "7", 3, ""), ("", "Mat", "8", "", "")))
    (first, first_delta), (second, second_delta) = row_values(change_set, "sku", "delta")
    assert (first[:2], second[:2], first != second) == ("P-", "P-", True)
    assert (first_delta, second_delta) == (3, 0)
    assert change_set.warnings == ["2 new rows have no SKU. We generate one for each."]


@pytest.mark.parametrize(
    ("blank_cells", "cells", "after", "fields"),
    [
        ("keep", ("MUG-1", "", "", ""), {}, {}),
        ("keep", ("MUG-1", "\u200b", "\u3164", "\ufeff\u2060"), {}, {}),
        ("clear", ("MUG-1", "Mug", "12.50", "\u200b"), {"description": ""}, {}),
        ("clear", ("MUG-1", "\u3164", "12.50", "Red."), {}, {2: ["name"]}),
        ("clear", ("MUG-1", "Mug", "12.50", ""), {"description": ""}, {}),
        ("clear", ("MUG-1", "", "12.50", "Red."), {}, {2: ["name"]}),
        ("clear", ("MUG-1", "Mug", "", "Red."), {}, {2: ["price"]}),
    ],
)
def test_blank_cells_keep_or_clear_the_value(mug, blank_cells, cells, after, fields):
    Product.objects.update(description="Red.")
    change_set = create_preview(
        csv_text(cells, headers=("sku", "name", "price", "description")), blank_cells=blank_cells
    )
    assert (row_values(change_set, "after"), problem_fields(change_set)) == (
        [(after,)],
        fields,
    )


@pytest.mark.parametrize(
    ("mode", "cells", "delta", "messages"),
    [
        ("", (15, 10), 5, []),
        ("", (15, 12), 3, []),
        ("", ("", 12), None, []),
        ("", (10, 10), None, []),
        (
            "",
            (0, 11),
            None,
            ["Stock: it is 10 and would become -1. Allowed is 0 to 1,000,000,000."],
        ),
        (
            "",
            (15, ""),
            None,
            ["Stock: The stock at export is missing, so the difference is unknown."],
        ),
        ("set", (15, 12), 5, []),
        ("set", (0, ""), -10, []),
        ("add", (15, ""), 15, []),
        ("leave", (15, 10), None, []),
        ("set", ("3.7", ""), None, ["Stock: “3.7” isn't a whole number. Write it like 12."]),
    ],
)
def test_stock_modes(mug, mode, cells, delta, messages):
    change_set = create_preview(csv_text(("MUG-1", "", "", *cells)), stock_mode=mode)
    assert (row_values(change_set, "delta"), row_messages(change_set)) == (
        [(delta,)],
        {2: messages} if messages else {},
    )


def test_stock_without_stock_at_export_is_a_question(mug):
    text = csv_text(("MUG-1", 15), ("A-1", 4), headers=("sku", "stock"))
    change_set = create_preview(text)
    assert change_set.detected["questions"] == ["stock_mode"]
    assert row_values(change_set, "status", "delta")[0] == ("unchanged", None)
    assert create_preview(text, stock_mode="leave").detected["questions"] == []


def test_ambiguous_prices_are_a_question(mug):
    text = csv_text(("MUG-1", "1,800"), ("LAMP-1", "15"), headers=("sku", "price"))
    change_set = create_preview(text)
    assert (change_set.detected["questions"], change_set.state) == (
        ["decimal_mark"],
        "checked",
    )
    message = "Price: “1,800” can be read in two ways. Choose the number format of this file."
    assert row_messages(change_set)[2] == [message]
    assert row_values(create_preview(text, decimal_mark="."), "after")[0] == ({"price": "1800.00"},)
    assert row_values(create_preview(text, decimal_mark=","), "after")[0] == ({"price": "1.80"},)


def test_large_changes_are_warned_of(mug, lamp):
    change_set = create_preview(
        csv_text(("MUG-1", "", "18.75", 0, 10), ("LAMP-1", "", "74.86", 0, 5))
    )
    assert change_set.warnings == [
        "1 price changes by more than 50%.",
        "100% of the products with stock in this file fall to 0.",
    ]


def test_chosen_columns_replace_detected_ones(mug):
    text = csv_text(("MUG-1", "12.50", "99"), headers=("sku", "price", "resale"))
    assert create_preview(text).detected["unknown_headers"] == ["resale"]
    change_set = create_preview(text, columns={"price": 2})
    assert row_values(change_set, "after") == [({"price": "99.00"},)]
    assert (change_set.detected["columns"], change_set.detected["unknown_headers"]) == (
        {"sku": 0, "price": 2},
        [],
    )
    assert change_set.headers == ["sku", "", "price"]


@pytest.mark.parametrize("count", [1, 3, 3000])
def test_statement_count_grows_only_with_batches(count, mug, statements):
    text = csv_text(*[(f"A-{number}", "Rug", "7", 3, "") for number in range(count)])
    change_set = store_upload(actor=ada(), name="many.csv", content=text.encode())
    batches = -(-count // preview.ROWS_PER_TRANSACTION)
    with statements(7 + 3 * batches):
        preview_import(change_set)
    assert change_set.counts["new"] == count


def test_new_preview_replaces_the_rows(mug):
    change_set = create_preview(csv_text(("MUG-1", "", "13", 12, 10)))
    adjust_stock(product_id=mug.pk, delta=-3, kind=Kind.DAMAGED, actor=ada())
    preview_import(change_set)
    assert row_values(change_set, "before", "after") == [
        ({"price": "12.50", "stock": 7}, {"price": "13.00", "stock": 9}),
    ]
    assert change_set.counts["changed"] == 1


def test_unreadable_file_fails_with_the_reason(mug):
    change_set = store_upload(actor=ada(), name="x.csv", content=b"")
    preview_import(change_set)
    assert (change_set.state, change_set.error[:9], change_set.rows.count()) == (
        "failed",
        "“x.csv” i",
        0,
    )


def test_unexpected_error_fails_the_import_and_is_raised(mug, monkeypatch):
    change_set = create_preview(csv_text(("MUG-1", "", "13", "", "")))
    monkeypatch.setattr(preview, "validate_rows", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        preview_import(change_set)
    assert (change_set.state, change_set.rows.count()) == ("failed", 0)


def test_one_preview_runs_at_a_time_and_a_stalled_one_is_taken_over(mug, monkeypatch):
    change_set = create_preview(csv_text(("MUG-1", "", "13", "", "")))
    claim(change_set.pk, State.CHECKING, from_states=[State.CHECKED])
    with pytest.raises(ImportNotReady, match="being checked"):
        preview_import(change_set)
    monkeypatch.setattr(locking, "STALLED_AFTER", -locking.STALLED_AFTER)
    assert locking.is_stalled(ChangeSet.objects.get())
    real = preview.validate_rows

    def take_over(*arguments):
        claim(change_set.pk, State.CHECKING, from_states=[])
        return real(*arguments)

    monkeypatch.setattr(preview, "validate_rows", take_over)
    with pytest.raises(ConcurrentUpdate):
        preview_import(change_set)
    assert (change_set.state, change_set.rows.count()) == ("checking", 0)


def test_unknown_import_is_not_found():
    with pytest.raises(NotFound):
        claim(7, State.CHECKING, from_states=[State.UPLOADED])
