"""A model of the shop's orders in memory, whose rules predict what each operation does.

`tests/services/test_stock_machine.py` adds the catalogue's rules and runs it.
"""

from collections import Counter
from dataclasses import astuple, dataclass, field
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shop.models import CartItem, Order, OrderItem, Product
from shop.services import cart, errors, order_payments, phone_orders
from shop.services.idempotency import run_once
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.order_moves import move_order, move_orders
from shop.services.orders import place_order
from shop.services.returns import ReturnedUnits, return_items
from support import factories
from support.invariants import assert_invariants

ADDRESS = "1 Elm Street"
INITIAL_PRODUCTS = {"A-1": ("3.00", 9), "A-2": ("0.99", 5), "A-3": ("19.99", 3)}
skus = st.sampled_from([*INITIAL_PRODUCTS, *INITIAL_PRODUCTS, "N-1"])
buyers = st.sampled_from(["carl", "dora"])
quantities, indexes = st.integers(1, 3), st.integers(0, 99)
has_orders = precondition(lambda self: self.orders)


@dataclass
class ProductState:
    pk: int
    price: Decimal
    stock: int
    is_active: bool = True


@dataclass
class OrderState:
    """An order; `lines` and `prices` are by SKU, as is what was returned."""

    pk: int
    buyer: str
    lines: dict[str, int]
    prices: dict[str, Decimal]
    status: str = "pending"
    credited: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    returned: Counter = field(default_factory=Counter)

    @property
    def total(self):
        return sum(self.prices[sku] * units for sku, units in self.lines.items())

    @property
    def balance(self):
        """What is due; negative for a refund that is due."""
        return self.total - self.credited - self.paid + self.refunded


class OrderMachine(RuleBasedStateMachine):
    """Each rule predicts success or the error. An error must change nothing."""

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.people = {
            name: getattr(factories, f"create_{name}")() for name in ("ada", "carl", "dora")
        }
        self.products, self.carts = {}, {"carl": {}, "dora": {}}
        self.orders, self.keys = [], {}
        for sku, (price, units) in INITIAL_PRODUCTS.items():
            product = factories.create_product(sku, price=price, stock=units, sku=sku)
            self.products[sku] = ProductState(product.pk, Decimal(price), units)

    def teardown(self):
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def pk(self, sku):
        return self.products[sku].pk if sku in self.products else 0

    def succeeds(self, error, call):
        """Return whether the call is expected to succeed; check that it does, or raises `error`."""
        if error is None:
            call()
            return True
        with pytest.raises(error):
            call()
        return False

    def succeeds_for_ada(self, service, error, **values):
        return self.succeeds(error, partial(service, actor=self.people["ada"], **values))

    def checkout_error(self, lines):
        if not lines:
            return errors.CartEmpty
        if not all(sku in self.products and self.products[sku].is_active for sku in lines):
            return errors.ProductUnavailable
        is_short = any(self.products[sku].stock < units for sku, units in lines.items())
        return errors.InsufficientStock if is_short else None

    def buy(self, buyer, lines, call):
        lines, orders = dict(lines), []
        if not self.succeeds(self.checkout_error(lines), lambda: orders.append(call())):
            return None
        for sku, units in lines.items():
            self.products[sku].stock -= units
        prices = {sku: self.products[sku].price for sku in lines}
        self.orders.append(OrderState(orders[0], buyer, lines, prices))
        return orders[0]

    # Customers

    @rule(buyer=buyers, lines=st.dictionaries(skus, quantities, min_size=1, max_size=3))
    def put_in_cart(self, buyer, lines):
        for sku, units in lines.items():
            product_state = self.products.get(sku)
            new_quantity = self.carts[buyer].get(sku, 0) + units
            error = None
            if product_state is None or not product_state.is_active:
                error = errors.NotFound
            elif new_quantity > product_state.stock:
                error = errors.InsufficientStock
            call = partial(
                cart.add_to_cart, user=self.people[buyer], product_id=self.pk(sku), quantity=units
            )
            if self.succeeds(error, call):
                self.carts[buyer][sku] = new_quantity

    @rule(buyer=buyers, key=st.sampled_from(["", "a", "b"]))
    def check_out(self, buyer, key):
        user = self.people[buyer]

        def work():
            return str(place_order(user=user, shipping_address=ADDRESS).order.pk)

        def call():
            answer, replayed = run_once(user=user, key=key, request="{}", work=work)
            assert replayed is ((buyer, key) in self.keys)
            return int(answer)

        if (buyer, key) in self.keys:
            assert call() == self.keys[buyer, key]
        elif order := self.buy(buyer, self.carts[buyer], call):
            self.carts[buyer] = {}
            if key:
                self.keys[buyer, key] = order

    @has_orders
    @rule(number=indexes)
    def a_customer_cancels(self, number):
        order = self.orders[number % len(self.orders)]
        self.move(order, "cancelled", by=order.buyer)

    # Staff

    @rule(buyer=buyers, lines=st.dictionaries(skus, quantities, max_size=3))
    def order_by_phone(self, buyer, lines):
        def call():
            return phone_orders.place_phone_order(
                customer=self.people[buyer],
                lines={self.pk(sku): units for sku, units in lines.items()},
                actor=self.people["ada"],
                shipping_address=ADDRESS,
            ).order.pk

        self.buy(buyer, lines, call)

    @has_orders
    @rule(
        number=indexes,
        to=st.sampled_from(["", "", "", "cancelled", *Order.Status.values]),
        written_off=st.dictionaries(skus, quantities, max_size=2),
    )
    def staff_move(self, number, to, written_off):
        order = self.orders[number % len(self.orders)]
        to = to or (*Order.FLOW[order.status], "pending")[0]
        lost = {sku: units for sku, units in written_off.items() if sku in order.lines}
        self.move(order, to, written_off=lost)

    def move(self, order, to, *, by="ada", written_off=None):
        written_off, error = written_off or {}, None
        is_allowed = to in Order.FLOW[order.status]
        if by != "ada":
            is_allowed = Order.Status(order.status).facts.customer_can_cancel
        if not is_allowed:
            error = errors.InvalidTransition
        elif to == "cancelled" and any(n > order.lines[sku] for sku, n in written_off.items()):
            error = ValidationError
        lost = {self.pk(sku): units for sku, units in written_off.items()}
        call = partial(move_order, order_id=order.pk, to=to, by_staff=by == "ada")
        if self.succeeds(error, partial(call, actor=self.people[by], written_off=lost)):
            self.record_move(order, to, written_off=written_off)

    def record_move(self, order, to, *, written_off=None):
        order.status = to
        if to == "delivered":
            order.paid += max(order.balance, 0)
        if to == "cancelled":
            order.credited = order.total
            for sku, units in order.lines.items():
                self.products[sku].stock += units - (written_off or {}).get(sku, 0)

    @rule(
        numbers=st.sets(indexes, max_size=4),
        to=st.sampled_from([*Order.Status.path_to("delivered"), "cancelled"]),
    )
    def staff_move_many(self, numbers, to):
        chosen = [order for number, order in enumerate(self.orders) if number in numbers]
        ready = [order for order in chosen if to in Order.FLOW[order.status]]
        result = move_orders(
            order_ids=[order.pk for order in chosen], to=to, actor=self.people["ada"]
        )
        assert {order.pk for order in result.moved} == {order.pk for order in ready}
        assert len(result.moved) + len(result.refused) == len(chosen)
        for order in ready:
            self.record_move(order, to)

    # Orders are put right

    def order_that(self, number, is_ready):
        """Return an order that is ready for the operation, or sometimes any."""
        ready = [order for order in self.orders if is_ready(order)] if number % 4 else []
        orders = ready or self.orders
        return orders[number % len(orders)]

    def lines_at(self, order, chosen):
        """Return SKU -> value for the values of `chosen`, mostly of the order's products."""
        names = [*order.lines, *order.lines, "A-2", "N-1"]
        return {names[index % len(names)]: value for index, value in chosen.items()}

    @has_orders
    @rule(number=indexes, chosen=st.dictionaries(indexes, st.integers(0, 4), max_size=3))
    def edit_items(self, number, chosen):
        order = self.order_that(number, lambda order: order.status in {"pending", "confirmed"})
        changes = self.lines_at(order, chosen)
        after = {sku: n for sku, n in {**order.lines, **changes}.items() if n}
        added = after.keys() - order.lines.keys()
        prices = {sku: state.price for sku, state in self.products.items()} | order.prices
        call = partial(
            edit_order,
            order_id=order.pk,
            changes=OrderChanges(quantities={self.pk(sku): n for sku, n in changes.items()}),
        )
        error = self.edit_error(order, after, added, prices)
        if self.succeeds_for_ada(call, error):
            for sku in order.lines.keys() | after.keys():
                self.products[sku].stock += order.lines.get(sku, 0) - after.get(sku, 0)
            order.lines, order.prices = after, {sku: prices[sku] for sku in after}

    def edit_error(self, order, after, added, prices):
        if not Order.Status(order.status).facts.can_be_edited:
            return errors.InvalidTransition
        if not after:
            return ValidationError
        if not all(sku in self.products and self.products[sku].is_active for sku in added):
            return errors.ProductUnavailable
        if sum(prices[sku] * units for sku, units in after.items()) < order.credited:
            return ValidationError
        is_short = any(
            units - order.lines.get(sku, 0) > self.products[sku].stock
            for sku, units in after.items()
        )
        return errors.InsufficientStock if is_short else None

    @has_orders
    @rule(number=indexes)
    def pay(self, number):
        order = self.order_that(number, lambda order: order.balance > 0)
        error = None if order.balance > 0 else errors.InvalidTransition
        if self.succeeds_for_ada(order_payments.mark_paid, error, order_id=order.pk):
            order.paid += order.balance

    @has_orders
    @rule(number=indexes, cents=st.sampled_from([None, None, 0, 50, 300, 9999]))
    def refund(self, number, cents):
        order = self.order_that(number, lambda order: order.paid > order.refunded)
        due, refundable = max(-order.balance, 0), order.paid - order.refunded
        amount = None if cents is None else Decimal(cents) / 100
        paid_back = due if amount is None else amount
        error = ValidationError if paid_back <= 0 else None
        if paid_back > refundable or not refundable:
            error = errors.NothingToRefund
        call = partial(order_payments.refund_order, order_id=order.pk, amount=amount)
        if self.succeeds_for_ada(call, error):
            order.credited += max(paid_back - due, 0)
            order.refunded += paid_back

    @has_orders
    @rule(
        number=indexes,
        chosen=st.dictionaries(
            indexes, st.tuples(st.integers(0, 2), st.integers(0, 1)), max_size=2
        ),
    )
    def return_units(self, number, chosen):
        order = self.order_that(number, lambda order: order.status == "delivered")
        units = self.lines_at(order, chosen)
        back = {sku: pair for sku, pair in units.items() if sum(pair)}
        kept = {sku: n - order.returned[sku] for sku, n in order.lines.items()}
        is_valid = all(sum(pair) <= kept.get(sku, 0) for sku, pair in back.items())
        error = None if back and is_valid else ValidationError
        if order.status != "delivered":
            error = errors.InvalidTransition
        call = partial(
            return_items,
            order_id=order.pk,
            returned={self.pk(sku): ReturnedUnits(*pair) for sku, pair in units.items()},
        )
        if self.succeeds_for_ada(call, error):
            value = sum(order.prices[sku] * sum(pair) for sku, pair in back.items())
            order.credited += min(value, order.total - order.credited)
            for sku, pair in back.items():
                order.returned[sku] += sum(pair)
                self.products[sku].stock += pair[0]

    # Invariants

    @invariant()
    def the_database_equals_the_model(self):
        rows = Product.objects.values_list("sku", "pk", "price", "stock", "is_active")
        assert set(rows) == {(sku, *astuple(state)) for sku, state in self.products.items()}
        lines = CartItem.objects.values_list("user__first_name", "product__sku", "quantity")
        assert set(lines) == {
            (buyer.title(), sku, units)
            for buyer, cart_lines in self.carts.items()
            for sku, units in cart_lines.items()
        }
        columns = ("order", "sku", "price", "quantity", "returned_quantity")
        assert set(OrderItem.objects.values_list(*columns)) == {
            (order.pk, sku, order.prices[sku], units, order.returned[sku])
            for order in self.orders
            for sku, units in order.lines.items()
        }
        amounts = ("total_amount", "credited_amount", "paid_amount", "refunded_amount")
        orders = Order.objects.values_list("pk", "status", *amounts)
        assert set(orders) == {
            (order.pk, order.status, order.total, order.credited, order.paid, order.refunded)
            for order in self.orders
        }
        assert_invariants()
