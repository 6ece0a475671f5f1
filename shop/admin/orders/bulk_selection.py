"""The orders that are selected in the list, and what a step would do to them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, Max, QuerySet, Sum
from django.http import HttpRequest

from shop import money
from shop.admin.forms import is_key
from shop.admin.orders.bulk_steps import BulkStep, Consequence
from shop.models import Order
from shop.models.order_status import Text

#: Hidden field with what the page showed, see `Selection.version`.
VERSION_FIELD = "version"
#: The most orders that a page lists, unless its step has a limit of its own.
MAX_LISTED_ORDERS = 50
#: The most orders that a text names.
MAX_NAMED_ORDERS = 10


@dataclass
class Total:
    """A number of orders, and their sum of money by currency."""

    count: int
    amounts: dict[str, Decimal]

    @property
    def amount(self) -> str:
        """The sum as text: `412.00 EUR`, of two currencies `412.00 EUR + 80.00 USD`."""
        return " + ".join(money.format_money(sum_, name) for name, sum_ in self.amounts.items())

    def describe(self, text: Text, **names: str) -> str:
        """Fill the placeholders `count`, `amount` and `names` of a plural of `number`."""
        numbers = {"number": self.count, "count": f"{self.count:,}", "amount": self.amount}
        return text % {**numbers, **names}


def selected_orders(request: HttpRequest, listed: QuerySet[Order]) -> QuerySet[Order]:
    """Return the selected orders: by their keys, or all pages of the list as the page counted them.

    `listed` are those that the list still shows under its filters. An order that was selected by
    its key stays selected, so that it is named if it can't be changed any more. An order that was
    placed after the page was shown is none of all pages.
    """
    if request.POST.get("select_across") != "1":
        return Order.objects.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
    orders = Order.objects.filter(pk__in=listed.order_by().values("pk"))
    newest = request.POST.get(VERSION_FIELD, "").partition("-")[0]
    if is_key(newest):
        orders = orders.filter(pk__lte=int(newest))
    return orders


class Selection:
    """Selected orders, of which a step can change those that are `ready`.

    Whatever their number, it takes one statement to count and add up, one to list orders with
    their customers, one for their items, and one for the orders that are not ready.
    """

    def __init__(self, step: BulkStep, orders: QuerySet[Order]) -> None:
        self.step = step
        self.ready = orders.filter(step.ready)
        self._groups = list(self._read_groups(orders))
        #: The first of the orders that the step can't change, read before it changes others.
        self.others: list[Order] = []
        if self.other_count:
            self.others = list(orders.exclude(step.ready)[:MAX_NAMED_ORDERS])

    def _read_groups(self, orders: QuerySet[Order]) -> Iterable[dict[str, Any]]:
        """Read numbers and sums for each currency."""
        ready = self.step.ready
        sums: dict[str, Any] = {}
        for number, consequence in enumerate(self.step.consequences):
            condition = ready & consequence.condition
            sums[f"count_{number}"] = Count("pk", filter=condition)
            sums[f"amount_{number}"] = Sum(consequence.amount, filter=condition)
        groups: Iterable[Any] = (
            orders.order_by()
            .values("currency")
            .annotate(
                n_selected=Count("pk"),
                newest=Max("pk"),
                n_ready=Count("pk", filter=ready),
                amount=Sum(self.step.amount, filter=ready),
                keys=Sum("pk", filter=ready),
                changed=Max("updated_at", filter=ready),
                **sums,
            )
            .order_by("currency")
        )
        return groups

    def _total(self, count: str, amount: str) -> Total:
        groups = [group for group in self._groups if group[count]]
        amounts = {group["currency"]: group[amount] for group in groups}
        return Total(sum(group[count] for group in groups), amounts)

    @cached_property
    def total(self) -> Total:
        """The orders that the step can change."""
        return self._total("n_ready", "amount")

    @cached_property
    def consequences(self) -> list[tuple[Consequence, Total]]:
        """The consequences that the step has for at least one order."""
        totals = [
            (consequence, self._total(f"count_{number}", f"amount_{number}"))
            for number, consequence in enumerate(self.step.consequences)
        ]
        return [(consequence, total) for consequence, total in totals if total.count]

    @property
    def other_count(self) -> int:
        """The number of selected orders that the step can't change."""
        selected: int = sum(group["n_selected"] for group in self._groups)
        return selected - self.total.count

    @cached_property
    def listed(self) -> list[Order]:
        """The orders that the page lists, newest first, with their customers and items."""
        rows = self.ready.select_related("user").prefetch_related("items")
        return list(rows[: self.step.max_orders or MAX_LISTED_ORDERS])

    @property
    def version(self) -> str:
        """What tells whether the orders are still as the page showed them.

        It changes when one of them changes, leaves or joins. It starts with the newest key.
        """
        shown: tuple[str, ...] = ("currency", "n_ready", "keys", "changed", "amount")
        facts: list[Mapping[str, Any]] = [group for group in self._groups if group["n_ready"]]
        text = repr([[str(group[name]) for name in shown] for group in facts])
        newest = max((group["newest"] for group in self._groups), default=0)
        return f"{newest}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
