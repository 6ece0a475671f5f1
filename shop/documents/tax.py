"""The tax that prices contain, by rate, for invoices and order files."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from shop.money import CENT


class TaxLine(NamedTuple):
    """What the lines of one tax rate add up to; `rate` is in percent, None without tax."""

    rate: Decimal | None
    net: Decimal
    tax: Decimal
    gross: Decimal


def split_tax(lines: Iterable[tuple[Decimal, Decimal | None]]) -> list[TaxLine]:
    """Return the tax of (gross subtotal, rate) pairs, one TaxLine for each rate, lowest first.

    The tax is contained in the prices. It is computed on the sum of a rate's lines and rounded half
    up to cents, so that net and tax always add up to what the customer pays. Lines without a rate
    come first, with no tax.
    """
    sums: dict[Decimal | None, Decimal] = {}
    for gross, rate in lines:
        sums[rate] = sums.get(rate, Decimal("0.00")) + gross
    return [
        _tax_line(rate, sums[rate])
        for rate in sorted(sums, key=lambda rate: Decimal(-1) if rate is None else rate)
    ]


def _tax_line(rate: Decimal | None, gross: Decimal) -> TaxLine:
    percent = rate or Decimal(0)
    tax = (gross * percent / (100 + percent)).quantize(CENT, ROUND_HALF_UP)
    return TaxLine(rate, gross - tax, tax, gross)
