"""GTINs: what is one, and how it is stored."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from shop.barcodes import is_gtin, normalize_gtin, validate_gtin


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("4006381333931", "4006381333931"),
        ("4 006381 333931", "4006381333931"),
        ("978-3-16-148410-0", "9783161484100"),
        ("978\u20113\u201116\u2011148410\u20110", "9783161484100"),
        ("036000291452", "0036000291452"),
        ("0036000291452", "0036000291452"),
        ("00036000291452", "0036000291452"),
        ("96385074", "96385074"),
        ("0000096385074", "96385074"),
        ("10614141543219", "10614141543219"),
        ("'036000291452", "0036000291452"),
        ('="036000291452"', "0036000291452"),
        ("", ""),
    ],
)
def test_spellings_of_a_gtin_are_stored_alike(typed, stored):
    assert normalize_gtin(typed) == stored
    assert is_gtin(typed) == bool(stored)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("4006381333932", "barcode_check_digit"),
        ("4006381339331", "barcode_check_digit"),  # two digits swapped
        ("00000000", "barcode_check_digit"),
        ("36000291452", "barcode_length"),  # a zero in front is missing
        ("400638133393", "barcode_check_digit"),
        ("123456789012345", "barcode_length"),
        ("4.00638E+12", "barcode_shortened"),
        ("4,00638e+12", "barcode_shortened"),
        ("MUG-1", "barcode_digits"),
        ("\u0664\u0660\u0660\u0666\u0663\u0668\u0661\u0663", "barcode_digits"),
        ("4006381333931;", "barcode_digits"),
    ],
)
def test_what_is_no_gtin_is_refused(typed, code):
    with pytest.raises(ValidationError) as raised:
        validate_gtin(normalize_gtin(typed))
    assert raised.value.code == code
    assert not is_gtin(typed)


@given(
    st.sampled_from([7, 11, 12, 13]).flatmap(
        lambda n: st.text("0123456789", min_size=n, max_size=n)
    )
)
def test_one_wrong_digit_is_always_noticed(payload):
    fitting = [d for d in "0123456789" if is_gtin(payload + d)]
    assert len(fitting) == (1 if int(payload) else 0)
    for digit in fitting:
        stored = normalize_gtin(payload + digit)
        assert normalize_gtin(stored) == stored
        assert int(stored) == int(payload + digit)
