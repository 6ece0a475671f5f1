"""The admin of orders: what is listed, filtered and searched."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from shop import text_validation
from shop.admin.base import ReadOnlyAdmin
from shop.admin.exports import OrderExports
from shop.admin.exposed import ExposedListAdmin
from shop.admin.filters import RecentDaysFilter, WholeDaysFilter
from shop.admin.orders import related
from shop.admin.orders.columns import OrderColumns
from shop.admin.orders.page import FIELDS_IN_BLOCKS, OrderPage
from shop.admin.orders.phone_orders import PhoneOrderAdmin
from shop.models import Order, User

__all__ = ["OrderAdmin", "related"]

Status = Order.Status
ORDER_NUMBER_LENGTH = 8  # without its dash


@admin.register(Order)
class OrderAdmin(
    OrderExports, PhoneOrderAdmin, OrderColumns, OrderPage, ExposedListAdmin, ReadOnlyAdmin
):
    """The list of orders and an order's page. Orders change only by its buttons."""

    empty_text = _("Orders placed by an app or by you appear here.")
    add_label = _("New order")
    list_filter = (
        RecentDaysFilter,
        ("created_at", WholeDaysFilter),
        "status",
        "payment_status",
        "payment_method",
    )
    tab_field = "status"
    tab_labels = Status.choices
    search_fields = (
        "order_number",
        "shipping_address",
        "user__search_text",
        "items__sku",
    )
    search_help_text = _("Order number, name, email, phone, SKU or address")
    hidden_filters = (
        "order_number",
        "user",
        "carrier",
        "tracking_number",
        "tracking_url",
        "updated_at",
    )
    hidden_columns = FIELDS_IN_BLOCKS

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Search; a full order number or email returns only that order or customer's orders.

        The number's dash may be missing, since customers leave it out on the phone.
        """
        search_term = text_validation.trim_text(search_term)
        number = search_term.replace("-", "").upper()
        if len(number) == ORDER_NUMBER_LENGTH:
            is_in_list = models.Exists(queryset.order_by().filter(pk=models.OuterRef("pk")))
            matches = Order.objects.filter(order_number=f"{number[:4]}-{number[4:]}")
            for pk, is_listed in matches.values_list("pk", is_in_list):
                return queryset.filter(pk=pk) if is_listed else queryset.none(), False
        if "@" in search_term:
            for pk in User.objects.filter(email=search_term).values_list("pk", flat=True):
                return queryset.filter(user=pk), False
        return super().get_search_results(request, queryset, search_term)
