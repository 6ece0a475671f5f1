"""Bulk price changes, applied exactly as they were previewed."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from shop import money
from shop.db.transactions import atomically
from shop.models import ChangeSet, Product, User
from shop.services.change_sets.plan import PlannedChange, apply_changes
from shop.services.errors import ProductsChanged
from shop.services.stock import lock_products


@dataclass(frozen=True)
class PriceChange:
    """A change in percent of the price or by an amount; negative to lower it."""

    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)

    def apply_to(self, price: Decimal) -> Decimal:
        """Return the new price, rounded half up to the currency's smallest unit."""
        new = price * (100 + self.percent) / 100 + self.amount
        unit = money.smallest_unit(money.default_currency())
        return new.quantize(unit, ROUND_HALF_UP).quantize(money.CENT)

    def describe(self) -> str:
        """Return the change in words, such as "Prices +5 %"."""
        if self.percent:
            return _("Prices %(percent)s %%") % {"percent": f"{self.percent.normalize():+f}"}
        sign = "+" if self.amount > 0 else "-"
        return _("Prices %(amount)s") % {"amount": sign + money.format_money(abs(self.amount))}


@dataclass(frozen=True)
class PricePreview:
    """Each product with its new price, and a hash of exactly these products, prices and change."""

    new: Sequence[tuple[Product, Decimal]]
    fingerprint: str


def preview_prices(*, product_ids: Collection[int], change: PriceChange) -> PricePreview:
    """Return the new price of each product. Raises ValidationError naming prices out of range."""
    return _build_preview(Product.objects.filter(pk__in=product_ids).order_by("name", "pk"), change)


@atomically
def change_prices(
    *, product_ids: Collection[int], change: PriceChange, fingerprint: str, actor: User
) -> ChangeSet:
    """Write the previewed prices; return the change set.

    Raises ProductsChanged if a product or price differs from the preview, so that submitting twice
    changes prices once; ValidationError as `preview_prices` does, and if no price would change.
    """
    preview = _build_preview(lock_products(product_ids), change)
    if preview.fingerprint != fingerprint:
        raise ProductsChanged
    return apply_changes(
        kind=ChangeSet.Kind.PRICES,
        name=change.describe(),
        changes=[PlannedChange(product, {"price": new}) for product, new in preview.new],
        actor=actor,
    )


def _build_preview(products: Collection[Product], change: PriceChange) -> PricePreview:
    new = [(product, change.apply_to(product.price)) for product in products]
    errors = [
        _("%(product)s would cost %(price)s.")
        % {"product": product, "price": money.format_money(price)}
        for product, price in new
        if not 0 <= price <= money.MAX_PRICE
    ]
    if errors:
        raise ValidationError(errors)
    facts = sorted((product.pk, str(product.price)) for product, __ in new)
    return PricePreview(new, hashlib.sha256(f"{facts} {change}".encode()).hexdigest())
