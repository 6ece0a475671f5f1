"""Prices of many products, changed at once and only as they were previewed."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.core.exceptions import ValidationError
from django.utils import timezone

from shop import money
from shop.db.transactions import atomically
from shop.models import Product, User
from shop.services import audit
from shop.services.errors import PricesChanged
from shop.services.stock import lock_products


@dataclass(frozen=True)
class PriceChange:
    """So many percent of the price, or so much money, more (+) or less (-)."""

    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)

    def of(self, price: Decimal) -> Decimal:
        """The new price, to the cent, half a cent up."""
        return (price * (100 + self.percent) / 100 + self.amount).quantize(
            money.CENT, ROUND_HALF_UP
        )


@dataclass(frozen=True)
class PricePreview:
    """What a change of prices would do: each product with its new price, and a seal on exactly that."""

    new: Sequence[tuple[Product, Decimal]]
    seal: str


def preview_prices(*, product_ids: Collection[int], change: PriceChange) -> PricePreview:
    """Old and new price of each; raises ValidationError, naming each product that would leave the bounds."""
    return _preview(Product.objects.filter(pk__in=product_ids).order_by("name", "pk"), change)


@atomically
def change_prices(
    *, product_ids: Collection[int], change: PriceChange, seal: str, actor: User
) -> int:
    """Write what was previewed; returns how many prices are different now.

    Raises PricesChanged when a product or a price is no longer what the seal was put on, which is also what
    a second press of the same button meets. Raises ValidationError as the preview does.
    """
    preview = _preview(lock_products(product_ids), change)
    if preview.seal != seal:
        raise PricesChanged
    changed = [(product, new) for product, new in preview.new if new != product.price]
    audit.log_many(actor, [(p, audit.diff_record(p, {"price": new})) for p, new in changed])
    for product, new in changed:
        product.price, product.updated_at = new, timezone.now()
    Product.objects.bulk_update(
        [product for product, _ in changed], ["price", "updated_at"], batch_size=500
    )
    return len(changed)


def _preview(products: Collection[Product], change: PriceChange) -> PricePreview:
    new = [(product, change.of(product.price)) for product in products]
    wrong = [
        f"{product} would cost {money.format_money(price)}."
        for product, price in new
        if not 0 <= price <= money.MAX_PRICE
    ]
    if wrong:
        raise ValidationError(wrong)
    facts = sorted((product.pk, str(product.price)) for product, _ in new)
    return PricePreview(new, hashlib.sha256(f"{facts} {change}".encode()).hexdigest())
