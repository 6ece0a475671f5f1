from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shop.documents.tax import TaxLine, share_out, split_tax

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


def test_tax_in_a_currency_without_cents():
    lines = [(Decimal(1100), Decimal(10)), (Decimal(99), Decimal(8))]
    assert split_tax(lines, currency="JPY") == [
        tax_line("8", "92", "7", "99"),
        tax_line("10", "1000", "100", "1100"),
    ]


@given(
    st.lists(st.decimals(0, 1000, places=2), min_size=1, max_size=4),
    st.integers(0, 100),
    st.sampled_from(["EUR", "JPY"]),
)
def test_a_total_is_shared_out_in_proportion(weights, percent, currency):
    limits = {Decimal(rate): weight for rate, weight in enumerate(weights)}
    whole = sum(weights)
    total = (whole * percent / 100).quantize(Decimal("0.01"))
    shares = share_out(total, limits, limits=limits, currency=currency)
    assert sum(shares.values()) == total
    for rate, share in shares.items():
        assert 0 <= share <= limits[rate]
        assert not whole or abs(share - total * limits[rate] / whole) <= Decimal("0.01")


def test_shares_are_whole_units_of_the_currency():
    limits = {Decimal(1): Decimal(100), Decimal(2): Decimal(200)}
    shares = share_out(Decimal(200), limits, limits=limits, currency="JPY")
    assert shares == {Decimal(1): Decimal(67), Decimal(2): Decimal(133)}
