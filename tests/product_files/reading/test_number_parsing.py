"""Parsing of prices, quantities and yes/no."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.product_files.reading.number_parsing import (
    detect_decimal_mark,
    parse_boolean,
    parse_price,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("prices", "mark"),
    [
        (["12.50", "3"], "."),
        (["12,50", "3"], ","),
        (["1,800"], None),
        (["1.800", "", "25"], None),
        (["1,800", "2.400"], None),
        (["1,800", "9.99"], "."),
        (["1.800", "9,99"], ","),
        (["1.234,50"], ","),
        (["1,234.50"], "."),
        (["1.234.567"], ","),
        (["1,234,567"], "."),
        (["1 234,5"], ","),
        (["1'234.50"], "."),
        (["12,-"], ","),
        (["$12.50", "EUR 3"], "."),
        (["0,500"], ","),
        (["1234,567"], ","),
        ([",50"], ","),
        (["12,50", "12.50"], None),
        (["12,50", "13,50", "14.50"], ","),
        (["3", "", "free"], "."),
        ([], "."),
    ],
)
def test_decimal_mark_is_detected_from_the_prices(prices, mark):
    assert detect_decimal_mark(prices) == mark


@pytest.mark.parametrize(
    ("text", "point", "amount"),
    [
        ("12.50", ".", "12.50"),
        ("12,50", ",", "12.50"),
        ("12", ",", "12.00"),
        (" 12.5 ", ".", "12.50"),
        ("$12.50", ".", "12.50"),
        ("US$12.50", ".", "12.50"),
        ("12,50 €", ",", "12.50"),
        ("12,50\u00a0€", ",", "12.50"),
        ("EUR 12", ".", "12.00"),
        ("12 eur", ".", "12.00"),
        ("kr 12,50", ",", "12.50"),
        ("Fr. 12.50", ".", "12.50"),
        ("12,50 zł", ",", "12.50"),
        ("1 234,50", ",", "1234.50"),
        ("1\u202f234,50", ",", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("1,234.50", ".", "1234.50"),
        ("1'234.50", ".", "1234.50"),
        ("1\u2019234.50", ".", "1234.50"),
        ("1,800", ".", "1800.00"),
        ("1,800", ",", "1.80"),
        ("1.234.567", ",", "1234567.00"),
        ("12,-", ",", "12.00"),
        ("12.--", ".", "12.00"),
        ("12,– €", ",", "12.00"),
        ("6.5000", ".", "6.50"),
        ("12.", ".", "12.00"),
        (".5", ".", "0.50"),
        ("0", ".", "0.00"),
    ],
)
def test_price_is_parsed_exactly(text, point, amount):
    assert str(parse_price(text, point=point)) == amount


NOT_A_PRICE = "isn't a price. Write it like 12{point}50."
NEGATIVE = "is negative. Write 0 or more."
TOO_MANY_DECIMALS = "has too many decimals. Write it like 12{point}50."
OTHER_MARK = "doesn't fit this file, whose decimal mark is “{point}”. Write it like 12{point}50."


@pytest.mark.parametrize(
    ("text", "point", "reason"),
    [
        ("free", ".", NOT_A_PRICE),
        ("1e5", ".", NOT_A_PRICE),
        ("NaN", ".", NOT_A_PRICE),
        ("12⁵⁰", ".", NOT_A_PRICE),
        ("12 50 EUR x", ",", NOT_A_PRICE),
        ("6.555", ".", TOO_MANY_DECIMALS),
        ("-1", ".", NEGATIVE),
        ("€ -1", ".", NEGATIVE),
        ("\u22121", ".", NEGATIVE),
        ("(5.00)", ".", NEGATIVE),
        ("12,50", ".", OTHER_MARK),
        ("12.50", ",", OTHER_MARK),
        ("1 23,50", ",", OTHER_MARK),
        ("1.2.3", ".", OTHER_MARK),
    ],
)
def test_invalid_price_is_refused_with_the_reason(text, point, reason):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared
        parse_price(text, point=point)
    assert str(error.value) == f"“{text}” {reason.format(point=point)}"


@pytest.mark.parametrize("text", ["", "  "])
def test_missing_price_is_refused(text):
    with pytest.raises(ValueError, match=r"^The price is missing\.$"):
        parse_price(text, point=".")


def test_long_price_is_cut_in_the_message():
    with pytest.raises(ValueError, match=f"^“{'9' * 39}…” "):
        parse_price("9" * 99, point=".")


def format_amount(amount, point, group):
    whole, _, cents = f"{amount:,.2f}".partition(".")
    return whole.replace(",", group) + point + cents


@settings(derandomize=True, deadline=None)
@given(
    st.decimals(0, Decimal("99999999.99"), places=2),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (",", "\u202f"), (".", "'"), (".", "")]),
    st.sampled_from(["{}", "{} €", "EUR {}", "${}"]),
)
def test_any_amount_is_parsed_in_any_notation(amount, marks, currency):
    point, group = marks
    cell = currency.format(format_amount(amount, point, group))
    assert parse_price(cell, point=point) == amount
    assert detect_decimal_mark([cell]) == point


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3),
        (" 3 ", 3),
        ("3.0", 3),
        ("3,00", 3),
        ("0", 0),
        ("0.000", 0),
        ("007", 7),
        ("1 000", 1000),
        ("1\u00a0000", 1000),
        ("1'000", 1000),
        ("1,234,567", 1234567),
        ("1.000,0", 1000),
    ],
)
def test_quantity_is_parsed_exactly(text, number):
    assert parse_quantity(text) == number


NOT_A_WHOLE_NUMBER = "isn't a whole number. Write it like 12."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3.7", NOT_A_WHOLE_NUMBER),
        ("many", NOT_A_WHOLE_NUMBER),
        ("3e2", NOT_A_WHOLE_NUMBER),
        ("1 00", NOT_A_WHOLE_NUMBER),
        ("٣", NOT_A_WHOLE_NUMBER),
        ("-2", NEGATIVE),
        ("1,000", "can be read in two ways. Write it without a point or comma."),
        ("9" * 16, "is too large. Write a smaller number."),
    ],
)
def test_invalid_quantity_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared
        parse_quantity(text)
    assert str(error.value) == f"“{text}” {reason}"


def test_missing_quantity_is_refused():
    with pytest.raises(ValueError, match=r"^The number is missing\.$"):
        parse_quantity("")


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 1_000_000_000))
def test_any_quantity_is_parsed_in_any_notation(number):
    assert (
        parse_quantity(str(number))
        == parse_quantity(f"{number}.0")
        == parse_quantity(f"{number:,}".replace(",", " "))
        == number
    )


@pytest.mark.parametrize(
    "text", ["yes", "TRUE", "1", "ja", "Oui", "y", "on", "wahr", "vrai", "Active", "published "]
)
def test_true_words(text):
    assert parse_boolean(text) is True


@pytest.mark.parametrize(
    "text", ["no", "FALSE", "0", "nein", "Non", "n", "off", "falsch", "faux", "draft", "archived"]
)
def test_false_words(text):
    assert parse_boolean(text) is False


@pytest.mark.parametrize("text", ["maybe", "", "2"])
def test_other_words_are_refused(text):
    with pytest.raises(ValueError, match="is neither yes nor no"):
        parse_boolean(text)
