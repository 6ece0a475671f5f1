"""Text that a spreadsheet would run goes out harmless and comes back the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.product_files.formula_escaping import GUARDED, escape_formula, unescape_formula

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
def test_what_a_spreadsheet_would_run_gets_an_apostrophe_and_comes_back(text):
    assert escape_formula(text) == f"'{text}"
    assert unescape_formula(escape_formula(text)) == text


@pytest.mark.parametrize("text", ["", "Mug", "a=b", "O'Neil", "090.750", " =1", "杯子"])
def test_other_text_is_left_alone_both_ways(text):
    assert escape_formula(text) == text
    assert unescape_formula(text) == text


def test_an_apostrophe_that_nobody_added_stays():
    assert unescape_formula("'tis") == "'tis"


@settings(derandomize=True, deadline=None)
@given(
    st.text()
    | st.builds(
        str.__add__, st.text("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20'", max_size=4), st.text(max_size=4)
    )
)
def test_any_text_comes_back_and_is_harmless_meanwhile(text):
    cell = escape_formula(text)
    assert unescape_formula(cell) == text
    assert not cell.startswith(tuple(set(GUARDED) - {"'"}))
