"""Escaping of text that a spreadsheet would run as a formula."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.product_files.formula_escaping import FORMULA_PREFIXES, escape_formula, unescape_formula

DANGEROUS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1",
    "\uff0d1",
    "\uff0b1",
    "\uff20A1",
    "'=1",
    "''",
    "'",
    "-",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.com")',
]


@pytest.mark.parametrize("text", DANGEROUS)
def test_formula_is_escaped_and_restored(text):
    assert escape_formula(text) == f"'{text}"
    assert unescape_formula(escape_formula(text)) == text


@pytest.mark.parametrize("text", ["", "Mug", "a=b", "O'Neil", "090.750", " =1", "杯子"])
def test_other_text_is_unchanged_both_ways(text):
    assert escape_formula(text) == text
    assert unescape_formula(text) == text


def test_apostrophe_of_the_text_itself_is_kept():
    assert unescape_formula("'tis") == "'tis"


@settings(derandomize=True, deadline=None)
@given(
    st.text()
    | st.builds(
        str.__add__, st.text("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20'", max_size=4), st.text(max_size=4)
    )
)
def test_any_text_is_restored_and_safe_as_a_cell(text):
    cell = escape_formula(text)
    assert unescape_formula(cell) == text
    assert not cell.startswith(tuple(set(FORMULA_PREFIXES) - {"'"}))
