"""Read-only lists of what belongs to orders: items, events, and idempotency keys."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from shop.admin.base import ReadOnlyAdmin
from shop.models import IdempotencyKey, OrderEvent, OrderItem


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnlyAdmin):
    """All order lines, read-only."""

    empty_text = _("The items of all orders appear here.")
    list_display = ("order", "sku", "name", "quantity", "price", "subtotal")
    card_corner = "subtotal"
    list_select_related = ("order",)
    search_fields = ("order__order_number", "sku", "name")
    search_help_text = _("Order number, SKU or product")


@admin.register(OrderEvent)
class OrderEventAdmin(ReadOnlyAdmin):
    """The events of all orders, read-only."""

    empty_text = _("The events of all orders appear here, with the date and the user.")
    list_display = ("created_at", "order", "kind", "status", "payment_status", "actor", "note")
    list_filter = ("kind", "status")
    card_title = "order"
    card_corner = "created_at"
    list_select_related = ("order", "actor")
    search_fields = ("order__order_number", "note")
    search_help_text = _("Order number or note")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """The stored responses to Idempotency-Keys, to answer an app developer's questions."""

    empty_text = _(
        "The responses to requests with an Idempotency-Key are kept here for three days."
    )
    list_display = ("created_at", "user", "key")
    card_title = "key"
    card_corner = "created_at"
    list_select_related = ("user",)
    search_fields = ("key", "user__search_text")
    search_help_text = _("Key or customer")
