"""Carts. Every function is one transaction on the items of one customer."""

from django.db import connection
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.db.raw_sql import db_now
from shop.db.transactions import atomically
from shop.models import CartItem, Product, User
from shop.models.cart import MAX_LINES, MAX_QUANTITY
from shop.services.errors import CartFull, InsufficientStock, NotFound, ProductUnavailable

_OWN_ITEMS = CartItem.objects.filter(user=Placeholder("user", User._meta.pk)).order_by()
_LINE_COUNT = Subquery(_OWN_ITEMS.values("user").annotate(n=Count("pk")).values("n"))
_IN_CART = Subquery(_OWN_ITEMS.filter(product=OuterRef("pk")).values("quantity"))
#: Stock of an active product, the cart's number of lines, and its quantity of that product.
CART_STATE = CompiledQuery(
    Product.objects.filter(pk=Placeholder("product", Product._meta.pk), is_active=True)
    .order_by()
    .values("stock", lines=Coalesce(_LINE_COUNT, 0), quantity=Coalesce(_IN_CART, 0))
)


def add_to_cart(*, user: User, product_id: int, quantity: int) -> bool:
    """Add a quantity of a product to the cart; return True if that made a new line.

    A single upsert enforces the limits, so that concurrent adds both count. (Together they may
    exceed MAX_LINES, which only bounds the size of responses.)

    Raises NotFound for a product that is not for sale, InsufficientStock (with `available`),
    CartFull.
    """
    rows = CART_STATE(user=user.pk, product=product_id)
    if not rows:
        raise NotFound(_("This product is not for sale."))
    stock, before = rows[0]["stock"], rows[0]["quantity"]
    if before + quantity > MAX_QUANTITY:
        raise CartFull(
            _("A cart can hold at most %(limit)d of one product.") % {"limit": MAX_QUANTITY}
        )
    if before + quantity > stock:
        raise InsufficientStock(available=stock)
    if not before and rows[0]["lines"] >= MAX_LINES:
        raise CartFull(
            _("A cart can hold at most %(limit)d different products.") % {"limit": MAX_LINES}
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shop_cartitem (user_id, product_id, quantity, created_at)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (user_id, product_id)"
            " DO UPDATE SET quantity = shop_cartitem.quantity + EXCLUDED.quantity"
            " WHERE shop_cartitem.quantity + EXCLUDED.quantity <= %s RETURNING quantity",
            [user.pk, product_id, quantity, db_now(), min(stock, MAX_QUANTITY)],
        )
        row = cursor.fetchone()
    if row is None:  # a concurrent call has added to it
        raise InsufficientStock(available=stock)
    is_new: bool = row[0] == quantity
    return is_new


@atomically
def set_quantity(*, user: User, item_id: int, quantity: int) -> None:
    """Set the quantity of a line.

    Raises NotFound, also for another's line; ProductUnavailable, InsufficientStock.
    """
    item = CartItem.objects.filter(user=user, pk=item_id).select_related("product").first()
    if item is None:
        raise NotFound
    if not item.product.is_active:
        raise ProductUnavailable
    if quantity > item.product.stock:
        raise InsufficientStock(available=item.product.stock)
    if not CartItem.objects.filter(pk=item_id).update(quantity=quantity):
        raise NotFound


def remove_from_cart(*, user: User, item_id: int) -> None:
    """Remove a line. Raises NotFound, also for another's line."""
    if not CartItem.objects.filter(user=user, pk=item_id).delete()[0]:
        raise NotFound


def clear_cart(*, user: User) -> None:
    """Remove every line."""
    CartItem.objects.filter(user=user).delete()
