"""The tax that prices contain, by rate, for invoices and order files."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import NamedTuple

from shop.money import CENT, ZERO, smallest_unit

#: Percent of tax that a price contains; None without tax.
type Rate = Decimal | None


class TaxLine(NamedTuple):
    """What the lines of one tax rate add up to."""

    rate: Rate
    net: Decimal
    tax: Decimal
    gross: Decimal


def split_tax(
    lines: Iterable[tuple[Decimal, Rate]], *, currency: str | None = None
) -> list[TaxLine]:
    """Return the tax of (gross subtotal, rate) pairs, one TaxLine for each rate, lowest first.

    The tax is contained in the prices. It is computed on the sum of a rate's lines and rounded half
    up to the currency's smallest unit, so that net and tax always add up to what the customer pays.
    Lines without a rate come first, with no tax.
    """
    sums: dict[Rate, Decimal] = {}
    for gross, rate in lines:
        sums[rate] = sums.get(rate, ZERO) + gross
    return [_tax_line(rate, sums[rate], currency) for rate in sort_rates(sums)]


def sort_rates(rates: Iterable[Rate]) -> list[Rate]:
    """Return the rates from the lowest to the highest, no rate first."""
    return sorted(rates, key=lambda rate: Decimal(-1) if rate is None else rate)


def share_out(
    total: Decimal,
    weights: Mapping[Rate, Decimal],
    *,
    limits: Mapping[Rate, Decimal],
    currency: str,
) -> dict[Rate, Decimal]:
    """Share a total out over the tax rates in proportion to `weights`, without a remainder.

    No rate gets more than its limit; the limits add up to the total at least.
    """
    whole = sum(weights.values(), ZERO)
    if not whole:
        return dict.fromkeys(weights, ZERO)
    unit = smallest_unit(currency)
    if any(amount % unit for amount in (total, *limits.values())):
        unit = CENT
    exact = {rate: total * weight / whole for rate, weight in weights.items()}
    shares = {
        rate: min(amount.quantize(unit, ROUND_DOWN), limits[rate]) for rate, amount in exact.items()
    }
    rest = total - sum(shares.values(), ZERO)
    most_lost = sorted(exact, key=lambda rate: shares[rate] - exact[rate])
    for rate in most_lost * len(most_lost):
        given = min(unit, rest, limits[rate] - shares[rate])
        shares[rate], rest = shares[rate] + given, rest - given
    for rate in most_lost:  # what is above the limits of others
        given = min(rest, limits[rate] - shares[rate])
        shares[rate], rest = shares[rate] + given, rest - given
    return shares


def split_value(
    value: Decimal,
    gross: Mapping[Rate, Decimal],
    kept: Mapping[Rate, Decimal],
    *,
    currency: str,
) -> list[TaxLine]:
    """Return net and tax, by rate, of what an order costs now, as invoices and credit notes do.

    `value` is its total less what was credited. It is shared out over the rates of the units that
    the customer keeps; over those of all units if none are kept. `gross` and `kept` are what all
    and the kept units cost at each rate.
    """
    weights = kept if any(kept.values()) else gross
    weights = {rate: weights[rate] for rate in sort_rates(weights)}  # odd cents in one sequence
    shares = share_out(value, weights, limits=gross, currency=currency)
    return split_tax(((share, rate) for rate, share in shares.items()), currency=currency)


def _tax_line(rate: Rate, gross: Decimal, currency: str | None) -> TaxLine:
    percent = rate or Decimal(0)
    tax = gross * percent / (100 + percent)
    tax = tax.quantize(smallest_unit(currency), ROUND_HALF_UP).quantize(CENT)
    return TaxLine(rate, gross - tax, tax, gross)
