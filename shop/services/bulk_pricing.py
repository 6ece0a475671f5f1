"""Bulk price changes, applied exactly as they were previewed."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shop import money
from shop.db.transactions import atomically
from shop.models import ChangeSet, Product, User
from shop.models.order_status import Text
from shop.services import crud
from shop.services.change_sets.plan import PlannedChange, apply_changes
from shop.services.errors import ProductsChanged
from shop.services.stock import lock_products

#: A price that becomes more than this many times as high or as low is confirmed on its own.
LARGE_FACTOR = 2
#: The code of the error for a large change that nobody has confirmed.
UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True)
class Rounding:
    """Rounds half up to a multiple of `step` plus `offset`, such as 1 and 0.99 for 12.99."""

    label: Text
    step: Decimal
    offset: Decimal = Decimal(0)

    def fits(self, unit: Decimal) -> bool:
        """Return whether all results are amounts of a currency with this smallest unit."""
        return not self.step % unit and not self.offset % unit

    def apply_to(self, amount: Decimal) -> Decimal:
        """Return the rounded amount, never negative of a positive one; 0 stays 0."""
        if not amount:
            return money.ZERO
        steps = (amount - self.offset) / self.step + Decimal("0.5")
        rounded = steps.to_integral_value(ROUND_FLOOR) * self.step + self.offset
        if rounded < 0 < amount:
            rounded += self.step
        return rounded.quantize(money.CENT)


#: Name -> rounding. A currency is offered those that fit; its default is the first of them.
ROUNDINGS: dict[str, Rounding] = {
    "0.01": Rounding(gettext_lazy("to the cent"), Decimal("0.01")),
    "0.05": Rounding(gettext_lazy("to 0.05"), Decimal("0.05")),
    "0.10": Rounding(gettext_lazy("to 0.10"), Decimal("0.10")),
    "1": Rounding(gettext_lazy("to whole amounts"), Decimal(1)),
    "10": Rounding(gettext_lazy("to multiples of 10"), Decimal(10)),
    ".99": Rounding(gettext_lazy("ending in .99"), Decimal(1), Decimal("0.99")),
    ".95": Rounding(gettext_lazy("ending in .95"), Decimal(1), Decimal("0.95")),
    ".90": Rounding(gettext_lazy("ending in .90"), Decimal(1), Decimal("0.90")),
}


def offered_roundings() -> dict[str, Rounding]:
    """Return the roundings that fit the shop's currency."""
    unit = money.smallest_unit(money.default_currency())
    return {name: rounding for name, rounding in ROUNDINGS.items() if rounding.fits(unit)}


@dataclass(frozen=True)
class PriceChange:
    """A change in percent, by an amount or to a new price, and how the result is rounded.

    Percent and amount are negative to lower prices. `rounding` is a name in `offered_roundings`,
    by default the currency's smallest unit.
    """

    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    new_price: Decimal | None = None
    rounding: str = ""

    def apply_to(self, price: Decimal) -> Decimal:
        """Return the new price."""
        new = self.new_price
        if new is None:
            new = price * (100 + self.percent) / 100 + self.amount
        return self._rounding().apply_to(new)

    def describe(self) -> str:
        """Return the change in words, such as "Prices +5 %"."""
        if not self.rounding or self._rounding() is next(iter(offered_roundings().values())):
            return self._describe_change()
        names = {"change": self._describe_change(), "rounding": self._rounding().label}
        return _("%(change)s, %(rounding)s") % names

    def _describe_change(self) -> str:
        if self.new_price is not None:
            return _("Prices set to %(price)s") % {"price": money.format_money(self.new_price)}
        if self.percent:
            return _("Prices %(percent)s %%") % {"percent": f"{self.percent.normalize():+f}"}
        sign = "+" if self.amount > 0 else "-"
        return _("Prices %(amount)s") % {"amount": sign + money.format_money(abs(self.amount))}

    def _rounding(self) -> Rounding:
        offered = offered_roundings()
        return offered[self.rounding or next(iter(offered))]


@dataclass(frozen=True)
class NewPrice:
    """A product with the price that it would get."""

    product: Product
    price: Decimal

    @property
    def is_changed(self) -> bool:
        """Whether the new price differs from the current one."""
        return bool(self.price != self.product.price)

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent of the current price, with one decimal; None if that is 0."""
        old = self.product.price
        return round((self.price - old) * 100 / old, 1) if old else None

    @property
    def factor(self) -> Decimal:
        """How many times as high or as low it becomes, at least 1; to or from 0 it is infinite."""
        low, high = sorted((self.price, self.product.price))
        if low == high:
            return Decimal(1)
        return high / low if low else Decimal("Infinity")


@dataclass(frozen=True)
class PricePreview:
    """Each product with its new price, and a hash of exactly these products, prices and change."""

    rows: Sequence[NewPrice]
    fingerprint: str

    @property
    def changed(self) -> list[NewPrice]:
        """The products whose price would change."""
        return [row for row in self.rows if row.is_changed]

    @property
    def large(self) -> list[NewPrice]:
        """The changes by more than LARGE_FACTOR, the largest first."""
        rows = [row for row in self.rows if row.factor > LARGE_FACTOR]
        return sorted(rows, key=lambda row: row.factor, reverse=True)


def preview_prices(*, product_ids: Collection[int], change: PriceChange) -> PricePreview:
    """Return the new price of each product. Raises ValidationError naming prices out of range."""
    return _build_preview(Product.objects.filter(pk__in=product_ids).order_by("name", "pk"), change)


@atomically
def change_prices(
    *,
    product_ids: Collection[int],
    change: PriceChange,
    fingerprint: str,
    actor: User,
    is_confirmed: bool = False,
) -> ChangeSet:
    """Write the previewed prices; return the change set.

    Raises ProductsChanged if a product or price differs from the preview, so that submitting twice
    changes prices once; ValidationError as `preview_prices` does, if no price would change, and,
    with the code UNCONFIRMED, for a large change if not `is_confirmed`.
    """
    preview = _build_preview(lock_products(product_ids), change)
    if preview.fingerprint != fingerprint:
        raise ProductsChanged
    if preview.large and not is_confirmed:
        message = _("Nothing was changed: confirm that prices change this much.")
        raise ValidationError(message, code=UNCONFIRMED)
    return apply_changes(
        kind=ChangeSet.Kind.PRICES,
        name=change.describe(),
        changes=[PlannedChange(row.product, {"price": row.price}) for row in preview.rows],
        actor=actor,
    )


def _build_preview(products: Collection[Product], change: PriceChange) -> PricePreview:
    rows = [NewPrice(product, change.apply_to(product.price)) for product in products]
    if errors := [error for row in rows for error in _find_errors(row)]:
        raise ValidationError(errors)
    facts = sorted((row.product.pk, str(row.product.price)) for row in rows)
    return PricePreview(rows, hashlib.sha256(f"{facts} {change}".encode()).hexdigest())


def _find_errors(row: NewPrice) -> Iterator[str]:
    """Yield why a product can't have its new price: it is out of range, or breaks a rule."""
    if not 0 <= row.price <= money.MAX_PRICE:
        names = {"product": row.product, "price": money.format_money(row.price)}
        yield _("%(product)s would cost %(price)s.") % names
    elif row.is_changed:
        product = copy(row.product)
        product.price = row.price
        try:
            crud.validate_fields(product, ["price"])
        except ValidationError as error:
            for message in error.messages:
                yield _("%(product)s: %(error)s") % {"product": product, "error": message}
