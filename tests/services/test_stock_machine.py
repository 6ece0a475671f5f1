"""Stateful test: after any sequence of operations, the database equals a model in memory."""

from dataclasses import astuple, dataclass, field
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support import factories
from support.invariants import assert_invariants

from shop.models import CartItem, ImportRow, Order, Product, StockMovement
from shop.product_files.imports.apply import apply_import
from shop.product_files.imports.preview import preview_import, store_upload
from shop.product_files.imports.undo import undo_import
from shop.services import cart, errors, phone_orders, products, stock
from shop.services.idempotency import run_once
from shop.services.order_moves import move_order, move_orders
from shop.services.orders import place_order

ADDRESS = "1 Elm Street"
NEW_PRICE = Decimal("5.00")
INITIAL_PRODUCTS = {"A-1": ("3.00", 9), "A-2": ("0.99", 5), "A-3": ("19.99", 3)}
skus = st.sampled_from([*INITIAL_PRODUCTS, *INITIAL_PRODUCTS, "N-1"])
buyers = st.sampled_from(["carl", "dora"])
quantities, numbers, indexes = st.integers(1, 3), st.integers(0, 9), st.integers(0, 99)
stock_offsets = st.integers(-2, 2)


@dataclass
class ProductState:
    pk: int
    price: Decimal
    stock: int
    is_active: bool = True


@dataclass
class OrderState:
    pk: int
    buyer: str
    lines: dict[str, int]
    total: Decimal
    status: str = "pending"


@dataclass
class ImportState:
    """An import, and what each of its rows does to the stock of which product (None if new)."""

    pk: int
    is_set: bool
    rows: dict[str, tuple[int | None, int, int]]  # SKU -> product, stock before, change
    has_errors: bool
    step: str = "previewed"
    product_ids: dict[str, int] = field(default_factory=dict)  # SKU -> product


class ShopMachine(RuleBasedStateMachine):
    """Each rule predicts success or the error. An error must change nothing."""

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.people = {
            name: getattr(factories, f"create_{name}")() for name in ("ada", "carl", "dora")
        }
        self.products, self.carts = {}, {"carl": {}, "dora": {}}
        self.orders, self.keys, self.imports = [], {}, []
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
        total = sum(self.products[sku].price * units for sku, units in lines.items())
        self.orders.append(OrderState(orders[0], buyer, lines, total))
        return orders[0]

    @initialize()
    def start(self):
        self.put_in_cart(buyer="carl", lines={"A-1": 2, "A-2": 1})
        self.check_out(buyer="carl", key="a")
        self.put_in_cart(buyer="dora", lines={"A-1": 1, "A-3": 2})
        self.upload_file(stock_by_sku={"A-1": 4, "A-2": 9, "N-1": 2}, offset=0, is_set=False)

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

    @precondition(lambda self: self.orders)
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

    @precondition(lambda self: self.orders)
    @rule(
        number=indexes,
        to=st.sampled_from(["", "", "cancelled", *Order.Status.values]),
        written_off=st.sets(skus),
    )
    def staff_move(self, number, to, written_off):
        order = self.orders[number % len(self.orders)]
        self.move(order, to or (*Order.FLOW[order.status], "pending")[0], written_off=written_off)

    def move(self, order, to, *, by="ada", written_off=frozenset()):
        is_allowed = to in Order.FLOW[order.status]
        if by != "ada":
            is_allowed = Order.Status(order.status).facts.customer_can_cancel
        call = partial(
            move_order, order_id=order.pk, to=to, actor=self.people[by], by_staff=by == "ada"
        )
        lost = {self.pk(sku): order.lines[sku] for sku in order.lines.keys() & written_off}
        call = partial(call, written_off=lost)
        if self.succeeds(None if is_allowed else errors.InvalidTransition, call):
            self.record_move(order, to, written_off=written_off)

    def record_move(self, order, to, *, written_off=()):
        order.status = to
        if to == "cancelled":
            for sku, units in order.lines.items():
                self.products[sku].stock += 0 if sku in written_off else units

    @rule(
        numbers=st.sets(indexes, max_size=4),
        to=st.sampled_from([*Order.Status.path_to("shipped"), "cancelled"]),
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

    @rule(sku=skus, delta=st.integers(-5, 5), kind=st.sampled_from(StockMovement.MANUAL_KINDS))
    def adjust(self, sku, delta, kind):
        error = None if sku in self.products else errors.NotFound
        if error is None and self.products[sku].stock + delta < 0:
            error = errors.InsufficientStock
        if self.succeeds_for_ada(
            stock.adjust_stock, error, product_id=self.pk(sku), delta=delta, kind=kind
        ):
            self.products[sku].stock += delta

    @rule(sku=skus, counted=numbers, offset=st.sampled_from([None, 0, 1]))
    def count(self, sku, counted, offset):
        error = errors.StockChanged if offset else None
        if sku not in self.products:
            error, offset = errors.NotFound, None
        expected = None if offset is None else self.products[sku].stock + offset
        if self.succeeds_for_ada(
            stock.count_stock, error, product_id=self.pk(sku), counted=counted, expected=expected
        ):
            self.products[sku].stock = counted

    @rule(units=st.dictionaries(skus, numbers, max_size=3))
    def receive(self, units):
        units = {sku: number for sku, number in units.items() if number}
        error = None if units.keys() <= self.products.keys() else errors.NotFound
        if self.succeeds_for_ada(
            stock.receive_stock, error, units={self.pk(sku): n for sku, n in units.items()}
        ):
            for sku, number in units.items():
                self.products[sku].stock += number

    @rule(sku=skus, is_active=st.sampled_from([True, True, False]), cents=numbers)
    def edit(self, sku, is_active, cents):
        if sku in self.products:
            price = Decimal(cents) / 100
            self.succeeds_for_ada(
                products.update_product, None, product_id=self.pk(sku), changes={"price": price}
            )
            self.succeeds_for_ada(
                products.set_active, None, product_ids=[self.pk(sku)], is_active=is_active
            )
            self.products[sku].price, self.products[sku].is_active = price, is_active

    @rule(sku=st.sampled_from(["A-3", "N-1"]))
    def remove(self, sku):
        error = None if sku in self.products else errors.NotFound
        if self.succeeds_for_ada(products.remove_product, error, product_id=self.pk(sku)):
            self.remove_from_carts(sku)
            if self.was_ordered(sku):
                self.products[sku].is_active = False
            else:
                del self.products[sku]

    def succeeds_for_ada(self, service, error, **values):
        return self.succeeds(error, partial(service, actor=self.people["ada"], **values))

    def was_ordered(self, sku):
        return any(sku in order.lines for order in self.orders)

    def remove_from_carts(self, sku):
        for lines in self.carts.values():
            lines.pop(sku, None)

    # Product files

    @rule(
        stock_by_sku=st.dictionaries(skus, numbers, min_size=1, max_size=4),
        offset=stock_offsets,
        is_set=st.booleans(),
    )
    def upload_file(self, stock_by_sku, offset, is_set):
        lines, rows, has_errors = ["sku,name,price,stock,stock at export"], {}, False
        for sku, number in stock_by_sku.items():
            product_state = self.products.get(sku)
            now = product_state.stock if product_state else 0
            price = product_state.price if product_state else NEW_PRICE
            exported = max(0, now + offset)
            lines.append(f"{sku},{sku},{price},{number},{exported}")
            after = number if is_set or not product_state else now + number - exported
            if after < 0:
                has_errors = True
            elif after != now or not product_state:
                rows[sku] = (product_state and product_state.pk, now, after - now)
        options = {"stock_mode": "set"} if is_set else {}
        content = "\n".join(lines).encode()
        product_import = store_upload(
            actor=self.people["ada"], name="f.csv", content=content, options=options
        )
        preview_import(product_import)
        self.imports.append(ImportState(product_import.pk, is_set, rows, has_errors))

    @precondition(lambda self: self.imports)
    @rule(number=indexes, good_only=st.booleans(), repeat=st.sampled_from([False, False, True]))
    def apply_or_undo(self, number, good_only, repeat):
        state = self.imports[-1 - number % len(self.imports)]
        if (state.step == "previewed") is not repeat:
            self.apply(state, good_only=good_only)
        else:
            self.undo(state)

    def apply(self, state, *, good_only):
        good = {
            sku: row
            for sku, row in state.rows.items()
            if self.is_as_previewed(sku, row, is_set=state.is_set)
        }
        error = errors.ImportChanged if len(good) < len(state.rows) and not good_only else None
        if state.step != "previewed" or (state.has_errors and not good_only):
            error = errors.ImportNotReady
        if self.succeeds_for_ada(partial(apply_import, state.pk), error, good_only=good_only):
            state.step = "applied"
            for sku, (product, _, change) in good.items():
                if product is None:
                    self.products[sku] = ProductState(Product.objects.get(sku=sku).pk, NEW_PRICE, 0)
                self.products[sku].stock += change
                state.product_ids[sku] = self.pk(sku)

    def is_as_previewed(self, sku, row, *, is_set):
        product, before, change = row
        product_state = self.products.get(sku)
        if product is None or product_state is None:
            return product is None and product_state is None
        is_same = product_state.pk == product and product_state.stock + change >= 0
        return is_same and not (is_set and product_state.stock != before)

    def undo(self, state):
        error = None if state.step == "applied" else errors.ImportNotReady
        if not self.succeeds_for_ada(partial(undo_import, state.pk), error):
            return
        state.step = "undone"
        outcomes = dict(
            ImportRow.objects.filter(product_import=state.pk).values_list("sku", "outcome")
        )
        for sku, pk in state.product_ids.items():
            product, _, change = state.rows[sku]
            product_state = self.products.get(sku)
            if product_state is None or product_state.pk != pk:
                assert outcomes[sku] == "not_undone"
            elif product is not None:
                product_state.stock -= change if product_state.stock >= change else 0
            elif outcomes[sku] == "undone":
                assert (self.was_ordered(sku), product_state.stock) == (False, change)
                self.remove_from_carts(sku)
                del self.products[sku]

    # Invariants

    @invariant()
    def the_database_equals_the_model(self):
        rows = Product.objects.values_list("sku", "pk", "price", "stock", "is_active")
        assert set(rows) == {(sku, *astuple(state)) for sku, state in self.products.items()}
        lines = CartItem.objects.values_list("user__first_name", "product__sku", "quantity")
        expected_lines = {
            (buyer.title(), sku, units)
            for buyer, cart_lines in self.carts.items()
            for sku, units in cart_lines.items()
        }
        assert set(lines) == expected_lines
        orders = Order.objects.values_list("pk", "status", "total_amount")
        assert set(orders) == {(order.pk, order.status, order.total) for order in self.orders}
        assert_invariants()


@pytest.mark.slow
@pytest.mark.django_db
def test_any_sequence_of_operations_keeps_the_numbers_consistent():
    run_state_machine_as_test(
        ShopMachine,
        settings=settings(max_examples=12, stateful_step_count=40, deadline=None, derandomize=True),
    )
