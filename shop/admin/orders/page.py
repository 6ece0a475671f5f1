"""The page of an order: items, totals and timeline; customer, address, payment and parcel."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _

from shop import exposure, money
from shop.admin.orders.timeline import build_timeline
from shop.admin.orders.views import OrderViews
from shop.admin.rendering import render_thumbnail, status_label
from shop.models import Order
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.services import customers

#: Fields that a block of the page shows, or that nobody needs there.
FIELDS_IN_BLOCKS = frozenset(
    {
        "id",
        "order_number",
        "user",
        "status",
        "payment_method",
        "payment_status",
        "total_amount",
        "credited_amount",
        "paid_amount",
        "refunded_amount",
        "currency",
        "shipping_address",
        "note",
        "carrier",
        "tracking_number",
        "tracking_url",
        "shipped_at",
        "created_at",
        "updated_at",
    }
)
FURTHER_FIELDS = [
    name for name in exposure.names_of(exposure.all_fields(Order)) if name not in FIELDS_IN_BLOCKS
]


class OrderPage(OrderViews):
    """Shows an order. It changes only by its buttons."""

    change_form_template = "admin/shop/order/page.html"

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """Return the fields that no block of the page shows."""
        return [(_("Further details"), {"fields": FURTHER_FIELDS})] if FURTHER_FIELDS else []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Add what the blocks of the page show."""
        order: Order = kwargs["obj"]
        context |= {
            "items": item_rows(order),  # first: the buttons need the items too
            "order": order,
            "total": money.format_money(order.total_amount, order.currency),
            "status_labels": [
                status_label(OrderStatus(order.status)),
                status_label(PaymentStatus(order.payment_status)),
            ],
            "buttons": self.buttons(request, order),
            "has_returns": any(item.returned_quantity for item in order.items.all()),
            "totals": total_rows(order),
            "timeline": build_timeline(order, request),
            **customer_context(order, request),
        }
        return super().render_change_form(request, context, **kwargs)


def item_rows(order: Order) -> list[dict[str, Any]]:
    """Return the items with their pictures and amounts, read by one query."""
    models.prefetch_related_objects(
        [order], models.Prefetch("items", order.items.select_related("product"))
    )
    return [
        {
            "item": item,
            "picture": render_thumbnail(item.product),
            "price": money.format_money(item.price, order.currency),
            "subtotal": money.format_money(item.subtotal, order.currency),
        }
        for item in order.items.all()
    ]


def total_rows(order: Order) -> list[tuple[str, str, bool]]:
    """Return label, amount and whether it is to be seen first; only the total if it is zero."""
    rows: list[tuple[str, Decimal, bool]] = [
        (_("Total"), order.total_amount, True),
        (_("Credited"), -order.credited_amount, False),
        (_("Paid"), order.paid_amount, False),
        (_("Refunded"), -order.refunded_amount, False),
        (_("Still due"), order.amount_due, True),
        (_("Refund due"), order.refund_due, True),
    ]
    return [
        (label, money.format_money(amount, order.currency), is_main)
        for number, (label, amount, is_main) in enumerate(rows)
        if amount or not number
    ]


def customer_context(order: Order, request: HttpRequest) -> dict[str, Any]:
    """Return the numbers of orders, and for those who may see it what all of them are worth."""
    history = customers.purchase_history(order)
    context: dict[str, Any] = {
        "is_first_order": not history.earlier,
        "customer_orders": history.orders,
    }
    if request.user.has_perm("shop.view_revenue"):
        context["lifetime_value"] = money.format_money(history.value, order.currency)
    return context
