"""Orders that staff enter by phone, under the same rules as a cart."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from shop.db.transactions import atomically
from shop.models import CartItem, Order, Product, User
from shop.models.cart import MAX_LINES, MAX_QUANTITY
from shop.services import audit
from shop.services.errors import ProductUnavailable
from shop.services.orders import OrderDetails, write_order
from shop.services.payments import check_method

EVENT_NOTE = _("Phone order.")


@atomically
def place_phone_order(
    *,
    customer: User,
    lines: Mapping[int, int],
    actor: User,
    expected_total: Decimal | None = None,
    **fields: Any,
) -> OrderDetails:
    """Place an order for a customer without touching the customer's cart.

    `lines` maps product ids to quantities, `fields` are those of a checkout. Ledger and event name
    the actor.

    Raises CartEmpty, ProductUnavailable and InsufficientStock (with `items`), TotalChanged (with
    `total_amount`); ValidationError for an invalid field, a card payment, or more than a cart can
    hold.
    """
    _check_cart_limits(lines)
    order = Order(user=customer, **fields)
    check_method(order.payment_method, by_phone=True)
    items = _build_cart_items(lines, customer)
    details = write_order(
        order, items, actor=actor, expected_total=expected_total, event_note=str(EVENT_NOTE)
    )
    changes = {"customer": ("", customer), "total": ("", order.total_amount)}
    audit.log(actor, order, changes, action=audit.Action.ADDED)
    return details


def _check_cart_limits(lines: Mapping[int, int]) -> None:
    if len(lines) > MAX_LINES:
        raise ValidationError(
            {
                "lines": _("An order holds at most %(limit)d different products.")
                % {"limit": MAX_LINES}
            }
        )
    if not all(1 <= quantity <= MAX_QUANTITY for quantity in lines.values()):
        raise ValidationError(
            {"lines": _("Order 1 to %(limit)d of each product.") % {"limit": MAX_QUANTITY}}
        )


def _build_cart_items(lines: Mapping[int, int], customer: User) -> list[CartItem]:
    """Return unsaved cart items."""
    products = Product.objects.in_bulk(lines)
    if missing := lines.keys() - products.keys():
        raise ProductUnavailable(items=[{"product_id": pk} for pk in sorted(missing)])
    return [
        CartItem(user=customer, product=products[pk], quantity=lines[pk]) for pk in sorted(lines)
    ]
