"""Whatever people do, in whatever order: the shop's numbers are those of a shop kept in the head."""

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
from shop.services.orders import move_order, move_orders, place_order

ADDRESS = "1 Elm Street"
NEW_PRICE = Decimal("5.00")
OLD = {"A-1": ("3.00", 9), "A-2": ("0.99", 5), "A-3": ("19.99", 3)}
skus = st.sampled_from([*OLD, *OLD, "N-1"])
buyers = st.sampled_from(["carl", "dora"])
quantities, counts, which = st.integers(1, 3), st.integers(0, 9), st.integers(0, 99)
offs = st.integers(-2, 2)


@dataclass
class Shelf:
    pk: int
    price: Decimal
    stock: int
    is_active: bool = True


@dataclass
class Placed:
    pk: int
    buyer: str
    lines: dict[str, int]
    total: Decimal
    status: str = "pending"


@dataclass
class File:
    """A product file: what each row does to the stock of which product, None for a new one."""

    pk: int
    is_set: bool
    rows: dict[str, tuple[int | None, int, int]]  # SKU -> product, stock before, change
    has_wrong: bool
    state: str = "checked"
    done: dict[str, int] = field(default_factory=dict)  # SKU -> product


class Shop(RuleBasedStateMachine):
    """Each rule foresees what the shop will say, and that a refusal changes nothing."""

    def __init__(self):
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.people = {
            name: getattr(factories, f"create_{name}")() for name in ("ada", "carl", "dora")
        }
        self.shelves, self.carts = {}, {"carl": {}, "dora": {}}
        self.orders, self.keys, self.files = [], {}, []
        for sku, (price, units) in OLD.items():
            made = factories.create_product(sku, price=price, stock=units, sku=sku)
            self.shelves[sku] = Shelf(made.pk, Decimal(price), units)

    def teardown(self):
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    def pk(self, sku):
        return self.shelves[sku].pk if sku in self.shelves else 0

    def answered(self, error, call):
        """Whether it was done. A refusal is not noted in the head: the invariant sees if it did something."""
        if error is None:
            call()
            return True
        with pytest.raises(error):
            call()
        return False

    def why_not(self, lines):
        if not lines:
            return errors.CartEmpty
        if not all(sku in self.shelves and self.shelves[sku].is_active for sku in lines):
            return errors.ProductUnavailable
        is_short = any(self.shelves[sku].stock < units for sku, units in lines.items())
        return errors.InsufficientStock if is_short else None

    def buy(self, buyer, lines, call):
        lines, orders = dict(lines), []
        if not self.answered(self.why_not(lines), lambda: orders.append(call())):
            return None
        for sku, units in lines.items():
            self.shelves[sku].stock -= units
        total = sum(self.shelves[sku].price * units for sku, units in lines.items())
        self.orders.append(Placed(orders[0], buyer, lines, total))
        return orders[0]

    @initialize()
    def begin(self):
        self.put_in_cart(buyer="carl", lines={"A-1": 2, "A-2": 1})
        self.check_out(buyer="carl", key="a")
        self.put_in_cart(buyer="dora", lines={"A-1": 1, "A-3": 2})
        self.bring_a_file(wanted={"A-1": 4, "A-2": 9, "N-1": 2}, off=0, is_set=False)

    # Customers

    @rule(buyer=buyers, lines=st.dictionaries(skus, quantities, min_size=1, max_size=3))
    def put_in_cart(self, buyer, lines):
        for sku, units in lines.items():
            shelf, together = self.shelves.get(sku), self.carts[buyer].get(sku, 0) + units
            error = None
            if shelf is None or not shelf.is_active:
                error = errors.NotFound
            elif together > shelf.stock:
                error = errors.InsufficientStock
            call = partial(
                cart.add_to_cart, user=self.people[buyer], product_id=self.pk(sku), quantity=units
            )
            if self.answered(error, call):
                self.carts[buyer][sku] = together

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
    @rule(number=which)
    def a_customer_cancels(self, number):
        placed = self.orders[number % len(self.orders)]
        self.move(placed, "cancelled", by=placed.buyer)

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
        number=which,
        to=st.sampled_from(["", "", "cancelled", *Order.Status.values]),
        lost=st.sets(skus),
    )
    def staff_move(self, number, to, lost):
        placed = self.orders[number % len(self.orders)]
        self.move(placed, to or (*Order.FLOW[placed.status], "pending")[0], lost=lost)

    def move(self, placed, to, *, by="ada", lost=()):
        may = to in Order.FLOW[placed.status]
        if by != "ada":
            may = Order.Status(placed.status).facts.customer_can_cancel
        call = partial(
            move_order, order_id=placed.pk, to=to, actor=self.people[by], by_staff=by == "ada"
        )
        call = partial(call, lost=[self.pk(sku) for sku in lost])
        if self.answered(None if may else errors.InvalidTransition, call):
            self.moved(placed, to, lost=lost)

    def moved(self, placed, to, *, lost=()):
        placed.status = to
        if to == "cancelled":
            for sku, units in placed.lines.items():
                self.shelves[sku].stock += 0 if sku in lost else units

    @rule(
        numbers=st.sets(which, max_size=4),
        to=st.sampled_from(["confirmed", "shipped", "cancelled"]),
    )
    def staff_move_many(self, numbers, to):
        chosen = [placed for number, placed in enumerate(self.orders) if number in numbers]
        ready = [placed for placed in chosen if to in Order.FLOW[placed.status]]
        done = move_orders(
            order_ids=[placed.pk for placed in chosen], to=to, actor=self.people["ada"]
        )
        assert {order.pk for order in done.moved} == {placed.pk for placed in ready}
        assert len(done.moved) + len(done.left) == len(chosen)
        for placed in ready:
            self.moved(placed, to)

    @rule(sku=skus, delta=st.integers(-5, 5), kind=st.sampled_from(StockMovement.BY_HAND))
    def adjust(self, sku, delta, kind):
        error = None if sku in self.shelves else errors.NotFound
        if error is None and self.shelves[sku].stock + delta < 0:
            error = errors.InsufficientStock
        if self.by_ada(stock.adjust_stock, error, product_id=self.pk(sku), delta=delta, kind=kind):
            self.shelves[sku].stock += delta

    @rule(sku=skus, counted=counts, off=st.sampled_from([None, 0, 1]))
    def count(self, sku, counted, off):
        error = errors.StockChanged if off else None
        if sku not in self.shelves:
            error, off = errors.NotFound, None
        expected = None if off is None else self.shelves[sku].stock + off
        if self.by_ada(
            stock.count_stock, error, product_id=self.pk(sku), counted=counted, expected=expected
        ):
            self.shelves[sku].stock = counted

    @rule(units=st.dictionaries(skus, counts, max_size=3))
    def receive(self, units):
        units = {sku: number for sku, number in units.items() if number}
        error = None if units.keys() <= self.shelves.keys() else errors.NotFound
        if self.by_ada(
            stock.receive_stock, error, units={self.pk(sku): n for sku, n in units.items()}
        ):
            for sku, number in units.items():
                self.shelves[sku].stock += number

    @rule(sku=skus, is_active=st.sampled_from([True, True, False]), cents=counts)
    def edit(self, sku, is_active, cents):
        if sku in self.shelves:
            price = Decimal(cents) / 100
            self.by_ada(
                products.update_product, None, product_id=self.pk(sku), changes={"price": price}
            )
            self.by_ada(products.set_active, None, product_ids=[self.pk(sku)], is_active=is_active)
            self.shelves[sku].price, self.shelves[sku].is_active = price, is_active

    @rule(sku=st.sampled_from(["A-3", "N-1"]))
    def remove(self, sku):
        error = None if sku in self.shelves else errors.NotFound
        if self.by_ada(products.remove_product, error, product_id=self.pk(sku)):
            self.out_of_carts(sku)
            if self.was_ordered(sku):
                self.shelves[sku].is_active = False
            else:
                del self.shelves[sku]

    def by_ada(self, service, error, **values):
        return self.answered(error, partial(service, actor=self.people["ada"], **values))

    def was_ordered(self, sku):
        return any(sku in placed.lines for placed in self.orders)

    def out_of_carts(self, sku):
        for lines in self.carts.values():
            lines.pop(sku, None)

    # Product files

    @rule(
        wanted=st.dictionaries(skus, counts, min_size=1, max_size=4), off=offs, is_set=st.booleans()
    )
    def bring_a_file(self, wanted, off, is_set):
        lines, rows, has_wrong = ["sku,name,price,stock,stock at export"], {}, False
        for sku, number in wanted.items():
            shelf = self.shelves.get(sku)
            now, price = (shelf.stock, shelf.price) if shelf else (0, NEW_PRICE)
            was = max(0, now + off)
            lines.append(f"{sku},{sku},{price},{number},{was}")
            then = number if is_set or not shelf else now + number - was
            if then < 0:
                has_wrong = True
            elif then != now or not shelf:
                rows[sku] = (shelf and shelf.pk, now, then - now)
        options = {"stock": "set"} if is_set else {}
        content = "\n".join(lines).encode()
        product_import = store_upload(
            actor=self.people["ada"], name="f.csv", content=content, options=options
        )
        preview_import(product_import)
        self.files.append(File(product_import.pk, is_set, rows, has_wrong))

    @precondition(lambda self: self.files)
    @rule(number=which, good_only=st.booleans(), again=st.sampled_from([False, False, True]))
    def use_a_file(self, number, good_only, again):
        file = self.files[-1 - number % len(self.files)]
        if (file.state == "checked") is not again:
            self.apply(file, good_only=good_only)
        else:
            self.take_back(file)

    def apply(self, file, *, good_only):
        good = {
            sku: row
            for sku, row in file.rows.items()
            if self.is_as_checked(sku, row, is_set=file.is_set)
        }
        error = errors.ImportChanged if len(good) < len(file.rows) and not good_only else None
        if file.state != "checked" or (file.has_wrong and not good_only):
            error = errors.ImportNotReady
        if self.by_ada(partial(apply_import, file.pk), error, good_only=good_only):
            file.state = "applied"
            for sku, (product, _, change) in good.items():
                if product is None:
                    self.shelves[sku] = Shelf(Product.objects.get(sku=sku).pk, NEW_PRICE, 0)
                self.shelves[sku].stock += change
                file.done[sku] = self.pk(sku)

    def is_as_checked(self, sku, row, *, is_set):
        product, before, change = row
        shelf = self.shelves.get(sku)
        if product is None or shelf is None:
            return product is None and shelf is None
        is_same = shelf.pk == product and shelf.stock + change >= 0
        return is_same and not (is_set and shelf.stock != before)

    def take_back(self, file):
        error = None if file.state == "applied" else errors.ImportNotReady
        if not self.by_ada(partial(undo_import, file.pk), error):
            return
        file.state = "undone"
        outcomes = dict(
            ImportRow.objects.filter(product_import=file.pk).values_list("sku", "outcome")
        )
        for sku, pk in file.done.items():
            product, _, change = file.rows[sku]
            shelf = self.shelves.get(sku)
            if shelf is None or shelf.pk != pk:
                assert outcomes[sku] == "kept"
            elif product is not None:
                shelf.stock -= change if shelf.stock >= change else 0
            elif outcomes[sku] == "undone":
                assert (self.was_ordered(sku), shelf.stock) == (False, change)
                self.out_of_carts(sku)
                del self.shelves[sku]

    # What always holds

    @invariant()
    def it_is_as_in_the_head(self):
        shelves = Product.objects.values_list("sku", "pk", "price", "stock", "is_active")
        assert set(shelves) == {(sku, *astuple(shelf)) for sku, shelf in self.shelves.items()}
        lines = CartItem.objects.values_list("user__first_name", "product__sku", "quantity")
        in_head = {
            (b.title(), sku, units) for b, mine in self.carts.items() for sku, units in mine.items()
        }
        assert set(lines) == in_head
        orders = Order.objects.values_list("pk", "status", "total_amount")
        assert set(orders) == {(placed.pk, placed.status, placed.total) for placed in self.orders}
        assert_invariants()


@pytest.mark.slow
@pytest.mark.django_db
def test_stock_adds_up_whatever_happens():
    run_state_machine_as_test(
        Shop,
        settings=settings(max_examples=12, stateful_step_count=40, deadline=None, derandomize=True),
    )
