"""Orders: read here, moved by the buttons that `Order.FLOW` allows."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.decorators import display

from shop import money
from shop.admin.base import ReadOnlyAdmin, Steps, clerk
from shop.admin.forms import CancelForm, NoteForm, NothingToAsk
from shop.models import IdempotencyKey, Order, OrderEvent, OrderItem
from shop.services import orders

Status = Order.Status
VERBS = {
    Status.CONFIRMED: "Confirm order",
    Status.SHIPPED: "Mark as shipped",
    Status.DELIVERED: "Mark as delivered",
    Status.CANCELLED: "Cancel order",
}


class ShownInline(TabularInline):  # type: ignore[misc]
    """Rows that belong to an order and are never edited."""

    extra = 0
    can_delete = False
    show_title = False

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class ItemInline(ShownInline):
    """What was ordered."""

    model = OrderItem
    verbose_name_plural = "Items"
    fields = readonly_fields = ("name", "sku", "quantity", "price", "subtotal")


class EventInline(ShownInline):
    """What happened."""

    model = OrderEvent
    verbose_name_plural = "History"
    fields = readonly_fields = ("created_at", "kind", "status", "payment_status", "actor", "note")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[OrderEvent]:
        events: models.QuerySet[OrderEvent] = super().get_queryset(request)
        return events.select_related("actor")


@admin.register(Order)
class OrderAdmin(Steps, ReadOnlyAdmin):
    """The counter."""

    list_display = ("order_number", "user", "status_pill", "payment_pill", "total", "created_at")
    list_filter = ("status", "payment_status", "payment_method")
    list_select_related = ("user",)
    search_fields = ("order_number", "user__email", "user__phone", "user__last_name")
    fieldsets = ((None, {"fields": ("user", "shipping_address", "note", "payment_method", "created_at")}),)
    inlines = (ItemInline, EventInline)
    change_form_outer_before_template = "admin/shop/order/banner.html"
    steps = {"move/<str:to>": "move", "paid": "mark_paid"}  # noqa: RUF012
    step_permission = "change_order"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """A number read over the telephone may come in small letters and without its dash."""
        found, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        bare = search_term.replace("-", "").strip().upper()
        number = f"{bare[:4]}-{bare[4:]}"
        return found | queryset.filter(order_number=number), may_have_duplicates

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> Any:
        """Give the banner its order and its buttons."""
        order = kwargs["obj"]
        context |= {"order": order, "total": money.show(order.total_amount), "buttons": []}
        if self.may_step(request):
            context["buttons"] = self._buttons(order)
        return super().render_change_form(request, context, **kwargs)

    def _buttons(self, order: Order) -> list[dict[str, str]]:
        """The next step first, as data: label, address, and whether it is the one, another or the way out."""
        steps = order.steps(by_staff=True)
        buttons = [
            {
                "label": VERBS[to],
                "address": reverse("admin:shop_order_move", args=[order.pk, to]),
                "kind": "danger" if to == Status.CANCELLED else "primary",
            }
            for to in steps
        ]
        if order.awaits_payment:
            address = reverse("admin:shop_order_mark_paid", args=[order.pk])
            buttons.insert(1, {"label": "Mark as paid", "address": address, "kind": "default"})
        return buttons

    def move(self, request: HttpRequest, order: Order, to: str) -> HttpResponse:
        """Ask, then take one step of `Order.FLOW`; the service looks again at where the order is by then."""
        if to not in VERBS:
            raise Http404
        status = Status(to)

        def move(values: dict[str, Any]) -> str:
            orders.move_order(
                order_id=order.pk,
                to=status,
                actor=clerk(request),
                by_staff=True,
                note=values["note"],
            )
            return f"Order {order} is {status.label.lower()} now."

        cancels = status == Status.CANCELLED
        return self.ask(
            request,
            order,
            ask_for=CancelForm if cancels else NoteForm,
            title=f"{VERBS[status]} {order}?",
            hint=f"It is {order.get_status_display().lower()} now."
            + (" Its units go back into stock." if cancels else ""),
            button=VERBS[status],
            do=move,
        )

    def mark_paid(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Ask, then note that the money has arrived."""

        def mark(_: dict[str, Any]) -> str:
            orders.mark_paid(order_id=order.pk, actor=clerk(request))
            return f"Order {order} is paid now."

        return self.ask(
            request,
            order,
            ask_for=NothingToAsk,
            title=f"Mark {order} as paid?",
            hint=f"{money.show(order.total_amount)} by {order.get_payment_method_display().lower()}.",
            button="Mark as paid",
            do=mark,
        )

    @display(
        description="Status",
        ordering="status",
        label={
            Status.PENDING: "warning",
            Status.CONFIRMED: "info",
            Status.SHIPPED: "info",
            Status.DELIVERED: "success",
            Status.CANCELLED: "danger",
        },
    )
    def status_pill(self, order: Order) -> tuple[str, str]:
        """Where it is."""
        return order.status, order.get_status_display()

    @display(
        description="Payment",
        ordering="payment_status",
        label={"pending": "warning", "paid": "success", "refunded": "info"},
    )
    def payment_pill(self, order: Order) -> tuple[str, str]:
        """Whether it is paid."""
        return order.payment_status, order.get_payment_status_display()

    @display(description="Total", ordering="total_amount")
    def total(self, order: Order) -> str:
        """With its currency."""
        return money.show(order.total_amount)


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnlyAdmin):
    """Every line ever sold."""

    list_display = ("order", "sku", "name", "quantity", "price", "subtotal")
    list_select_related = ("order",)
    search_fields = ("order__order_number", "sku", "name")


@admin.register(OrderEvent)
class OrderEventAdmin(ReadOnlyAdmin):
    """Every step ever taken."""

    list_display = ("created_at", "order", "kind", "status", "payment_status", "actor", "note")
    list_filter = ("kind", "status")
    list_select_related = ("order", "actor")
    search_fields = ("order__order_number", "note")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """What was answered to which key, for an app's developer who asks."""

    list_display = ("created_at", "user", "key")
    list_select_related = ("user",)
    search_fields = ("key", "user__email")
