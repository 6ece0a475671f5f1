"""Placing orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from shop import money
from shop.db.bulk_rows import delete_rows, insert_rows
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.db.transactions import atomically
from shop.models import CartItem, Order, OrderEvent, OrderItem, Payment, Product, User
from shop.models.outbox import ORDER_PLACED
from shop.services import order_payments, outbox, payments
from shop.services.errors import (
    CartEmpty,
    InsufficientStock,
    PaymentDeclined,
    ProductUnavailable,
    ShopError,
    TotalChanged,
)
from shop.services.order_records import (
    record_event,
)
from shop.services.payments import Authorization
from shop.services.stock import (
    StockChange,
    take_stock,
)


@dataclass(frozen=True)
class OrderDetails:
    """An order with its items and its events, oldest first."""

    order: Order
    items: Sequence[OrderItem]
    events: Sequence[OrderEvent]


#: A cart with its products, locked: a second checkout of it waits, then finds it empty.
LOCKED_CART = CompiledQuery(
    CartItem.objects.filter(user=Placeholder("user", User._meta.pk))
    .select_related("product")
    .order_by("product_id")
    .select_for_update(no_key=True, of=("self",))
)


def authorize_checkout(
    *, user: User, method: str, token: str, expected_total: Decimal | None
) -> Authorization | None:
    """Reserve the money of the user's cart; None for a method that needs no gateway.

    Called before `place_order`, outside of its transaction. Nothing is reserved for a cart that
    can't be ordered: `place_order` says why, or that it was ordered just now. Raises
    ValidationError for a card without a token, PaymentDeclined.
    """
    if method != Order.PaymentMethod.CARD:
        return None
    payments.check_has_token(method, token)
    lines = list(CartItem.objects.filter(user=user).select_related("product"))
    try:
        check_lines(lines)
        total = _total_of(lines, expected_total)
    except ShopError:
        return None
    return payments.authorize(method=method, token=token, amount=total)


@atomically
def place_order(
    *,
    user: User,
    authorization: Authorization | None = None,
    expected_total: Decimal | None = None,
    **fields: Any,
) -> OrderDetails:
    """Turn the user's cart into an order: take the stock, freeze the prices, empty the cart.

    `fields` are those that a customer fills in, see `exposure.checkout_fields`; `authorization` is
    what `authorize_checkout` returned. Lock the cart and delete its items, check them, then write
    order, items, event, email and ledger. The email is sent after the commit. Staff place orders
    through `phone_orders`.

    Raises CartEmpty, ProductUnavailable and InsufficientStock (with `items`), TotalChanged (with
    `total_amount`); ValidationError for an invalid field.
    """
    lines = LOCKED_CART(user=user.pk)
    delete_rows(lines)
    order = Order(user=user, **fields)
    return write_order(
        order, lines, actor=user, authorization=authorization, expected_total=expected_total
    )


def write_order(
    order: Order,
    lines: Sequence[CartItem],
    *,
    actor: User,
    expected_total: Decimal | None,
    authorization: Authorization | None = None,
    event_note: str = "",
) -> OrderDetails:
    """Check the lines, then write order, items, first event and ledger in the caller's transaction.

    The stock comes last: from there until the commit, other buyers of the same products wait.
    Prices and availability are those of the lines as given. Raises what `place_order` raises.
    """
    check_lines(lines)
    payments.check_method(order.payment_method)
    order.total_amount = _total_of(lines, authorization.amount if authorization else expected_total)
    order.full_clean(exclude=["user", "order_number"], validate_constraints=False)
    order.updated_at = order.created_at
    payment = _pay(order, authorization, actor=actor)
    insert_rows([order])
    items = [build_item(order, line.product, line.quantity) for line in lines]
    insert_rows(items)
    event = record_event(order, actor=actor, note=event_note)
    if payment:
        payment.order = order  # now that it has a key
        insert_rows([payment])
        outbox.add_gateway_capture(payment, authorization)
    outbox.add_order_messages([order], ORDER_PLACED)
    try:
        take_stock(
            [StockChange(line.product_id, -line.quantity, order.pk) for line in lines], actor=actor
        )
    except InsufficientStock:
        check_lines_again(lines)
        raise
    return OrderDetails(order, items, [event])


def _total_of(lines: Sequence[CartItem], expected: Decimal | None) -> Decimal:
    """Return the total of the lines. Raises TotalChanged if another was expected."""
    total = money.order_total((line.product.price, line.quantity) for line in lines)
    if expected is not None and expected != total:
        raise TotalChanged(_("The total is now %(total)s.") % {"total": total}, total_amount=total)
    return total


def _pay(order: Order, authorization: Authorization | None, *, actor: User) -> Payment | None:
    """Set what is paid of a new order; return the Payment of one that a gateway has taken."""
    if authorization is None:
        if order.payment_method == Order.PaymentMethod.CARD:  # the cart was changed meanwhile
            raise PaymentDeclined
        order.payment_status = payments.settled_status(order)
        return None
    return order_payments.add_payment(
        order, authorization.amount, reference=authorization.reference, actor=actor
    )


def check_lines(lines: Sequence[CartItem]) -> None:
    """Raise for lines that cannot be sold, naming all of them."""
    if not lines:
        raise CartEmpty
    if unavailable := [line for line in lines if not line.product.is_active]:
        raise ProductUnavailable(items=[{"product_id": line.product_id} for line in unavailable])
    if short := [line for line in lines if line.quantity > line.product.stock]:
        raise InsufficientStock(
            items=[
                {
                    "product_id": line.product_id,
                    "requested": line.quantity,
                    "available": line.product.stock,
                }
                for line in short
            ]
        )


def check_lines_again(lines: Sequence[CartItem]) -> None:
    """Raise for lines whose products were sold out or deleted since they were read."""
    products = Product.objects.in_bulk([line.product_id for line in lines])
    for line in lines:
        line.product = products.get(line.product_id) or Product(pk=line.product_id, is_active=False)
    check_lines(lines)


def build_item(order: Order, product: Product, quantity: int) -> OrderItem:
    """Return a new line with what the product says today: name, SKU, price and tax rate."""
    tax_rate = settings.SHOP_TAX_RATE if product.tax_rate is None else product.tax_rate
    return OrderItem(
        order=order,
        product=product,
        sku=product.sku,
        name=product.name,
        price=product.price,
        tax_rate=tax_rate,  # type: ignore[misc]
        quantity=quantity,
    )
