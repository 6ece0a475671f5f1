"""The admin of orders: what is listed, filtered and searched."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from shop.admin.base import ReadOnlyAdmin
from shop.admin.exports import OrderExports
from shop.admin.exposed import ExposedListAdmin
from shop.admin.filters import NumberFilter, RelationFilter, WholeDaysFilter
from shop.admin.orders import related
from shop.admin.orders.columns import OrderColumns
from shop.admin.orders.page import FIELDS_IN_BLOCKS, OrderPage
from shop.admin.orders.phone_orders import PhoneOrderAdmin
from shop.admin.period_filter import PeriodFilter
from shop.db.row_search import SearchResult
from shop.models import Order, Payment
from shop.services.order_search import STAFF_FIELDS, search_orders

__all__ = ["OrderAdmin", "related"]

Status = Order.Status


class RefundDateFilter(WholeDaysFilter):
    """Filter by the days on which something was refunded or credited."""

    def condition(self) -> Q:
        condition = super().condition()
        given = Q(payments__kind__in=[Payment.Kind.REFUND, Payment.Kind.CREDIT])
        return condition & given if condition else condition


@admin.register(Order)
class OrderAdmin(
    OrderExports, PhoneOrderAdmin, OrderColumns, OrderPage, ExposedListAdmin, ReadOnlyAdmin
):
    """The list of orders and an order's page. Orders change only by its buttons."""

    empty_text = _("Orders placed by an app or by you appear here.")
    add_label = _("New order")
    list_filter = (
        ("created_at", PeriodFilter),
        "status",
        "payment_status",
        "payment_method",
        ("items__product", RelationFilter),
        ("payments__created_at", RefundDateFilter),
        ("items__tax_rate", NumberFilter),
    )
    filter_titles = {  # noqa: RUF012
        "created_at": _("Order date"),
        "payment_status": _("Payment"),
        "payment_method": _("Payment method"),
        "items__product": _("Product"),
        "payments__created_at": _("Refund date"),
        "items__tax_rate": _("Tax rate"),
    }
    tab_field = "status"
    tab_labels = Status.choices
    search_fields = STAFF_FIELDS
    search_help_text = _("Number, customer, phone, address or product")
    hidden_filters = (
        "order_number",
        "user",
        "carrier",
        "tracking_number",
        "tracking_url",
        "updated_at",
    )
    hidden_columns = FIELDS_IN_BLOCKS

    def search_rows(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> SearchResult[Order]:
        """Search by number, customer, phone, address and items."""
        return search_orders(queryset, search_term, by_staff=True)
