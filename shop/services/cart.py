"""The cart. Every function is one transaction on the lines of one user."""

from django.db import connection
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.db.raw_sql import db_now
from shop.db.transactions import atomically
from shop.models import CartItem, Product, User
from shop.models.cart import MAX_LINES, MAX_QUANTITY
from shop.services.errors import CartFull, InsufficientStock, NotFound

_MINE = CartItem.objects.filter(user=Placeholder("user", User._meta.pk)).order_by()
_LINES = Subquery(_MINE.values("user").annotate(n=Count("pk")).values("n"))
_QUANTITY = Subquery(_MINE.filter(product=OuterRef("pk")).values("quantity"))
#: What there is to sell of a product, and what the cart has already.
BEFORE_ADDING = CompiledQuery(
    Product.objects.filter(pk=Placeholder("product", Product._meta.pk), is_active=True)
    .order_by()
    .values("stock", lines=Coalesce(_LINES, 0), quantity=Coalesce(_QUANTITY, 0))
)


def add_to_cart(*, user: User, product_id: int, quantity: int) -> bool:
    """Put so many more of a product in the cart; True when it is a new line.

    One upsert that refuses by itself what is too many, so that two adds at once both count (and may together
    pass the bound on lines, which only keeps answers small). Raises NotFound for a product that is not for
    sale, InsufficientStock (with `available`), CartFull.
    """
    found = BEFORE_ADDING(user=user.pk, product=product_id)
    if not found:
        raise NotFound("There is no such product for sale.")
    stock, before = found[0]["stock"], found[0]["quantity"]
    if before + quantity > MAX_QUANTITY:
        raise CartFull(f"A cart holds at most {MAX_QUANTITY} of one product.")
    if before + quantity > stock:
        raise InsufficientStock(available=stock)
    if not before and found[0]["lines"] >= MAX_LINES:
        raise CartFull(f"A cart holds at most {MAX_LINES} different products.")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shop_cartitem (user_id, product_id, quantity, created_at)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (user_id, product_id)"
            " DO UPDATE SET quantity = shop_cartitem.quantity + EXCLUDED.quantity"
            " WHERE shop_cartitem.quantity + EXCLUDED.quantity <= %s RETURNING quantity",
            [user.pk, product_id, quantity, db_now(), min(stock, MAX_QUANTITY)],
        )
        row = cursor.fetchone()
    if row is None:  # somebody has added to it since
        raise InsufficientStock(available=stock)
    is_new: bool = row[0] == quantity
    return is_new


@atomically
def set_quantity(*, user: User, item_id: int, quantity: int) -> None:
    """Set one line's quantity; raises NotFound for another's line, InsufficientStock."""
    item = CartItem.objects.filter(user=user, pk=item_id).select_related("product").first()
    if item is None or not item.product.is_active:
        raise NotFound
    if quantity > item.product.stock:
        raise InsufficientStock(available=item.product.stock)
    if not CartItem.objects.filter(pk=item_id).update(quantity=quantity):
        raise NotFound


def remove_from_cart(*, user: User, item_id: int) -> None:
    """Take one line out; raises NotFound for another's line."""
    if not CartItem.objects.filter(user=user, pk=item_id).delete()[0]:
        raise NotFound


def clear_cart(*, user: User) -> None:
    """Take every line out."""
    CartItem.objects.filter(user=user).delete()
