"""Normalisation and validation of text, as the models apply them."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError

from shop import text_validation
from shop.models import Order, Product, User

COMPOSED, DECOMPOSED = "Caf\u00e9", "Cafe\u0301"
FORBIDDEN = [
    "\x00",
    "\x01",
    "\x1b",
    "\x7f",
    "\x85",
    "\ud800",
    "\udfff",
    "\u202e",
    "\u2066",
    "\u2069",
]


def product(**values):
    return Product(**{"name": "Mug", "price": 1, **values})


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("  Mug\u00a0 ", "Mug"),
        (DECOMPOSED, COMPOSED),
        ("O'Neil & <b>", "O'Neil & <b>"),
        ("杯子 🍵 кружка", "杯子 🍵 кружка"),
        ("שלום", "שלום"),
    ],
)
def test_a_line_is_trimmed_and_normalised(value, cleaned):
    item = product(name=value)
    item.clean_fields()
    assert item.name == cleaned


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [("a\r\nb\rc\n", "a\nb\nc"), ("\ta\tb ", "a\tb"), (f" {DECOMPOSED}\n ", COMPOSED)],
)
def test_a_text_keeps_its_line_breaks(value, cleaned):
    item = product(description=value)
    item.clean_fields()
    assert item.description == cleaned


@pytest.mark.parametrize("character", [*FORBIDDEN, "\n", "\t", "\r"], ids=ascii)
def test_a_line_refuses_control_characters(character):
    value = f"M{character}ug"
    item = product(name=value)
    with pytest.raises(ValidationError) as error:
        item.clean_fields()
    ((field, [detail]),) = error.value.error_dict.items()
    assert (field, detail.code) == ("name", "characters")
    assert f"U+{ord(character):04X}" in detail.message
    assert item.name == value


@pytest.mark.parametrize("character", FORBIDDEN, ids=ascii)
def test_a_text_refuses_control_characters(character):
    with pytest.raises(ValidationError) as error:
        product(description=f"M{character}ug").clean_fields()
    assert list(error.value.message_dict) == ["description"]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (User(email="a@b.example", first_name="\x00", last_name="B", password="x"), "first_name"),
        (Order(total_amount=1, shipping_address="\u202eElm"), "shipping_address"),
    ],
)
def test_users_and_orders_refuse_control_characters(item, field):
    with pytest.raises(ValidationError) as error:
        item.clean_fields(exclude=["user"])
    assert list(error.value.message_dict) == [field]


def test_all_errors_are_reported_together():
    with pytest.raises(ValidationError) as error:
        product(name="\x00", description="\ud800", price="-1").clean_fields()
    assert sorted(error.value.message_dict) == ["description", "name", "price"]


def test_an_excluded_field_is_not_cleaned():
    item = product(name=" \x00 ")
    item.clean_fields(exclude=["name"])
    assert item.name == " \x00 "


def test_a_name_of_spaces_only_is_blank():
    with pytest.raises(ValidationError) as error:
        product(name=" \u3000 ").clean_fields()
    assert [detail.code for detail in error.value.error_dict["name"]] == ["blank"]


INVISIBLE = [
    "\u200b",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u3164",
    "\u2800",
    "\u115f \u1160",
    "\uffa0",
    "\u034f",
    "\u180e",
    "\u200d\ufe0f",
    "\u2062\u00a0\u2028",
    "\U0001d159",
    "\U000e0041",
]


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_a_text_without_a_visible_character_is_empty(text):
    assert text_validation.clean_line(text) == text_validation.clean_text(f"{text}\n{text}") == ""
    assert not text_validation.is_visible(text)
    with pytest.raises(ValidationError) as error:
        product(name=text).clean_fields()
    assert [detail.code for detail in error.value.error_dict["name"]] == ["blank"]


def test_every_ignorable_character_that_python_knows_is_invisible():
    formats = {chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) == "Cf"}
    visible = {
        c for c in formats if "ARABIC" in unicodedata.name(c) or "SYRIAC" in unicodedata.name(c)
    }
    others = {
        c for c in formats if unicodedata.name(c).split()[0] in {"KAITHI", "EGYPTIAN", "SHORTHAND"}
    }
    assert formats - visible - others <= text_validation.INVISIBLE


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("\u200bMug\u200b", "Mug"),
        ("\ufeff Mug \u2060\u00ad", "Mug"),
        ("co\u00adoperate", "co\u00adoperate"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # noqa: RUF001 - Persian
        ("❤\ufe0f", "❤\ufe0f"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("שלום\u200f", "שלום\u200f"),
    ],
    ids=ascii,
)
def test_invisible_characters_are_trimmed_only_where_they_mean_nothing(value, cleaned):
    assert text_validation.clean_line(value) == text_validation.clean_text(value) == cleaned


def test_the_length_limit_applies_after_trimming():
    item = product(name=f" {'x' * 200} ")
    item.clean_fields()
    assert item.name == "x" * 200


@pytest.mark.parametrize("clean", [text_validation.clean_line, text_validation.clean_text])
def test_cleaning_twice_changes_nothing(clean):
    assert clean(clean(f" {DECOMPOSED} ")) == COMPOSED
