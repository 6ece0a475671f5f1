"""What counts as a sale: the one definition of the dashboard, the reports and the order export.

- An order counts on the day on which it was placed, unless it was cancelled, at what its lines
  cost now: an edit counts as if the order had been placed so. These are its *sales*,
  `Order.total_amount`.
- A refund or credit counts on the day on which it was given, by `Payment.credited_amount`: what
  was given up of the price of an order that was not cancelled. Money that goes back because an
  edit made the total smaller does not count twice.
- *Revenue* is sales less refunds and credits of the same days.
- Units and products count on the day of the order.

Days are days of the shop's time zone. Money is in the shop's currency: orders placed in another
one do not count.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from shop.models import Order, OrderItem, Payment
from shop.models.order_status import OrderStatus
from shop.money import default_currency
from shop.services.days import constant_offsets


class ShopDay(TruncDate):
    """The day of `created_at` in the shop's time zone; the rows are of the given days in sequence.

    On SQLite Django's way calls Python for each row. Here SQLite adds the offset from UTC.
    """

    def __init__(self, days: Sequence[date], **extra: Any) -> None:
        super().__init__("created_at", tzinfo=timezone.get_current_timezone(), **extra)
        self.days = days

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002 - Django's
        moment, _params = compiler.compile(self.lhs)  # a column has no parameters
        cases = []
        seconds = f"SUBSTR({moment}, 1, 19)"  # SQLite would round to the next day
        for until, day in constant_offsets(self.days):
            local = f"'{day}'" if isinstance(day, date) else f"date({seconds}, '{day} seconds')"
            end = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
            cases.append(f"WHEN {moment} < '{end}' THEN {local}")
        return f"CASE {' '.join(cases)} END", ()


def placed_between(since: datetime, until: datetime | None = None, *, of: str = "") -> Q:
    """Return the condition that `created_at` is at or after `since`, and before `until`."""
    condition = Q((f"{of}created_at__gte", since))
    return condition & Q((f"{of}created_at__lt", until)) if until else condition


def _counts(*, of: str = "") -> Q:
    """Return the condition that an order counts, whenever it was placed."""
    is_cancelled = Q((f"{of}status", OrderStatus.CANCELLED))
    return Q((f"{of}currency", default_currency())) & ~is_cancelled


def sold_orders(since: datetime, until: datetime) -> QuerySet[Order]:
    """Return the orders that were placed then and count. The index `order_sales` has all of it."""
    return Order.objects.filter(placed_between(since, until), _counts()).order_by()


def credits_given(since: datetime, until: datetime) -> QuerySet[Payment]:
    """Return what was credited then of orders that count, by the index `payment_refunds`."""
    refunds = refunds_given(since, until).filter(credited_amount__gt=0)
    return refunds.exclude(order__status=OrderStatus.CANCELLED)


def refunds_given(since: datetime, until: datetime) -> QuerySet[Payment]:
    """Return the refunds and credits of then, also those of cancelled and edited orders."""
    given = Payment.objects.filter(placed_between(since, until), order__currency=default_currency())
    return given.exclude(kind=Payment.Kind.PAYMENT).order_by()


def sold_items(
    since: datetime, until: datetime | None = None, *, oldest: int | None = None
) -> QuerySet[OrderItem]:
    """Return the items of the orders that were placed then and count.

    `oldest` is the lowest id of those orders, so it filters nothing out. It lets the database skip
    the items of older orders and estimate the number of rows.
    """
    items = OrderItem.objects.filter(placed_between(since, until, of="order__"))
    items = items.filter(_counts(of="order__")).order_by()
    return items if oldest is None else items.filter(order__gte=oldest)
