"""Admin pages of orders: the list, the read-only page of an order, and their related rows."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from shop import exposure, money
from shop.admin.base import ReadOnlyAdmin, TabbedAdmin
from shop.admin.exports import OrderExports
from shop.admin.exposed import ExposedListAdmin, Fieldsets
from shop.admin.filters import PeriodFilter
from shop.admin.orders.phone_orders import PhoneOrderAdmin
from shop.admin.orders.views import OrderViews
from shop.admin.outbox import SEND_AGAIN, message_status
from shop.admin.rendering import render_age, render_thumbnail, status_label
from shop.db.row_search import SearchResult
from shop.models import IdempotencyKey, Order, OrderEvent, OrderItem, OutboxMessage
from shop.services.order_search import STAFF_FIELDS, search_orders
from shop.services.outbox import can_send_again

Status = Order.Status
#: Fields that a column or the page shows in its own way, or that nobody needs there.
SHOWN_OTHERWISE = (
    "id",
    "order_number",
    "user",
    "status",
    "payment_method",
    "payment_status",
    "total_amount",
    "shipping_address",
    "carrier",
    "tracking_number",
    "created_at",
    "updated_at",
)


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    """A table of rows that are never edited on an order's page."""

    extra = 0
    can_delete = False
    show_title = False

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class ItemInline(ReadOnlyInline):
    """The ordered products, with the prices of that moment."""

    model = OrderItem
    verbose_name_plural = _("Items")
    fields = readonly_fields = ("picture", "name", "sku", "quantity", "price", "subtotal")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[OrderItem]:
        items: models.QuerySet[OrderItem] = super().get_queryset(request)
        return items.select_related("product")

    @display(description="")
    def picture(self, item: OrderItem) -> str:
        """Return the product's thumbnail."""
        return render_thumbnail(item.product)


class EventInline(ReadOnlyInline):
    """The order's events: status changes, payments, notes and prints."""

    model = OrderEvent
    verbose_name_plural = _("Timeline")
    fields = readonly_fields = ("created_at", "event", "actor", "note")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[OrderEvent]:
        events: models.QuerySet[OrderEvent] = super().get_queryset(request)
        return events.select_related("actor")

    @display(description=_("Event"))
    def event(self, event: OrderEvent) -> str:
        """Return the event's name, marked if the customer can't see it."""
        if not event.is_internal:
            return str(event)
        return gettext("%(event)s (staff only)") % {"event": event}


class MessageInline(ReadOnlyInline):
    """The emails about the order, with a link to send one again."""

    model = OutboxMessage
    verbose_name_plural = _("Emails")
    ordering = ("id",)
    # What a phone has room for comes first.
    readonly_fields = ("label", "status_column", "again", "recipient", "created_at")

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """Show the link only to those who may use it."""
        can_send = request.user.has_perm("shop.change_outboxmessage")
        return [name for name in self.readonly_fields if name != "again" or can_send]

    @display(description=_("Message"))
    def label(self, message: OutboxMessage) -> str:
        """Return what staff call this kind of message."""
        return message.label

    @display(description=_("Status"))
    def status_column(self, message: OutboxMessage) -> str:
        """Return the label of the status, with the last error below."""
        return format_html("{} <small>{}</small>", message_status(message), message.error)

    @display(description="")
    def again(self, message: OutboxMessage) -> str:
        """Return the link to send the message again, unless it is waiting."""
        if not can_send_again(message):
            return ""
        url = reverse("admin:shop_outboxmessage_send_again", args=[message.pk])
        return format_html('<a class="shop-link" href="{}">{}</a>', url, SEND_AGAIN)


@admin.register(Order)
class OrderAdmin(
    TabbedAdmin, OrderExports, PhoneOrderAdmin, OrderViews, ExposedListAdmin, ReadOnlyAdmin
):
    """The list of orders and an order's page. Orders change only by its buttons."""

    empty_text = _("Orders placed by an app or by you appear here.")
    add_label = _("New order")
    first_columns = (
        "order_number",
        "user",
        "status_column",
        "payment_column",
        "units",
        "total",
        "age",
    )
    list_filter = (
        ("created_at", PeriodFilter),
        "status",
        "payment_status",
        "payment_method",
    )
    filter_titles = {  # noqa: RUF012
        "created_at": _("Order date"),
        "payment_status": _("Payment"),
        "payment_method": _("Payment method"),
    }
    list_select_related = ("user",)
    tab_field = "status"
    tab_labels = Status.choices
    search_fields = STAFF_FIELDS
    search_help_text = _("Number, customer, phone, address or product")
    hidden_filters = ("order_number", "user", "carrier", "tracking_number", "updated_at")
    hidden_columns = SHOWN_OTHERWISE
    details = ("customer", "ships_to", "note", "payment_method", "parcel", "created_at")
    readonly_fields = ("customer", "ships_to", "parcel")
    inlines = (ItemInline, EventInline, MessageInline)
    change_form_outer_before_template = "admin/shop/order/banner.html"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Order]:
        units = OrderItem.objects.filter(order=models.OuterRef("pk")).order_by().values("order")
        orders: models.QuerySet[Order] = super().get_queryset(request)
        return orders.annotate(
            n_units=Coalesce(
                models.Subquery(units.annotate(n=models.Sum("quantity")).values("n")), 0
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Fieldsets:
        placed = {*self.details, *SHOWN_OTHERWISE}
        names = exposure.names_of(exposure.all_fields(Order))
        rest = [name for name in names if name not in placed]
        return [(None, {"fields": [*self.details, *rest]})]

    def search_rows(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> SearchResult[Order]:
        """Search by number, customer, phone, address and items."""
        return search_orders(queryset, search_term, by_staff=True)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Add the banner's context: order, total, status labels and buttons."""
        order = kwargs["obj"]
        context |= {
            "order": order,
            "total": money.format_money(order.total_amount),
            "buttons": self.buttons(request, order),
        }
        context["labels"] = [self.status_column(order), self.payment_column(order)]
        return super().render_change_form(request, context, **kwargs)

    @display(description=_("Customer"))
    def customer(self, order: Order) -> str:
        """Return name, email, phone and a link to the customer's other orders."""
        earlier = Order.objects.filter(user=order.user, created_at__lt=order.created_at).count()
        link = '<a class="shop-link" href="{}">{}</a>'
        return format_html(
            link + "\n{} {}\n" + link,
            reverse("admin:shop_user_change", args=[order.user_id]),
            order.user,
            order.user.email,
            order.user.phone,
            reverse("admin:shop_order_changelist") + f"?user__id__exact={order.user_id}",
            ngettext("%(count)d earlier order", "%(count)d earlier orders", earlier)
            % {"count": earlier}
            if earlier
            else gettext("First order"),
        )

    @display(description=_("Shipping address"))
    def ships_to(self, order: Order) -> str:
        """Return the address; admin.js adds a button that copies it."""
        return format_html("<span data-copy>{}</span>", order.shipping_address)

    @display(description=_("Parcel"))
    def parcel(self, order: Order) -> str:
        """Return carrier and tracking number."""
        return " ".join(filter(None, [order.carrier, order.tracking_number]))

    @display(description=_("Status"), ordering="status")
    def status_column(self, order: Order) -> str:
        """Return the label of the order's status."""
        return status_label(Status(order.status))

    @display(description=_("Payment"), ordering="payment_status")
    def payment_column(self, order: Order) -> str:
        """Return the label of the payment's status."""
        return status_label(Order.PaymentStatus(order.payment_status))

    @display(description=_("Items"), ordering="n_units")
    def units(self, order: Order) -> int:
        """Return the total quantity of all items."""
        units: int = order.n_units  # type: ignore[attr-defined]
        return units

    @display(description=_("Total"), ordering="total_amount")
    def total(self, order: Order) -> str:
        """Return the total with its currency."""
        return money.format_money(order.total_amount)

    @display(description=_("Placed"), ordering="created_at")
    def age(self, order: Order) -> str:
        """Return how long ago the order was placed."""
        return render_age(order.created_at)


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnlyAdmin):
    """All order lines, read-only."""

    empty_text = _("The items of all orders appear here.")
    list_display = ("order", "sku", "name", "quantity", "price", "subtotal")
    list_select_related = ("order",)
    search_fields = ("order__order_number", "sku", "name")


@admin.register(OrderEvent)
class OrderEventAdmin(ReadOnlyAdmin):
    """The events of all orders, read-only."""

    empty_text = _("The events of all orders appear here, with the date and the user.")
    list_display = ("created_at", "order", "kind", "status", "payment_status", "actor", "note")
    list_filter = ("kind", "status")
    list_select_related = ("order", "actor")
    search_fields = ("order__order_number", "note")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """The stored responses to Idempotency-Keys, to answer an app developer's questions."""

    empty_text = _(
        "The responses to requests with an Idempotency-Key are kept here for three days."
    )
    list_display = ("created_at", "user", "key")
    list_select_related = ("user",)
    search_fields = ("key", "user__search_text")
