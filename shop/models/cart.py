"""What a customer is about to buy."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from shop.models.products import Product

MAX_QUANTITY = 999
MAX_LINES = 100


class CartItem(models.Model):
    """One line of a cart: a product and how many of it. A cart is the lines of its user."""

    # The constraint's index begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="cart", db_index=False
    )
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField("quantity")
    created_at = models.DateTimeField("added", auto_now_add=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["user", "product"], name="cart_one_line_per_product"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY),
                name="cart_quantity_in_bounds",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"
