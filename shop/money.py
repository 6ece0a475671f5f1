"""Money: amounts in the shop's one currency, with two decimals."""

from collections.abc import Iterable
from decimal import Decimal

from django.conf import settings
from django.db import models

DECIMAL_PLACES = 2
CENT = Decimal("0.01")
MAX_PRICE = Decimal("99999999.99")


class MoneyField(models.DecimalField):  # type: ignore[type-arg]
    """An amount with two decimals, wide enough for 100 lines of 999 units at the highest price."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs = {"max_digits": 15, "decimal_places": DECIMAL_PLACES} | kwargs
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


def format_money(amount: Decimal) -> str:
    """Format an amount with the currency: `1,234.50 EUR`."""
    return f"{format_amount(amount)} {settings.SHOP_CURRENCY}"


def format_amount(amount: Decimal) -> str:
    """Format an amount without the currency: `1,234.50`."""
    return f"{amount:,.{DECIMAL_PLACES}f}"


def order_total(lines: Iterable[tuple[Decimal, int]]) -> Decimal:
    """Return the total of (price, quantity) pairs, for carts, orders and phone orders alike."""
    return sum((price * quantity for price, quantity in lines), Decimal("0.00"))
