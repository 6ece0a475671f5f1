"""Shopify exports, with the classic columns and with the new ones."""

import pytest
from support.file_builders import read_lines
from support.shop_headers import CLASSIC, NEW


def one(*rows):
    """The values of the last row."""
    return read_lines(*rows)[1][-1].values


def test_shopify_carries_down_what_the_first_row_says_even_past_other_products():
    _, found = read_lines(
        CLASSIC,
        'top,Varsity Top,"<p>Warm &amp; soft.</p><p>Grey</p>",true,Size,Small,Red,,,1,60,80,https://a/top.jpg,,',
        "mug,Mug,,true,Title,Default Title,,MUG-1,shopify,4,12.50,,https://a/mug.jpg,,",
        "top,,,,,Large,Red,,,2,65,,,https://a/large.jpg,",
    )
    assert [line.number for line in found] == [2, 3, 4]
    assert found[1].values == {
        "sku": "MUG-1",
        "name": "Mug",
        "description": "",
        "price": "12.50",
        "stock": "4",
        "is_active": "yes",
    }
    assert found[2].values == {
        "sku": "top-large-red",
        "name": "Varsity Top / Large / Red",
        "description": "Warm & soft.\n\nGrey",
        "price": "65",
        "stock": "2",
        "is_active": "yes",
    }
    assert [line.pictures for line in found] == [
        ("https://a/top.jpg",),
        ("https://a/mug.jpg",),
        ("https://a/large.jpg",),
    ]


def test_a_shopify_row_with_only_a_picture_is_no_product():
    only_picture = "mug" + "," * 12 + "b.jpg,,"
    _, found = read_lines(
        CLASSIC, "mug,Mug,,,,,,,,1,5,,a.jpg,,", only_picture, "mug" + "," * 14 + "active"
    )
    assert [(line.skip, line.pictures) for line in found] == [
        ("", ("a.jpg",)),
        ("only a picture of “mug”", ("b.jpg",)),
        ("nothing that can be sold of “mug”", ()),
    ]
    assert found[1].values == {}


@pytest.mark.parametrize(
    ("published", "status", "is_active"),
    [
        ("true", "", "yes"),
        ("TRUE", "Active", "yes"),
        ("false", "", "no"),
        ("false", "active", "no"),
        ("true", "draft", "no"),
        ("", "archived", "no"),
        ("", "active", "yes"),
        ("true", "perhaps", "perhaps"),
    ],
)
def test_what_shopify_hides_is_not_active(published, status, is_active):
    row = f"mug,Mug,,{published},,,,,,1,5,,,,{status}"
    assert one(CLASSIC, row, "mug,,,,,Blue,,,,2,5,,,,")["is_active"] == is_active


def test_shopify_that_says_nothing_of_a_field_does_not_set_it():
    values = one("Handle,Title,Variant Price,Published", "mug,Mug,5,")
    assert values == {"sku": "mug", "name": "Mug", "price": "5", "is_active": ""}


def test_shopifys_new_columns_are_read_alike():
    _, found = read_lines(
        NEW,
        "Mug,mug,<b>Hot</b>,TRUE,Active,,Color,Ocean Blue,12.5,20,3,https://a/1.jpg,,,,",
        ",mug,,,,M-2,,Red,13,,0,,https://a/2.jpg,,,",
        ",mug,,,,,,,,,,https://a/3.jpg,,,,",
    )
    assert found[0].values["sku"] == "mug-ocean-blue"
    assert found[1].values == {
        "sku": "M-2",
        "name": "Mug / Red",
        "description": "Hot",
        "price": "13",
        "stock": "0",
        "is_active": "yes",
    }
    assert found[2].skip == "only a picture of “mug”"


@pytest.mark.parametrize(
    "options", ["+5,", "-5,", "大,", "小,", "Grün,", "Grun,", f"{'x' * 80},", f"{'x' * 81},"]
)
def test_a_made_key_is_printable_ascii_short_and_the_same_in_every_import(options):
    rows = (CLASSIC, f"lamp,Lamp,,,Size,{options},,,1,5,,,,")
    key = one(*rows)["sku"]
    assert key == one(*rows)["sku"]
    assert key.isascii()
    assert key.startswith("lamp")
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(key) <= 64


def test_made_keys_tell_products_apart():
    sizes = ["+5", "-5", "大", "小", "Small", "x" * 80, "x" * 81, "5", "Grün"]
    _, found = read_lines(CLASSIC, *(f"lamp,Lamp,,,Size,{size},,,,1,5,,,," for size in sizes))
    keys = [line.values["sku"] for line in found]
    assert keys[4] == "lamp-small"
    assert keys[8] == "lamp-grun"
    assert len({*keys}) == len(sizes)
