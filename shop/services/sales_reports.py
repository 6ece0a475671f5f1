"""The reports: sales, tax and refunds of a range of days, and the value of the stock.

`services.sales` defines what counts. Whatever their rows are, the sales add up to the same sum: the
`gross` of the order export, without cancelled orders.

Each function runs one statement. Totals are of all rows, also of those beyond `limit`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import (
    Count,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    Window,
)

from shop.documents.tax import Rate
from shop.models import Order, Payment, Product
from shop.models.order_status import OrderStatus
from shop.models.orders import KEPT_QUANTITY
from shop.money import ZERO, MoneyField, to_cents
from shop.services.days import DayRange
from shop.services.sales import ShopDay, credits_given, refunds_given, sold_items, sold_orders

NO_AMOUNT = Value(ZERO, output_field=MoneyField())
KEPT_AMOUNT = ExpressionWrapper(F("price") * KEPT_QUANTITY, output_field=MoneyField())
STOCK_VALUE = ExpressionWrapper(F("price") * F("stock"), output_field=MoneyField())


@dataclass(frozen=True)
class Report[Row]:
    """The rows of a report, the sums of some of their columns, and how many rows there are."""

    rows: list[Row]
    totals: dict[str, Any]
    row_count: int


class DaySales(NamedTuple):
    """Sales of a day, and what was credited on it."""

    day: date
    orders: int = 0
    sales: Decimal = ZERO
    credited: Decimal = ZERO

    @property
    def revenue(self) -> Decimal:
        """Sales less refunds and credits."""
        return self.sales - self.credited


class MethodSales(NamedTuple):
    """Sales by a payment method, and what was credited of its orders then."""

    method: str
    orders: int = 0
    sales: Decimal = ZERO
    credited: Decimal = ZERO

    @property
    def label(self) -> str:
        """The name of the payment method."""
        return str(Order.PaymentMethod(self.method).label)

    @property
    def revenue(self) -> Decimal:
        """Sales less refunds and credits."""
        return self.sales - self.credited


class ProductSales(NamedTuple):
    """Sales of a product, and those of the units that were not sent back."""

    product_id: int
    name: str
    sku: str
    orders: int
    units: int
    returned: int
    sales: Decimal
    kept: Decimal


class TaxedSales(NamedTuple):
    """Sales at one tax rate, what was credited of them so far, and net and tax of the rest."""

    rate: Rate
    orders: int
    sales: Decimal
    credited: Decimal
    net: Decimal
    tax: Decimal


class DayRefunds(NamedTuple):
    """Refunds of a day: how many, the money paid back, and by how much they lower the revenue."""

    day: date
    refunds: int
    paid_back: Decimal
    credited: Decimal


class StockValue(NamedTuple):
    """A product's stock at its price of now."""

    product_id: int
    name: str
    sku: str
    stock: int
    price: Decimal
    value: Decimal


def report[Row](rows: list[Row], *summed: str) -> Report[Row]:
    """Return the rows with the sums of these columns."""
    totals = {name: sum(getattr(row, name) for row in rows) for name in summed}
    return Report(rows, totals, len(rows))


def sales_by_day(days: DayRange) -> Report[DaySales]:
    """Return the sales of each day, oldest first, including days without sales."""
    key = ShopDay(days.days)
    by_day = _sales_by(days, key, key)
    rows = [DaySales(day, *by_day.get(day, ())) for day in days.days]
    return report(rows, "orders", "sales", "credited", "revenue")


def sales_by_payment_method(days: DayRange) -> Report[MethodSales]:
    """Return the sales of each payment method that has any, highest first."""
    by_method = _sales_by(days, F("payment_method"), F("order__payment_method"))
    rows = [MethodSales(method, *amounts) for method, amounts in by_method.items()]
    rows.sort(key=lambda row: (-row.sales, row.method))
    return report(rows, "orders", "sales", "credited", "revenue")


def _sales_by(
    days: DayRange, of_order: Any, of_payment: Any
) -> dict[Any, tuple[int, Decimal, Decimal]]:
    """Return orders, sales and what was credited, by an expression of orders and of payments."""
    sold = sold_orders(days.since, days.until).values(key=of_order)
    credited = credits_given(days.since, days.until).values(key=of_payment)
    both = sold.values_list("key", Count("pk"), Sum("total_amount"), NO_AMOUNT).union(
        credited.values_list("key", Value(0), NO_AMOUNT, Sum("credited_amount")), all=True
    )
    found: dict[Any, tuple[int, Decimal, Decimal]] = {}
    for key, *amounts in both.order_by():
        orders, sales, credit = found.get(key, (0, ZERO, ZERO))
        found[key] = (
            orders + amounts[0],
            sales + to_cents(amounts[1]),
            credit + to_cents(amounts[2]),
        )
    return found


class OfGroup(Subquery):
    """A value that belongs to what the rows are grouped by, and is read for the groups only."""

    def get_group_by_cols(self) -> list[Any]:
        return []


class SumOfAll(Sum):
    """The sum of a column over all groups of a query, in each of its rows."""

    template = "SUM(SUM(%(expressions)s)) OVER ()"


class NumberOfGroups(Count):
    """The number of groups of a query, in each of its rows."""

    template = "COUNT(*) OVER ()"


def sales_by_product(days: DayRange, limit: int | None = None) -> Report[ProductSales]:
    """Return the products that were sold, highest sales first.

    A refund without a return lowers no product's sales: it is given for an order.
    """
    product = Product.objects.filter(pk=OuterRef("product_id")).order_by()
    summed: dict[str, Any] = {"units": F("quantity"), "returned": F("returned_quantity")}
    summed |= {"sales": F("subtotal"), "kept": KEPT_AMOUNT}
    groups: Any = sold_items(days.since, days.until).values("product_id")
    rows = groups.annotate(
        orders=Count("pk"),
        **{f"its_{name}": Sum(column) for name, column in summed.items()},
        **{name: SumOfAll(column) for name, column in summed.items()},
        row_count=NumberOfGroups("pk"),
        name=OfGroup(product.values("name")),
        sku=OfGroup(product.values("sku")),
    ).order_by("-its_sales", "product_id")
    found = list(rows[:limit])
    products = [
        ProductSales(
            row["product_id"],
            row["name"],
            row["sku"],
            row["orders"],
            row["its_units"],
            row["its_returned"],
            to_cents(row["its_sales"]),
            to_cents(row["its_kept"]),
        )
        for row in found
    ]
    return _limited(products, found, ("units", "returned"), ("sales", "kept"))


def _limited[Row](
    rows: list[Row], found: list[Any], units: tuple[str, ...], amounts: tuple[str, ...]
) -> Report[Row]:
    """Return the rows with the totals and the number of all rows, which each of `found` has."""
    if not found:
        return Report([], dict.fromkeys(units, 0) | dict.fromkeys(amounts, ZERO), 0)
    first = found[0]
    totals = {name: first[name] for name in units}
    totals |= {name: to_cents(first[name]) for name in amounts}
    return Report(rows, totals, first["row_count"])


def refunds_by_day(days: DayRange) -> Report[DayRefunds]:
    """Return the refunds of each day that has any, oldest first.

    Money paid back for cancelled and edited orders is among them, but lowers no revenue: their
    sales are without it.
    """
    is_refund = Q(kind=Payment.Kind.REFUND)
    by_day: Any = refunds_given(days.since, days.until).values(day=ShopDay(days.days))
    rows = by_day.values_list("day").annotate(
        refunds=Count("pk", filter=is_refund),
        paid_back=Sum("amount", filter=is_refund),
        lowered=Sum("credited_amount", filter=~Q(order__status=OrderStatus.CANCELLED)),
    )
    refunds = [
        DayRefunds(day, count, to_cents(paid_back), to_cents(credited))
        for day, count, paid_back, credited in rows.order_by("day")
    ]
    return report(refunds, "refunds", "paid_back", "credited")


def stock_value(limit: int | None = None) -> Report[StockValue]:
    """Return the products in stock, also those not for sale, highest value first."""
    rows: Any = (
        Product.objects.filter(stock__gt=0)
        .values("pk", "name", "sku", "stock", "price")
        .annotate(
            its_value=STOCK_VALUE,
            all_stock=Window(Sum("stock")),
            value=Window(Sum(STOCK_VALUE)),
            row_count=Window(Count("*")),
        )
        .order_by("-its_value", "pk")
    )
    found = list(rows[:limit])
    products = [
        StockValue(
            row["pk"],
            row["name"],
            row["sku"],
            row["stock"],
            row["price"],
            to_cents(row["its_value"]),
        )
        for row in found
    ]
    counted = [row | {"stock": row["all_stock"]} for row in found[:1]]
    return _limited(products, counted, ("stock",), ("value",))
