"""Prices, quantities and answers as people write them; nothing is guessed."""

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
    ("prices", "point"),
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
def test_the_files_own_prices_say_what_its_decimal_sign_is(prices, point):
    assert detect_decimal_mark(prices) == point


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
def test_a_price_is_read_exactly(text, point, amount):
    assert str(parse_price(text, point=point)) == amount


@pytest.mark.parametrize(
    ("text", "point", "words"),
    [
        ("", ".", "The price is missing."),
        ("  ", ".", "The price is missing."),
        ("free", ".", "“free” is no price. Write it like 12.50."),
        ("1e5", ".", "“1e5” is no price. Write it like 12.50."),
        ("NaN", ".", "“NaN” is no price. Write it like 12.50."),
        ("12⁵⁰", ".", "“12⁵⁰” is no price. Write it like 12.50."),
        ("12 50 EUR x", ",", "“12 50 EUR x” is no price. Write it like 12,50."),
        ("6.555", ".", "“6.555” has more than two decimals. Write it like 12.50."),
        ("-1", ".", "“-1” is negative, which a price cannot be."),
        ("€ -1", ".", "“€ -1” is negative, which a price cannot be."),
        ("\u22121", ".", "“\u22121” is negative, which a price cannot be."),
        ("(5.00)", ".", "“(5.00)” is negative, which a price cannot be."),
        (
            "12,50",
            ".",
            "“12,50” does not fit the file, whose decimal sign is “.”. Write it like 12.50.",
        ),
        (
            "12.50",
            ",",
            "“12.50” does not fit the file, whose decimal sign is “,”. Write it like 12,50.",
        ),
        (
            "1 23,50",
            ",",
            "“1 23,50” does not fit the file, whose decimal sign is “,”. Write it like 12,50.",
        ),
        (
            "1.2.3",
            ".",
            "“1.2.3” does not fit the file, whose decimal sign is “.”. Write it like 12.50.",
        ),
        ("9" * 99, ".", f"“{'9' * 39}…” is no price. Write it like 12.50."),
    ],
)
def test_what_is_no_price_is_refused_in_words(text, point, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are compared
        parse_price(text, point=point)
    assert str(error.value) == words


def written(amount, point, group):
    whole, _, cents = f"{amount:,.2f}".partition(".")
    return whole.replace(",", group) + point + cents


@settings(derandomize=True, deadline=None)
@given(
    st.decimals(0, Decimal("99999999.99"), places=2),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (",", "\u202f"), (".", "'"), (".", "")]),
    st.sampled_from(["{}", "{} €", "EUR {}", "${}"]),
)
def test_any_amount_comes_back_from_any_way_to_write_it(amount, signs, around):
    point, group = signs
    cell = around.format(written(amount, point, group))
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
def test_a_quantity_is_read_exactly(text, number):
    assert parse_quantity(text) == number


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The number is missing."),
        ("3.7", "“3.7” is no whole number. Write it like 12."),
        ("many", "“many” is no whole number. Write it like 12."),
        ("3e2", "“3e2” is no whole number. Write it like 12."),
        ("1 00", "“1 00” is no whole number. Write it like 12."),
        ("٣", "“٣” is no whole number. Write it like 12."),
        ("-2", "“-2” is negative, which a stock cannot be."),
        ("1,000", "“1,000” can be read in two ways. Write it without a point or comma."),
        ("9" * 16, "“9999999999999999” is more than there can be of anything."),
    ],
)
def test_what_is_no_quantity_is_refused_in_words(text, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are compared
        parse_quantity(text)
    assert str(error.value) == words


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 1_000_000_000))
def test_any_quantity_comes_back(number):
    assert (
        parse_quantity(str(number))
        == parse_quantity(f"{number}.0")
        == parse_quantity(f"{number:,}".replace(",", " "))
        == number
    )


@pytest.mark.parametrize(
    "text", ["yes", "TRUE", "1", "ja", "Oui", "y", "on", "wahr", "vrai", "Active", "published "]
)
def test_yes(text):
    assert parse_boolean(text) is True


@pytest.mark.parametrize(
    "text", ["no", "FALSE", "0", "nein", "Non", "n", "off", "falsch", "faux", "draft", "archived"]
)
def test_no(text):
    assert parse_boolean(text) is False


@pytest.mark.parametrize("text", ["maybe", "", "2"])
def test_another_word_is_neither(text):
    with pytest.raises(ValueError, match=r"is neither yes nor no\. Write one of the two\."):
        parse_boolean(text)
