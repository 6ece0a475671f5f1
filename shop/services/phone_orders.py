"""Orders that staff take by telephone, under the rules that hold for a cart."""

from collections.abc import Mapping
from decimal import Decimal

from django.core.exceptions import ValidationError

from shop.db.transactions import atomically
from shop.models import CartItem, Order, Product, User
from shop.models.cart import MAX_LINES, MAX_QUANTITY
from shop.services import audit
from shop.services.errors import ProductUnavailable
from shop.services.orders import OrderDetails, write_order
from shop.services.payments import PHONE_METHODS

TOLD = "Taken by phone."


@atomically
def place_phone_order(
    *,
    customer: User,
    lines: Mapping[int, int],
    actor: User,
    shipping_address: str,
    payment_method: str = Order.PaymentMethod.CASH_ON_DELIVERY,
    note: str = "",
    expected_total: Decimal | None = None,
) -> OrderDetails:
    """An order made by `actor` for a customer, whose own cart stays as it is; or nothing at all.

    `lines` says how many of each product, by its id. Ledger and event name the actor.
    Raises CartEmpty, ProductUnavailable, InsufficientStock (each with its `items`), TotalChanged (with
    `total_amount`); ValidationError for a bad address or note, a card, or more than a cart could hold.
    """
    _refuse_what_no_cart_holds(lines)
    if payment_method not in PHONE_METHODS:
        raise ValidationError({"payment_method": "This cannot be paid by telephone."})
    order = Order(
        user=customer, shipping_address=shipping_address, payment_method=payment_method, note=note
    )
    wanted = _lines(lines, customer)
    story = write_order(order, wanted, actor=actor, expected_total=expected_total, told=TOLD)
    told = {"customer": ("", customer), "total": ("", order.total_amount)}
    audit.log(actor, order, told, action=audit.Action.ADDED)
    return story


def _refuse_what_no_cart_holds(lines: Mapping[int, int]) -> None:
    if len(lines) > MAX_LINES:
        raise ValidationError({"lines": f"An order holds at most {MAX_LINES} different products."})
    if not all(1 <= quantity <= MAX_QUANTITY for quantity in lines.values()):
        raise ValidationError({"lines": f"Of each product, order 1 to {MAX_QUANTITY}."})


def _lines(lines: Mapping[int, int], customer: User) -> list[CartItem]:
    """Lines as a cart has them, never saved."""
    products = Product.objects.in_bulk(lines)
    if gone := lines.keys() - products.keys():
        raise ProductUnavailable(items=[{"product_id": pk} for pk in sorted(gone)])
    return [
        CartItem(user=customer, product=products[pk], quantity=lines[pk]) for pk in sorted(lines)
    ]
