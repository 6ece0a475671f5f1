"""The page of one step on an order: a form beside what it acts on."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from shop import money
from shop.admin.base import ActionFormAdmin
from shop.admin.rendering import status_label
from shop.models import Order, OrderItem
from shop.models.order_status import OrderStatus, PaymentStatus, Text


class OrderSteps(ActionFormAdmin):
    """Renders the steps on one order."""

    def step_view(
        self,
        request: HttpRequest,
        order: Order,
        *,
        items: Sequence[OrderItem] | None = None,
        template: str = "step",
        refusal: Text = "",
        **options: Any,
    ) -> HttpResponse:
        """Show the form beside a summary of the order; `options` are those of `action_form_view`.

        `refusal` says why the step is not possible now: it is shown on the order's page instead.
        A submitted form gets its own answer, which may be the result of its first submission.
        """
        if refusal and request.method != "POST":
            messages.warning(request, str(refusal))
            return self.redirect_to_record(order)
        return self.action_form_view(
            request,
            order,
            template=f"admin/shop/order/{template}.html",
            order=order,
            items=list(order.items.all()) if items is None else items,
            labels=[
                status_label(OrderStatus(order.status)),
                status_label(PaymentStatus(order.payment_status)),
            ],
            amounts=order_amounts(order),
            **options,
        )


def order_amounts(order: Order) -> dict[str, str]:
    """Return the amounts of an order as text; empty for those that are zero."""
    amounts = {
        "total": order.total_amount,
        "paid": order.paid_amount,
        "refunded": order.refunded_amount,
        "due": order.amount_due,
        "refund_due": order.refund_due,
    }
    return {
        name: money.format_money(amount, order.currency) if amount or name == "total" else ""
        for name, amount in amounts.items()
    }
