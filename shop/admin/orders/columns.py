"""The columns of the order list."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop import money
from shop.admin.base import TabbedAdmin
from shop.admin.changelists import NUMBER_FORMAT
from shop.admin.rendering import render_age, status_label
from shop.models import Order, OrderItem
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.services.addresses import town_of


def summarize_items(items: Sequence[OrderItem]) -> str:
    """Return the first item and the number of further ones: `2 × Dipped Mug, +1`.

    A name that is too long for its column is cut, but not the number.
    """
    if not items:
        return ""
    further = f", +{len(items) - 1}" if len(items) > 1 else ""
    return format_html(
        '<span class="shop-items" title="{}"><span>{}</span>{}</span>',
        "\n".join(map(str, items)),
        items[0],
        further,
    )


class OrderColumns(TabbedAdmin):
    """What the list shows of an order beside its fields. The items of a page are one query."""

    first_columns: Sequence[str] = (
        "order_number",
        "user",
        "items_column",
        "town",
        "status_column",
        "payment_column",
        "total",
        "age",
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Order]:
        """Return the orders with their customers, and with the units that a list is sorted by."""
        units = OrderItem.objects.filter(order=models.OuterRef("pk")).order_by().values("order")
        orders: models.QuerySet[Order] = super().get_queryset(request).select_related("user")
        return orders.annotate(
            n_units=Coalesce(
                models.Subquery(units.annotate(n=models.Sum("quantity")).values("n")), 0
            )
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, with the items of the orders on its page; an action needs no items."""
        changelist = super().get_changelist_instance(request)
        if request.method != "POST":
            changelist.result_list = list(changelist.result_list)
            models.prefetch_related_objects(changelist.result_list, "items")
        return changelist

    def empty_tab(
        self, current: Mapping[str, Any], tabs: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return that all went on to the next status, and a link to the orders that wait next."""
        empty = super().empty_tab(current, tabs)
        facts = OrderStatus(current["value"]).facts
        if facts.waiting_for:
            label = OrderStatus(facts.next[0]).label
            empty["title"] = gettext("All %(status)s") % {"status": str(label).lower()}
        # Those after it come first, then those before it.
        place = tabs.index(current)
        for tab in (*tabs[place + 1 :], *tabs[1:place]):
            waiting_for = OrderStatus(tab["value"]).facts.waiting_for
            if waiting_for and tab["count"]:
                text = ngettext(
                    "%(count)s order waits %(waiting_for)s",
                    "%(count)s orders wait %(waiting_for)s",
                    tab["count"],
                )
                names = {"count": tab["count_label"], "waiting_for": waiting_for}
                return empty | {"label": text % names, "query": tab["query"]}
        return empty

    @display(description=_("Items"), ordering="n_units")
    def items_column(self, order: Order) -> str:
        """Return the first item and the number of further ones, with all of them as a tooltip."""
        return summarize_items(list(order.items.all()))

    @display(description=_("Town"))
    def town(self, order: Order) -> str:
        """Return the town of the shipping address."""
        return town_of(order.shipping_address)

    @display(description=_("Status"), ordering="status")
    def status_column(self, order: Order) -> str:
        """Return the label of the order's status."""
        return status_label(OrderStatus(order.status))

    @display(description=_("Payment"), ordering="payment_status")
    def payment_column(self, order: Order) -> str | None:
        """Return the label of the payment's status; nothing where there is nothing to pay."""
        status = PaymentStatus(order.payment_status)
        return None if status == PaymentStatus.VOIDED else status_label(status)

    @display(description=_("Total"), ordering="total_amount", formatting=NUMBER_FORMAT)
    def total(self, order: Order) -> str:
        """Return the total with its currency."""
        return money.format_money(order.total_amount, order.currency)

    @display(description=_("Placed"), ordering="created_at")
    def age(self, order: Order) -> str:
        """Return how long ago the order was placed."""
        return render_age(order.created_at)
