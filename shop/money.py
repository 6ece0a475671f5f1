"""Money and tax rates. Amounts have two decimals, and are shown with those of their currency."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

DECIMAL_PLACES = 2
CENT = Decimal("0.01")
ZERO = Decimal("0.00")
MAX_PRICE = Decimal("99999999.99")
#: ISO 4217 currencies with minor unit 0: https://www.iso.org/iso-4217-currency-codes.html
CURRENCIES_WITHOUT_CENTS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}
    | {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)


def to_cents(amount: Decimal | None) -> Decimal:
    """Return a database's sum with two decimals, whatever type it has; null is nothing."""
    return (amount or ZERO).quantize(CENT, ROUND_HALF_UP)


def smallest_unit(currency: str | None) -> Decimal:
    """Return the smallest amount of a currency: 0.01, or 1 of one without cents."""
    return Decimal(1).scaleb(-shown_decimals(currency)) if currency else CENT


def validate_smallest_unit(amount: Decimal, currency: str | None = None) -> None:
    """Raise ValidationError for cents in a currency that has none, by default the shop's."""
    currency = currency or default_currency()
    if amount % 1 and not shown_decimals(currency):
        message = _("%(currency)s has no decimals: enter a whole amount.")
        raise ValidationError(message % {"currency": currency}, code="no_decimals")


class MoneyFormField(forms.DecimalField):
    """Asks for an amount in the shop's currency, and shows it with the decimals of that."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"decimal_places": shown_decimals(default_currency())})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Decimal) and not self.decimal_places and not value % 1:
            return int(value)
        return super().prepare_value(value)


class MoneyField(models.DecimalField):  # type: ignore[type-arg]
    """An amount with two decimals, wide enough for 100 lines of 999 units at the highest price.

    What people enter is in the shop's currency, and has no cents if that has none.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs = {"max_digits": 15, "decimal_places": DECIMAL_PLACES} | kwargs
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    @cached_property
    def validators(self) -> list[Any]:
        """The field's own, and that of the currency for what is entered."""
        return [*super().validators, *([validate_smallest_unit] if self.editable else [])]

    def formfield(self, **options: Any) -> Any:
        """Return a form field with the currency's decimals."""
        return super().formfield(**{"form_class": MoneyFormField} | options)


class TaxRateField(models.DecimalField):  # type: ignore[type-arg]
    """Percent of tax that a price contains, such as 19.00; null without tax."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs = {
            "max_digits": 5,
            "decimal_places": 2,
            "null": True,
            "blank": True,
            "validators": [MinValueValidator(0), MaxValueValidator(100)],
        } | kwargs
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


def default_currency() -> str:
    """Return the currency of a new order."""
    currency: str = settings.SHOP_CURRENCY
    return currency


def format_money(amount: Decimal, currency: str | None = None) -> str:
    """Format an amount with its currency, by default the shop's: `1,234.50 EUR`."""
    currency = currency or default_currency()
    return f"{format_amount(amount, currency)} {currency}"


def format_amount(amount: Decimal, currency: str | None = None) -> str:
    """Format an amount without the currency: `1,234.50`, or `1,234` of a currency without cents."""
    return f"{amount:,.{shown_decimals(currency or default_currency())}f}"


def shown_decimals(currency: str) -> int:
    """Return the number of decimals that amounts in this currency are shown with."""
    return 0 if currency in CURRENCIES_WITHOUT_CENTS else DECIMAL_PLACES


def order_total(lines: Iterable[tuple[Decimal, int]]) -> Decimal:
    """Return the total of (price, quantity) pairs, for carts, orders and phone orders alike."""
    return sum((price * quantity for price, quantity in lines), ZERO)
