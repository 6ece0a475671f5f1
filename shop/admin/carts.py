"""The admin of open carts."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from shop.admin.base import ReadOnlyAdmin
from shop.models import CartItem


@admin.register(CartItem)
class CartItemAdmin(ReadOnlyAdmin):
    """Products in customers' carts, not ordered yet."""

    empty_text = _(
        "Products that customers add to the cart in an app appear here until they order."
    )
    list_display = ("user", "product", "quantity", "created_at")
    card_title = "product"
    card_corner = "quantity"
    list_select_related = ("user", "product")
    search_fields = ("user__search_text", "product__search_text")
    search_help_text = _("Customer or product")
