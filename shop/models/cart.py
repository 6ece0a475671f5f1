"""Carts. A customer's cart is the set of their cart items."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.models.products import Product

MAX_QUANTITY = 999
MAX_LINES = 100


class CartItem(models.Model):
    """One line of a customer's cart: a product and a quantity."""

    # No index of its own: the unique constraint's index starts with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="cart", db_index=False
    )
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(_("quantity"))
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta:
        ordering = ("id",)
        verbose_name_plural = _("open carts")
        constraints = (
            models.UniqueConstraint(fields=["user", "product"], name="cart_one_line_per_product"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY),
                name="cart_quantity_in_bounds",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"
