"""What happens to the demo's orders after the sale: parcels, returns and refunds."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from shop.models import Order, User
from shop.models.order_status import OrderStatus
from shop.services.order_payments import refund_order
from shop.services.returns import ReturnedUnits, return_items
from shop.services.shipments import Shipment

SEED = 2027
#: Last line of an address -> its carriers, and what their tracking numbers look like: 0 is a digit.
CARRIERS = {
    "United Kingdom": [("Royal Mail", "RM000000000GB"), ("Evri", "H00A000000000000")],
    "Germany": [("DHL", "00340000000000000000"), ("DPD", "01000000000000")],
    "France": [("Colissimo", "6A00000000000")],
}
OTHER_CARRIERS = [("DHL", "JD000000000000000000")]
#: Of how many delivered orders one comes back in part, and one is paid back in part.
RETURN_EVERY, DISCOUNT_EVERY = 12, 25
RETURN_REASON = "Arrived broken."
DISCOUNT, DISCOUNT_REASON = Decimal("5.00"), "A scratch in the glaze; the customer keeps it."
#: How long after the last move the customer writes, and then the money goes back.
FIRST_PAUSE, SECOND_PAUSE = timedelta(hours=30), timedelta(hours=20)

type Step = tuple[datetime, Callable[[], None]]


def plan_shipment(number: int, address: str) -> Shipment:
    """Return carrier and tracking number of the order with this number in the plan."""
    rng = random.Random(f"{SEED} {number}")  # noqa: S311 - repeatable
    carrier, pattern = rng.choice(CARRIERS.get(address.splitlines()[-1], OTHER_CARRIERS))
    digits = (str(rng.randrange(10)) if sign == "0" else sign for sign in pattern)
    return Shipment(carrier, "".join(digits))


def plan_after_sales(
    number: int, last_move: datetime, now: datetime, placed: list[Order], admin: User
) -> Iterator[Step]:
    """Yield what may follow the last move of an order; each step looks whether it applies.

    Of cancelled and returned orders, the latest still wait for their refund.
    """
    written, refunded = last_move + FIRST_PAUSE, last_move + FIRST_PAUSE + SECOND_PAUSE
    if written < now and number % RETURN_EVERY == 0:
        yield written, partial(_return_one_unit, placed, admin)
    if written < now and number % DISCOUNT_EVERY == 1:
        yield written, partial(_refund_part, placed, admin)
    if refunded < now and number % (2 * RETURN_EVERY):
        yield refunded, partial(_refund_what_is_due, placed, admin)


def _return_one_unit(placed: list[Order], admin: User) -> None:
    """Take back one unit, which is written off, so that the stock stays as it is."""
    order = Order.objects.get(pk=placed[0].pk)
    if order.status != OrderStatus.DELIVERED:
        return
    item = order.items.all()[0]
    returned = {item.product_id: ReturnedUnits(write_off=1)}
    return_items(order_id=order.pk, returned=returned, actor=admin, note=RETURN_REASON)


def _refund_part(placed: list[Order], admin: User) -> None:
    order = Order.objects.get(pk=placed[0].pk)
    if order.status == OrderStatus.DELIVERED and order.paid_amount > DISCOUNT:
        refund_order(order_id=order.pk, actor=admin, amount=DISCOUNT, reason=DISCOUNT_REASON)


def _refund_what_is_due(placed: list[Order], admin: User) -> None:
    order = Order.objects.get(pk=placed[0].pk)
    if order.refund_due:
        refund_order(order_id=order.pk, actor=admin)
