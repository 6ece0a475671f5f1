"""Orders: read here, moved by the buttons that `Order.FLOW` allows, one or many at a time."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeNumericFilter
from unfold.decorators import display

from shop import money
from shop.admin.base import ReadOnlyAdmin, TabbedAdmin
from shop.admin.exports import OrderExports
from shop.admin.filters import LatelyFilter, WholeDaysFilter
from shop.admin.orders.phone_orders import PhoneOrders
from shop.admin.orders.views import OrderViews
from shop.admin.rendering import render_age, render_thumbnail, status_label
from shop.models import IdempotencyKey, Order, OrderEvent, OrderItem, User

Status = Order.Status
NUMBER_SIGNS = 8  # of an order's number, without its dash


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
    fields = readonly_fields = ("picture", "name", "sku", "quantity", "price", "subtotal")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[OrderItem]:
        items: models.QuerySet[OrderItem] = super().get_queryset(request)
        return items.select_related("product")

    @display(description="")
    def picture(self, item: OrderItem) -> str:
        """What to look for on the shelf."""
        return render_thumbnail(item.product)


class EventInline(ShownInline):
    """What happened."""

    model = OrderEvent
    verbose_name_plural = "Timeline"
    fields = readonly_fields = ("created_at", "what", "actor", "note")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[OrderEvent]:
        events: models.QuerySet[OrderEvent] = super().get_queryset(request)
        return events.select_related("actor")

    @display(description="What")
    def what(self, event: OrderEvent) -> str:
        """In a word."""
        return f"{event} (staff only)" if event.is_internal else str(event)


@admin.register(Order)
class OrderAdmin(TabbedAdmin, OrderExports, PhoneOrders, OrderViews, ReadOnlyAdmin):
    """The counter."""

    empty = "They appear here as soon as an app, or you, place one."
    add_label = "New order"
    list_display = (
        "order_number",
        "user",
        "status_column",
        "payment_column",
        "units",
        "total",
        "age",
    )
    list_filter = (
        LatelyFilter,
        ("created_at", WholeDaysFilter),
        "status",
        "payment_status",
        "payment_method",
        ("total_amount", RangeNumericFilter),
    )
    list_filter_submit = True
    list_select_related = ("user",)
    tab_field = "status"
    tab_labels = Status.choices
    search_fields = (
        "order_number",
        "shipping_address",
        "user__email",
        "user__phone",
        "user__last_name",
        "items__sku",
    )
    search_help_text = "Number, name, email, phone, SKU or address"
    fieldsets = (
        (
            None,
            {"fields": ("customer", "ships_to", "note", "payment_method", "parcel", "created_at")},
        ),
    )
    readonly_fields = ("customer", "ships_to", "parcel")
    inlines = (ItemInline, EventInline)
    change_form_outer_before_template = "admin/shop/order/banner.html"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Order]:
        units = OrderItem.objects.filter(order=models.OuterRef("pk")).order_by().values("order")
        found: models.QuerySet[Order] = super().get_queryset(request)
        return found.annotate(
            n_units=Coalesce(
                models.Subquery(units.annotate(n=models.Sum("quantity")).values("n")), 0
            )
        )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Also by a number without its dash, as it is read over the telephone.

        Who types a whole number wants that order, who types a whole email that customer's: nothing else is
        looked through.
        """
        bare = search_term.replace("-", "").strip().upper()
        if len(bare) == NUMBER_SIGNS:
            is_shown = models.Exists(queryset.order_by().filter(pk=models.OuterRef("pk")))
            numbered = Order.objects.filter(order_number=f"{bare[:4]}-{bare[4:]}")
            for pk, is_listed in numbered.values_list("pk", is_shown):
                return queryset.filter(pk=pk) if is_listed else queryset.none(), False
        if "@" in search_term:
            for pk in User.objects.filter(email=search_term.strip()).values_list("pk", flat=True):
                return queryset.filter(user=pk), False
        return super().get_search_results(request, queryset, search_term)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Give the banner its order and its buttons."""
        order = kwargs["obj"]
        context |= {"order": order, "total": money.format_money(order.total_amount), "buttons": []}
        context["labels"] = [self.status_column(order), self.payment_column(order)]
        if self.has_action_permission(request):
            context["buttons"] = self.buttons(order)
        return super().render_change_form(request, context, **kwargs)

    @display(description="Customer")
    def customer(self, order: Order) -> str:
        """Who, how to reach them, and what they ordered before."""
        earlier = Order.objects.filter(user=order.user, created_at__lt=order.created_at).count()
        link = '<a class="shop-link" href="{}">{}</a>'
        return format_html(
            link + "\n{} {}\n" + link,
            reverse("admin:shop_user_change", args=[order.user_id]),
            order.user,
            order.user.email,
            order.user.phone,
            reverse("admin:shop_order_changelist") + f"?user__id__exact={order.user_id}",
            f"{earlier} earlier order{'' if earlier == 1 else 's'}" if earlier else "First order",
        )

    @display(description="Shipping address")
    def ships_to(self, order: Order) -> str:
        """Where it goes; the page's script adds a button that copies it."""
        return format_html("<span data-copy>{}</span>", order.shipping_address)

    @display(description="Parcel")
    def parcel(self, order: Order) -> str:
        """Who carries it."""
        return " ".join(filter(None, [order.carrier, order.tracking_number]))

    @display(description="Status", ordering="status")
    def status_column(self, order: Order) -> str:
        """Where it is."""
        return status_label(Status(order.status))

    @display(description="Payment", ordering="payment_status")
    def payment_column(self, order: Order) -> str:
        """Whether it is paid."""
        return status_label(Order.PaymentStatus(order.payment_status))

    @display(description="Items", ordering="n_units")
    def units(self, order: Order) -> int:
        """How many pieces."""
        count: int = order.n_units  # type: ignore[attr-defined]
        return count

    @display(description="Total", ordering="total_amount")
    def total(self, order: Order) -> str:
        """With its currency."""
        return money.format_money(order.total_amount)

    @display(description="Placed", ordering="created_at")
    def age(self, order: Order) -> str:
        """How long ago."""
        return render_age(order.created_at)


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnlyAdmin):
    """Every line ever sold."""

    empty = "Each line of an order appears here."
    list_display = ("order", "sku", "name", "quantity", "price", "subtotal")
    list_select_related = ("order",)
    search_fields = ("order__order_number", "sku", "name")


@admin.register(OrderEvent)
class OrderEventAdmin(ReadOnlyAdmin):
    """Every step ever taken."""

    empty = "Each step of an order appears here, with who took it and when."
    list_display = ("created_at", "order", "kind", "status", "payment_status", "actor", "note")
    list_filter = ("kind", "status")
    list_select_related = ("order", "actor")
    search_fields = ("order__order_number", "note")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """What was answered to which key, for an app's developer who asks."""

    empty = (
        "An app that sends an Idempotency-Key with an order leaves its answer here for three days."
    )
    list_display = ("created_at", "user", "key")
    list_select_related = ("user",)
    search_fields = ("key", "user__email")
