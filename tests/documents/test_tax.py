from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shop.documents.tax import TaxLine, split_tax

RATES = st.none() | st.decimals(0, 100, places=2)
LINES = st.lists(st.tuples(st.decimals(0, 10**9, places=2), RATES))


def tax_line(rate, *amounts):
    return TaxLine(rate and Decimal(rate), *map(Decimal, amounts))


def test_tax_is_contained_in_the_price_and_summed_by_rate():
    lines = [("119.00", "19.00"), ("10.70", "7.00"), ("0.05", "19.00"), ("3.00", None)]
    assert split_tax((Decimal(gross), rate and Decimal(rate)) for gross, rate in lines) == [
        tax_line(None, "3.00", "0.00", "3.00"),
        tax_line("7.00", "10.00", "0.70", "10.70"),
        tax_line("19.00", "100.04", "19.01", "119.05"),
    ]


def test_half_a_cent_is_rounded_up():
    # 0.03 × 20 / 120 = 0.005
    assert split_tax([(Decimal("0.03"), Decimal(20))]) == [tax_line("20", "0.02", "0.01", "0.03")]


@given(LINES)
def test_net_and_tax_add_up_to_what_is_paid(lines):
    found = split_tax(lines)
    assert sum(line.gross for line in found) == sum(gross for gross, _rate in lines)
    assert all(line.net + line.tax == line.gross and line.tax >= 0 for line in found)
    assert len({line.rate for line in found}) == len(found)
