"""Editing an order that was not shipped: its address, its note and its items."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from shop import money
from shop.db.bulk_rows import delete_rows, insert_rows, update_rows
from shop.db.transactions import atomically
from shop.models import Order, OrderEvent, OrderItem, Product, User
from shop.models.cart import MAX_LINES, MAX_QUANTITY
from shop.models.outbox import ORDER_EDITED
from shop.services import audit, outbox
from shop.services.crud import validate_fields
from shop.services.errors import (
    InsufficientStock,
    InvalidTransition,
    OrderChanged,
    ProductUnavailable,
    TotalChanged,
)
from shop.services.invoices import correct_invoices
from shop.services.order_payments import save_money
from shop.services.order_records import lock_order, record_event
from shop.services.orders import build_item
from shop.services.payments import settled_status
from shop.services.stock import StockChange, change_ordered_stock

EDITED_FIELDS = ("shipping_address", "note")


@dataclass(frozen=True)
class OrderChanges:
    """What to change of an order; None leaves it. `quantities` are by product id, 0 removes."""

    shipping_address: str | None = None
    note: str | None = None
    quantities: Mapping[int, int] | None = None


def edit_version(order: Order, items: Iterable[OrderItem]) -> str:
    """Return what tells whether address, note and items are still as somebody has seen them."""
    lines = sorted((item.product_id, item.quantity, str(item.price)) for item in items)
    text = repr((order.shipping_address, order.note, lines))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@atomically
def edit_order(
    *,
    order_id: int,
    changes: OrderChanges,
    actor: User,
    reason: str = "",
    notify: bool = False,
    expected_version: str = "",
    expected_total: Decimal | None = None,
) -> Order:
    """Change address, note and items of an order that was not shipped, in one transaction.

    Items that stay keep their price; an added product has its price of today. Stock, total,
    payment status and one event follow; `notify` mails the customer. No change writes nothing.

    Raises NotFound; InvalidTransition for an order that can't be edited any more; OrderChanged if
    `expected_version` is no longer its `edit_version`; ProductUnavailable and InsufficientStock
    (with `items`); TotalChanged (with `total_amount`); ValidationError for an invalid text, an
    order without items or with too many, and a total below what was credited.
    """
    order = lock_order(order_id)
    if not order.can_be_edited:
        raise InvalidTransition(describe_refusal(order), order_status=order.status)
    items = list(order.items.order_by("id"))
    if expected_version and expected_version != edit_version(order, items):
        raise OrderChanged
    edit = _plan(order, items, changes)
    if expected_total is not None and edit.total != expected_total:
        message = _("The total is now %(total)s.") % {"total": edit.total}
        raise TotalChanged(message, total_amount=edit.total)
    if details := "\n".join(edit.describe()):
        _write(edit)
        audit.log(actor, order, details)
        record_event(order, actor=actor, kind=OrderEvent.Kind.EDITED, details=details, note=reason)
        if notify:
            values = {"changes": details}
            outbox.add_order_messages([order], ORDER_EDITED, note=reason, values=values)
        _move_stock(edit, actor=actor)
        correct_invoices([order], actor=actor)
    return order


def describe_refusal(order: Order) -> str:
    """Say that the order's status does not allow an edit any more."""
    message = _("Order %(order)s is “%(status)s”, so it can't be edited any more.")
    return message % {"order": order, "status": order.get_status_display()}


@dataclass
class Edit:
    """The difference between an order and what it shall become."""

    order: Order
    texts: audit.Changes
    #: Each item with the quantity it had before; 0 for a new one.
    added: Sequence[OrderItem]
    changed: Sequence[tuple[OrderItem, int]]
    removed: Sequence[OrderItem]
    total: Decimal

    def describe(self) -> Iterator[str]:
        """Yield a line for each change: `Dipped Mug: 2 → 1`."""
        if self.texts:
            yield audit.format_changes(
                {capfirst(k): (_one_line(a), _one_line(b)) for k, (a, b) in self.texts.items()}
            )
        for item in self.added:
            yield _("%(name)s: %(quantity)d added") % vars(item)
        for item, before in self.changed:
            yield f"{item.name}: {before} → {item.quantity}"
        for item in self.removed:
            yield _("%(name)s: %(quantity)d removed") % vars(item)
        if self.total != self.order.total_amount:
            currency = self.order.currency
            before_text = money.format_money(self.order.total_amount, currency)
            after_text = money.format_money(self.total, currency)
            yield _("Total: %(before)s → %(after)s") % {"before": before_text, "after": after_text}

    def stock_changes(self) -> list[StockChange]:
        """Return what each product's stock changes by."""
        units = {
            **{item.product_id: item.quantity for item in self.added},
            **{item.product_id: item.quantity - before for item, before in self.changed},
            **{item.product_id: -item.quantity for item in self.removed},
        }
        return [StockChange(product, -delta, self.order.pk) for product, delta in units.items()]


def _one_line(text: str) -> str:
    return ", ".join(text.splitlines())


def _plan(order: Order, items: Sequence[OrderItem], changes: OrderChanges) -> Edit:
    """Compare the order with what is wanted. Raises what `edit_order` raises for bad values."""
    texts = {name: getattr(changes, name) for name in EDITED_FIELDS}
    texts = {name: text for name, text in texts.items() if text is not None}
    before = {name: getattr(order, name) for name in texts}
    for name, text in texts.items():
        setattr(order, name, text)
    validate_fields(order, texts)
    after = {name: getattr(order, name) for name in texts}

    wanted = dict(changes.quantities or {})
    by_product = {item.product_id: item for item in items}
    _check_quantities({**{pk: item.quantity for pk, item in by_product.items()}, **wanted})
    changed, removed = [], []
    for item in items:
        quantity = wanted.pop(item.product_id, item.quantity)
        if not quantity:
            removed.append(item)
        elif quantity != item.quantity:
            changed.append((item, item.quantity))
            item.quantity = quantity
    added = _new_items(order, {pk: quantity for pk, quantity in wanted.items() if quantity})
    kept = [item for item in (*items, *added) if item not in removed]
    total = money.order_total((item.price, item.quantity) for item in kept)
    if total < order.credited_amount:
        credited = money.format_money(order.credited_amount, order.currency)
        raise ValidationError(
            _("%(amount)s of this order was credited already, so its total can't be less.")
            % {"amount": credited},
            code="min_value",
        )
    return Edit(order, audit.diff_values(Order, before, after), added, changed, removed, total)


def _check_quantities(quantities: Mapping[int, int]) -> None:
    kept = [quantity for quantity in quantities.values() if quantity]
    if not kept:
        message = _("An order needs at least one item. Cancel it instead.")
    elif len(kept) > MAX_LINES:
        message = _("An order holds at most %(limit)d different products.") % {"limit": MAX_LINES}
    elif not all(0 <= quantity <= MAX_QUANTITY for quantity in quantities.values()):
        message = _("Order 1 to %(limit)d of each product.") % {"limit": MAX_QUANTITY}
    else:
        return
    raise ValidationError({"items": ValidationError(message, code="invalid")})


def _new_items(order: Order, quantities: Mapping[int, int]) -> list[OrderItem]:
    if quantities and order.currency != money.default_currency():
        message = _("This order is in %(currency)s, and products have another currency now.")
        message %= {"currency": order.currency}
        raise ValidationError({"items": ValidationError(message, code="currency")})
    products = Product.objects.filter(is_active=True).in_bulk(quantities)
    if missing := sorted(quantities.keys() - products.keys()):
        raise ProductUnavailable(
            _("A product isn't for sale any more."), items=[{"product_id": pk} for pk in missing]
        )
    return [build_item(order, products[pk], quantities[pk]) for pk in sorted(quantities)]


def _write(edit: Edit) -> None:
    """Write order and items."""
    order = edit.order
    order.total_amount = edit.total
    order.payment_status = settled_status(order)
    save_money([order], *EDITED_FIELDS, "total_amount")
    delete_rows(edit.removed)
    if edit.changed:
        update_rows([item for item, _before in edit.changed], "quantity")
    if edit.added:
        insert_rows(edit.added)


def _move_stock(edit: Edit, *, actor: User) -> None:
    """Take and return the units of the edit. Raises InsufficientStock, naming the products."""
    stock_changes = edit.stock_changes()
    if not stock_changes:
        return
    try:
        change_ordered_stock(stock_changes, actor=actor)
    except InsufficientStock as error:
        missing = {change.product_id: -change.delta for change in stock_changes}
        products = Product.objects.in_bulk(missing)
        items = [
            {"product_id": pk, "requested": units, "available": products[pk].stock}
            for pk, units in missing.items()
            if pk in products and units > products[pk].stock
        ]
        names = ", ".join(str(products[item["product_id"]]) for item in items)
        raise InsufficientStock(
            _("There isn't enough stock of: %(names)s.") % {"names": names}, items=items
        ) from error
