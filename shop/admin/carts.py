"""Open carts."""

from django.contrib import admin

from shop.admin.base import ReadOnlyAdmin
from shop.models import CartItem


@admin.register(CartItem)
class CartItemAdmin(ReadOnlyAdmin):
    """What customers are about to buy."""

    empty = "What a customer puts into the cart of an app appears here until it is ordered."
    list_display = ("user", "product", "quantity", "created_at")
    list_select_related = ("user", "product")
    search_fields = ("user__email", "product__name", "product__sku")
