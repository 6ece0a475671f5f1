"""What staff can do to many orders at once: one BulkStep for each action of the list.

A step declares its texts, which orders it can change, what else it does to them, and the service
that does it. `shop.admin.orders.actions` shows the page and runs it, the same for all steps.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from shop.admin.action_form import ButtonKind
from shop.admin.orders.bulk_forms import BulkForm, BulkReasonForm, BulkShipForm
from shop.models import Order, User
from shop.models.order_status import OrderStatus, PaymentStatus, Text
from shop.models.orders import BALANCE, CURRENT_TOTAL, RECEIVED_AMOUNT
from shop.services import order_moves, order_payments
from shop.services.errors import ShopError

#: The most orders that the page of shipments has rows for.
MAX_SHIPMENTS = 200

IS_DUE = Q(payment_status=PaymentStatus.PENDING)
IS_CASH = Q(payment_method=Order.PaymentMethod.CASH_ON_DELIVERY)
ORDERS_AND_TOTAL = ngettext_lazy(
    "%(count)s order, %(amount)s", "%(count)s orders, %(amount)s", "number"
)

type Refused = Sequence[tuple[Order, ShopError]]
#: Changes the orders with these keys, as the form says; returns those changed and those refused.
type Perform = Callable[[Collection[int], User, Any], tuple[Sequence[Order], Refused]]


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What a step also means for some of its orders. All texts are plurals of `number`.

    Placeholders are `count`, and `amount`, the sum of `amount` of these orders.
    """

    condition: Q
    amount: Combinable
    #: On the page that asks.
    text: Text
    #: In the message afterwards; empty for what the page only warns of.
    done: Text = ""


@dataclass(frozen=True, kw_only=True)
class BulkTexts:
    """What a step's page and message say: plurals of `number` with the placeholder `count`.

    They may name the step's `label` and `status` too.
    """

    #: Heading and button.
    title: Text
    done: Text
    #: With the placeholder `orders` too, for some of the selected orders and for all of them.
    refused: Text
    none_ready: Text
    hint: Text = ""


@dataclass(frozen=True, kw_only=True)
class BulkStep:
    """One action of the order list."""

    #: Name of the list action.
    name: str
    #: What the menu of actions calls it.
    label: Text
    texts: BulkTexts
    #: What the texts call the status that orders get.
    status: Text = ""
    #: The list's filter that shows what it has changed.
    filter_field: str = "status"
    filter_value: str
    #: Permission on orders that it takes.
    permission: str
    #: The orders that it can change.
    ready: Q
    perform: Perform
    #: The amount that the page adds up.
    amount: Combinable = CURRENT_TOTAL
    summary: Text = ORDERS_AND_TOTAL
    consequences: Sequence[Consequence] = ()
    #: Kind of email that customers get; empty for none.
    email: str = ""
    form_class: type[BulkForm] = BulkForm
    button_kind: ButtonKind = "primary"
    #: The most orders that its page can show; 0 for any number.
    max_orders: int = 0
    #: Why it can't change an order.
    describe: Callable[[Order], str] = Order.get_status_display

    @property
    def names(self) -> dict[str, str]:
        """The values of the placeholders `label` and `status`."""
        return {"label": str(self.label), "status": str(self.status).lower()}

    def describe_refusal(self, order: Order) -> str:
        """Return why the step can't change the order, such as `delivered`."""
        return str(self.describe(order)).lower()


def _move(to: OrderStatus, pks: Collection[int], actor: User, form: Any) -> Any:
    """Move the orders. Raises ShopError if not one of them can be moved."""
    values = form.cleaned_data
    result = order_moves.move_orders(
        order_ids=pks,
        to=to,
        actor=actor,
        note=values.get("note", ""),
        shipments=form.shipments(),
        notify=values.get("notify", False),
    )
    if result.refused and not result.moved:
        raise result.refused[0][1]
    return result.moved, result.refused


def _mark_paid(pks: Collection[int], actor: User, _form: BulkForm) -> Any:
    """Mark the orders as paid. Raises ShopError if not one of them owes anything."""
    result = order_payments.mark_orders_paid(order_ids=pks, actor=actor)
    if result.refused and not result.paid:
        raise result.refused[0][1]
    return result.paid, result.refused


#: Texts of a move that has none of its own, such as to a new status.
OTHER_TEXTS = BulkTexts(
    title=_("%(label)s (%(count)s)"),
    done=ngettext_lazy(
        "%(count)s order is now %(status)s.", "%(count)s orders are now %(status)s.", "number"
    ),
    refused=ngettext_lazy(
        "%(count)s of the selected orders can't become %(status)s: %(orders)s.",
        "%(count)s of the selected orders can't become %(status)s: %(orders)s.",
        "number",
    ),
    none_ready=_("None of the selected orders can become %(status)s: %(orders)s."),
)

TEXTS: dict[str, BulkTexts] = {
    OrderStatus.CONFIRMED: BulkTexts(
        title=ngettext_lazy("Confirm %(count)s order", "Confirm %(count)s orders", "number"),
        done=ngettext_lazy(
            "%(count)s order was confirmed.", "%(count)s orders were confirmed.", "number"
        ),
        refused=ngettext_lazy(
            "%(count)s of the selected orders can't be confirmed: %(orders)s.",
            "%(count)s of the selected orders can't be confirmed: %(orders)s.",
            "number",
        ),
        none_ready=_("None of the selected orders can be confirmed: %(orders)s."),
    ),
    OrderStatus.SHIPPED: BulkTexts(
        title=ngettext_lazy("Ship %(count)s order", "Ship %(count)s orders", "number"),
        done=ngettext_lazy(
            "%(count)s order was shipped.", "%(count)s orders were shipped.", "number"
        ),
        refused=ngettext_lazy(
            "%(count)s of the selected orders can't be shipped: %(orders)s.",
            "%(count)s of the selected orders can't be shipped: %(orders)s.",
            "number",
        ),
        none_ready=_("None of the selected orders can be shipped: %(orders)s."),
        hint=_(
            "You can paste a column of tracking numbers from a spreadsheet, with or without a"
            " column of order numbers or carriers before it."
        ),
    ),
    OrderStatus.DELIVERED: BulkTexts(
        title=ngettext_lazy(
            "Mark %(count)s order as delivered", "Mark %(count)s orders as delivered", "number"
        ),
        done=ngettext_lazy(
            "%(count)s order was marked as delivered.",
            "%(count)s orders were marked as delivered.",
            "number",
        ),
        refused=ngettext_lazy(
            "%(count)s of the selected orders can't be marked as delivered: %(orders)s.",
            "%(count)s of the selected orders can't be marked as delivered: %(orders)s.",
            "number",
        ),
        none_ready=_("None of the selected orders can be marked as delivered: %(orders)s."),
    ),
    OrderStatus.CANCELLED: BulkTexts(
        title=ngettext_lazy("Cancel %(count)s order", "Cancel %(count)s orders", "number"),
        done=ngettext_lazy(
            "%(count)s order was cancelled. Its items are back in stock.",
            "%(count)s orders were cancelled. Their items are back in stock.",
            "number",
        ),
        refused=ngettext_lazy(
            "%(count)s of the selected orders can't be cancelled: %(orders)s.",
            "%(count)s of the selected orders can't be cancelled: %(orders)s.",
            "number",
        ),
        none_ready=_("None of the selected orders can be cancelled: %(orders)s."),
        hint=_("All items go back into stock. A cancelled order can't be opened again."),
    ),
}

#: Warns before goods go to a customer who has the money back.
REFUNDED_IN_FULL = Consequence(
    condition=Q(total_amount__gt=0, credited_amount=F("total_amount")),
    amount=F("credited_amount"),
    text=ngettext_lazy(
        "%(count)s order was refunded in full", "%(count)s orders were refunded in full", "number"
    ),
)
CONSEQUENCES: dict[str, Sequence[Consequence]] = {
    OrderStatus.CONFIRMED: [REFUNDED_IN_FULL],
    OrderStatus.SHIPPED: [
        REFUNDED_IN_FULL,
        Consequence(
            condition=IS_DUE & ~IS_CASH,
            amount=BALANCE,
            text=ngettext_lazy(
                "%(count)s order isn't paid yet: %(amount)s due",
                "%(count)s orders aren't paid yet: %(amount)s due",
                "number",
            ),
        ),
    ],
    OrderStatus.DELIVERED: [
        REFUNDED_IN_FULL,
        Consequence(
            condition=IS_DUE & IS_CASH,
            amount=BALANCE,
            text=ngettext_lazy(
                "%(count)s cash order will be marked as paid, %(amount)s",
                "%(count)s cash orders will be marked as paid, %(amount)s",
                "number",
            ),
            done=ngettext_lazy(
                "%(count)s cash order was marked as paid, %(amount)s.",
                "%(count)s cash orders were marked as paid, %(amount)s.",
                "number",
            ),
        ),
    ],
    OrderStatus.CANCELLED: [
        Consequence(
            condition=Q(paid_amount__gt=F("refunded_amount")),
            amount=RECEIVED_AMOUNT,
            text=ngettext_lazy(
                "%(count)s paid order: %(amount)s to refund",
                "%(count)s paid orders: %(amount)s to refund",
                "number",
            ),
            done=ngettext_lazy(
                "%(count)s paid order is due for a refund of %(amount)s.",
                "%(count)s paid orders are due for refunds of %(amount)s.",
                "number",
            ),
        ),
        Consequence(
            condition=Q(status=OrderStatus.SHIPPED),
            amount=CURRENT_TOTAL,
            text=ngettext_lazy(
                "%(count)s order was shipped already. Cancel it only if the parcel came back.",
                "%(count)s orders were shipped already. Cancel them only if the parcels came back.",
                "number",
            ),
        ),
    ],
}
FORMS: dict[str, type[BulkForm]] = {
    OrderStatus.SHIPPED: BulkShipForm,
    OrderStatus.CANCELLED: BulkReasonForm,
}


def _step_to(status: OrderStatus) -> BulkStep:
    """Return the step that moves orders to a status, from its row in ORDER_STATUSES."""
    return BulkStep(
        name=f"move_to_{status}",
        label=status.facts.bulk_action,
        texts=TEXTS.get(status, OTHER_TEXTS),
        status=status.label,
        filter_value=status,
        permission=status.facts.permission,
        ready=Q(status__in=[before for before in OrderStatus if status in before.facts.next]),
        perform=partial(_move, status),
        consequences=CONSEQUENCES.get(status, ()),
        email=status.facts.email,
        form_class=FORMS.get(status, BulkForm),
        button_kind="danger" if status == OrderStatus.CANCELLED else "primary",
        max_orders=MAX_SHIPMENTS if status == OrderStatus.SHIPPED else 0,
    )


MARK_PAID = BulkStep(
    name="mark_as_paid",
    label=_("Mark selected orders as paid"),
    texts=BulkTexts(
        title=ngettext_lazy(
            "Mark %(count)s order as paid", "Mark %(count)s orders as paid", "number"
        ),
        done=ngettext_lazy(
            "%(count)s order was marked as paid.", "%(count)s orders were marked as paid.", "number"
        ),
        refused=ngettext_lazy(
            "%(count)s of the selected orders owes nothing: %(orders)s.",
            "%(count)s of the selected orders owe nothing: %(orders)s.",
            "number",
        ),
        none_ready=_("None of the selected orders owes anything: %(orders)s."),
    ),
    status=PaymentStatus.PAID.label,
    filter_field="payment_status",
    filter_value=PaymentStatus.PAID,
    permission="change_order",
    ready=IS_DUE,
    perform=_mark_paid,
    amount=BALANCE,
    summary=ngettext_lazy(
        "%(count)s order, %(amount)s due", "%(count)s orders, %(amount)s due", "number"
    ),
    describe=lambda order: str(PaymentStatus(order.payment_status).label),
)

BULK_STEPS = [
    *(_step_to(status) for status in OrderStatus if status.facts.bulk_action),
    MARK_PAID,
]
