"""What a file would do, row by row, without doing it."""

import pytest
from support import factories
from support.import_runs import ada, checked, rows, said, text_of

from shop.models import Product, ProductImport
from shop.models.products import MAX_STOCK
from shop.product_files.imports import locking, preview
from shop.product_files.imports.locking import State, claim
from shop.product_files.imports.preview import preview_import, store_upload
from shop.services.errors import ConcurrentUpdate, ImportNotReady, NotFound
from shop.services.stock import Kind, adjust_stock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]

NEW_RUG = {
    "name": "Rug",
    "sku": "NEW-1",
    "description": "",
    "price": "7.00",
    "is_active": True,
    "low_stock_threshold": 5,
}


def test_each_row_is_new_changed_or_the_same(mug, lamp):
    before = factories.all_rows()["Product"]
    product_import = checked(
        text_of(
            ("MUG-1", "Mug", "12.50", 10, 10),
            ("lamp-1", "Lamp", "50", 9, 5),
            ("NEW-1", "Rug", 7, 3, ""),
        )
    )
    old, new = {"price": "49.90", "stock": 5}, {"price": "50.00", "stock": 9}
    assert rows(
        product_import, "number", "status", "sku", "name", "product", "before", "after", "delta"
    ) == [
        (2, "same", "MUG-1", "Mug", mug.pk, {}, {}, None),
        (3, "changed", "LAMP-1", "Lamp", lamp.pk, old, new, 4),
        (4, "new", "NEW-1", "Rug", None, {}, NEW_RUG, 3),
    ]
    assert product_import.counts == {"new": 1, "changed": 1, "same": 1, "skipped": 0, "wrong": 0}
    assert (
        product_import.state,
        product_import.done,
        product_import.total,
        product_import.warnings,
    ) == ("checked", 3, 3, [])
    assert factories.all_rows()["Product"] == before


def test_every_field_that_staff_edit_takes_part_by_itself(mug):
    headers = ("sku", "name", "description", "price", "active", "reorder level")
    product_import = checked(
        text_of(("MUG-1", "Cup", "Red.\nBig.", "13", "no", "7"), headers=headers)
    )
    assert rows(product_import, "after") == [
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


def test_text_is_compared_as_it_would_be_stored(mug):
    assert rows(checked(text_of((" mug-1 ", "  Mug ", "12,50", "", ""))), "status") == [("same",)]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("A-1", "", "7", "", ""), ["Name is missing: a new product needs it."]),
        (("A-1", "Rug", "", "", ""), ["Price is missing: a new product needs it."]),
        (
            ("A-1", "R" * 201, "7", "", ""),
            ["Name is too long: it may have 200 characters, this has 201."],
        ),
        (
            ("Ä-1", "Rug", "7", "", ""),
            ["SKU: Use letters A to Z, digits and punctuation, without accents."],
        ),
        (
            ("A-1", "Rug", "123456789", "", ""),
            ["Price is too large: it may have 8 digits before its decimals."],
        ),
        (
            ("A-1", "R\x07ug", "7", "", ""),
            ["Name: This holds a character that cannot be used: U+0007."],
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
            ["Stock: It would become 1,000,000,001; possible is 0 to 1,000,000,000."],
        ),
    ],
)
def test_a_wrong_row_says_all_that_is_wrong_and_keeps_its_cells(cells, told):
    product_import = checked(text_of(cells))
    assert said(product_import) == {2: told}
    assert rows(product_import, "status", "cells", "after") == [
        ("wrong", [str(cell) for cell in cells], {})
    ]
    assert product_import.counts["wrong"] == 1


def test_one_wrong_row_among_good_ones_is_the_only_one(mug):
    product_import = checked(
        text_of(
            ("A-1", "Rug", "7", "", ""), ("A-2", "Mat", "x", "", ""), ("A-3", "Bag", "8", "", "")
        )
    )
    assert rows(product_import, "sku", "status") == [
        ("A-1", "new"),
        ("A-2", "wrong"),
        ("A-3", "new"),
    ]


def test_a_row_that_is_no_product_is_skipped_with_the_reason():
    headers = ("Handle", "Title", "Variant Price", "Image Src")
    product_import = checked(
        text_of(("mug", "Mug", "7", "a.jpg"), ("mug", "", "", "b.jpg"), headers=headers)
    )
    assert rows(product_import, "status") == [("new",), ("skipped",)]
    assert said(product_import) == {3: ["This row is only a picture of “mug”."]}
    assert rows(product_import, "cells")[1] == (["mug", "", "", "b.jpg"],)


def test_a_sku_that_is_there_twice_is_wrong_in_each_of_its_lines(mug):
    product_import = checked(
        text_of(
            ("A-1", "Rug", 7, "", ""),
            ("B-1", "Mat", 7, "", ""),
            ("a-1", "Bag", 7, "", ""),
            ("A-1 ", "Rug", 7, "", ""),
        )
    )
    assert said(product_import) == {
        2: ["SKU: lines 4, 5 have the same one."],
        4: ["SKU: lines 2, 5 have the same one."],
        5: ["SKU: lines 2, 4 have the same one."],
    }
    assert product_import.warnings == ["3 rows have a SKU that another row has too."]


def test_a_new_product_without_sku_gets_one(mug):
    product_import = checked(text_of(("", "Rug", "7", 3, ""), ("", "Mat", "8", "", "")))
    found = rows(product_import, "sku", "delta")
    assert [sku[:2] for sku, _ in found] == ["P-", "P-"]
    assert (found[0][0] != found[1][0], [delta for _, delta in found]) == (True, [3, 0])
    assert product_import.warnings == ["2 new rows have no SKU. One is made for each."]


@pytest.mark.parametrize(
    ("blank", "cells", "after", "told"),
    [
        ("keep", ("MUG-1", "", "", ""), {}, {}),
        ("clear", ("MUG-1", "Mug", "12.50", ""), {"description": ""}, {}),
        ("clear", ("MUG-1", "", "12.50", "Red."), {}, {2: ["Name: This cannot be empty."]}),
        ("clear", ("MUG-1", "Mug", "", "Red."), {}, {2: ["Price: This cannot be empty."]}),
    ],
)
def test_a_blank_cell_keeps_or_clears_as_chosen(mug, blank, cells, after, told):
    Product.objects.update(description="Red.")
    product_import = checked(
        text_of(cells, headers=("sku", "name", "price", "description")), blank=blank
    )
    assert (rows(product_import, "after"), said(product_import)) == ([(after,)], told)


@pytest.mark.parametrize(
    ("how", "cells", "delta", "told"),
    [
        ("", (15, 10), 5, []),
        ("", (15, 12), 3, []),
        ("", ("", 12), None, []),
        ("", (10, 10), None, []),
        (
            "",
            (0, 11),
            None,
            ["Stock: It is 10 now and would become -1; possible is 0 to 1,000,000,000."],
        ),
        (
            "",
            (15, ""),
            None,
            ["Stock: The stock at export is missing, so the difference is not known."],
        ),
        ("set", (15, 12), 5, []),
        ("set", (0, ""), -10, []),
        ("add", (15, ""), 15, []),
        ("leave", (15, 10), None, []),
        ("set", ("3.7", ""), None, ["Stock: “3.7” isn't a whole number. Write it like 12."]),
    ],
)
def test_stock_moves_by_the_difference_unless_chosen_otherwise(mug, how, cells, delta, told):
    product_import = checked(text_of(("MUG-1", "", "", *cells)), stock=how)
    assert (rows(product_import, "delta"), said(product_import)) == (
        [(delta,)],
        {2: told} if told else {},
    )


def test_without_the_stock_at_export_it_is_asked_what_the_stock_means(mug):
    text = text_of(("MUG-1", 15), ("A-1", 4), headers=("sku", "stock"))
    product_import = checked(text)
    assert list(product_import.found["questions"]) == ["stock"]
    assert rows(product_import, "status", "delta")[0] == ("same", None)
    assert checked(text, stock="leave").found["questions"] == {}


def test_prices_that_can_be_read_in_two_ways_are_asked_about_never_guessed(mug):
    text = text_of(("MUG-1", "1,800"), ("LAMP-1", "15"), headers=("sku", "price"))
    product_import = checked(text)
    assert (list(product_import.found["questions"]), product_import.state) == (["point"], "checked")
    told = "Price: “1,800” can be read in two ways. Say which sign the decimals have in this file."
    assert said(product_import)[2] == [told]
    assert rows(checked(text, point="."), "after")[0] == ({"price": "1800.00"},)
    assert rows(checked(text, point=","), "after")[0] == ({"price": "1.80"},)


def test_great_changes_are_warned_of(mug, lamp):
    product_import = checked(text_of(("MUG-1", "", "18.75", 0, 10), ("LAMP-1", "", "74.86", 0, 5)))
    assert product_import.warnings == [
        "1 price changes by more than 50%.",
        "100% of the products with stock in this file fall to 0.",
    ]


def test_columns_that_staff_choose_are_taken_instead(mug):
    text = text_of(("MUG-1", "12.50", "99"), headers=("sku", "price", "resale"))
    assert checked(text).found["unknown"] == ["resale"]
    product_import = checked(text, columns={"price": 2})
    assert rows(product_import, "after") == [({"price": "99.00"},)]
    assert (product_import.found["columns"], product_import.found["unknown"]) == (
        {"sku": 0, "price": 2},
        [],
    )
    assert product_import.headers == ["sku", "", "price"]


@pytest.mark.parametrize("count", [1, 3, 3000])
def test_a_batch_costs_the_same_number_of_statements(count, mug, statements):
    text = text_of(*[(f"A-{number}", "Rug", "7", 3, "") for number in range(count)])
    product_import = store_upload(actor=ada(), name="many.csv", content=text.encode())
    batches = -(-count // preview.BATCH)
    with statements(7 + 3 * batches):
        preview_import(product_import)
    assert product_import.counts["new"] == count


def test_checking_again_replaces_the_rows(mug):
    product_import = checked(text_of(("MUG-1", "", "13", 12, 10)))
    adjust_stock(product_id=mug.pk, delta=-3, kind=Kind.DAMAGED, actor=ada())
    preview_import(product_import)
    assert rows(product_import, "before", "after") == [
        ({"price": "12.50", "stock": 7}, {"price": "13.00", "stock": 9}),
    ]
    assert product_import.counts["changed"] == 1


def test_a_file_that_cannot_be_read_says_why(mug):
    product_import = store_upload(actor=ada(), name="x.csv", content=b"")
    preview_import(product_import)
    assert (product_import.state, product_import.error[:9], product_import.rows.count()) == (
        "failed",
        "“x.csv” i",
        0,
    )


def test_what_breaks_leaves_the_import_failed_and_rises(mug, monkeypatch):
    product_import = checked(text_of(("MUG-1", "", "13", "", "")))
    monkeypatch.setattr(preview, "validate_rows", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        preview_import(product_import)
    assert (product_import.state, product_import.rows.count()) == ("failed", 0)


def test_one_checks_at_a_time_and_who_fell_silent_is_overtaken(mug, monkeypatch):
    product_import = checked(text_of(("MUG-1", "", "13", "", "")))
    claim(product_import.pk, State.CHECKING, of=[State.CHECKED])
    with pytest.raises(ImportNotReady, match="being checked"):
        preview_import(product_import)
    monkeypatch.setattr(locking, "SILENCE", -locking.SILENCE)
    assert locking.is_stalled(ProductImport.objects.get())
    real = preview.validate_rows

    def overtaken(*given):
        claim(product_import.pk, State.CHECKING, of=[])
        return real(*given)

    monkeypatch.setattr(preview, "validate_rows", overtaken)
    with pytest.raises(ConcurrentUpdate):
        preview_import(product_import)
    assert (product_import.state, product_import.rows.count()) == ("checking", 0)


def test_no_import_is_not_found():
    with pytest.raises(NotFound):
        claim(7, State.CHECKING, of=[State.UPLOADED])
