"""Stateful test: after any sequence of operations, the database equals a model in memory."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test
from support.shop_machine import OrderMachine, ProductState, indexes, skus

from shop.models import ChangeRow, Order, Product, StockMovement
from shop.product_files.imports.preview import preview_import, store_upload
from shop.services import bulk_pricing, errors, goods, products, stock
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.undo import undo_change_set

NEW_PRICE = Decimal("5.00")
numbers, stock_offsets = st.integers(0, 9), st.integers(-2, 2)


@dataclass
class ImportState:
    """An import, and what each of its rows does to the stock of which product (None if new)."""

    pk: int
    is_set: bool
    rows: dict[str, tuple[int | None, int, int]]  # SKU -> product, stock before, change
    has_errors: bool
    step: str = "previewed"
    product_ids: dict[str, int] = field(default_factory=dict)  # SKU -> product


@dataclass
class ChangeState:
    """A change set that a page made: SKU -> product, old values, and new values with the units."""

    pk: int
    rows: dict[str, tuple[int, dict, dict]] = field(default_factory=dict)
    is_undone: bool = False


class ShopMachine(OrderMachine):
    """Adds the catalogue, its stock and its files to the model of the orders."""

    def __init__(self):
        super().__init__()
        self.imports, self.changes = [], []

    @initialize()
    def start(self):
        self.put_in_cart(buyer="carl", lines={"A-1": 2, "A-2": 1})
        self.check_out(buyer="carl", key="a")
        self.put_in_cart(buyer="dora", lines={"A-1": 1, "A-3": 2})
        self.order_by_phone(buyer="dora", lines={"A-1": 2, "A-2": 1})
        for status in Order.Status.path_to("delivered"):
            self.move(self.orders[-1], status)
        self.upload_file(stock_by_sku={"A-1": 4, "A-2": 9, "N-1": 2}, offset=0, is_set=False)

    # Products and stock

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

    # Changes of many products on a page

    @rule(units=st.dictionaries(skus, numbers, max_size=3))
    def receive(self, units):
        deltas = {sku: number for sku, number in units.items() if number}
        receive = partial(goods.receive_goods, units={self.pk(s): n for s, n in deltas.items()})
        self.change_many(receive, {sku: {"stock": delta} for sku, delta in deltas.items()})

    @rule(counted=st.dictionaries(skus, numbers, max_size=3), offset=stock_offsets)
    def count_shelf(self, counted, offset):
        """Count some products, after or before as many units as `offset` came or went."""
        deltas, counts = {}, {}
        for sku, number in counted.items():
            expected = max(0, self.products[sku].stock + offset if sku in self.products else 0)
            # A product that isn't there has a key of its own, too.
            key = self.pk(sku) or -1 - len(counts)
            counts[key] = goods.Count(counted=number, expected=expected)
            if number != expected:
                deltas[sku] = {"stock": number - expected}
        self.change_many(partial(goods.book_count, counts=counts), deltas)

    @rule(chosen=st.sets(skus, min_size=1), cents=numbers)
    def raise_prices(self, chosen, cents):
        known = sorted(chosen & self.products.keys())
        values = {"product_ids": [self.pk(sku) for sku in known]}
        values["change"] = bulk_pricing.PriceChange(amount=Decimal(cents) / 100)
        fingerprint = bulk_pricing.preview_prices(**values).fingerprint
        change = partial(
            bulk_pricing.change_prices, **values, fingerprint=fingerprint, is_confirmed=True
        )
        new = {sku: self.products[sku].price + Decimal(cents) / 100 for sku in known}
        self.change_many(change, {sku: {"price": price} for sku, price in new.items()})

    @rule(chosen=st.sets(skus), is_active=st.booleans())
    def publish(self, chosen, is_active):
        known = sorted(chosen & self.products.keys())
        values = {"product_ids": [self.pk(sku) for sku in known], "is_active": is_active}
        change = partial(products.set_active, **values)
        self.change_many(change, {sku: {"is_active": is_active} for sku in known})

    def change_many(self, change, rows):
        """Predict a change set of these rows: SKU -> new values, and the units that are added."""
        error = None if rows.keys() <= self.products.keys() else errors.NotFound
        rows = {
            sku: values
            for sku, values in rows.items()
            if values.get("stock") != 0
            and (
                sku not in self.products
                or "stock" in values
                or any(getattr(self.products[sku], name) != new for name, new in values.items())
            )
        }
        if error is None:
            stocks = [self.products[sku].stock + row.get("stock", 0) for sku, row in rows.items()]
            error = None if stocks and min(stocks) >= 0 else ValidationError
        change_sets = []
        if not self.succeeds_for_ada(lambda actor: change_sets.append(change(actor=actor)), error):
            return
        state = ChangeState(change_sets[0].pk)
        for sku, values in rows.items():
            product_state = self.products[sku]
            old = {name: getattr(product_state, name) for name in values if name != "stock"}
            state.rows[sku] = (product_state.pk, old, values)
            self.write(product_state, values)
        self.changes.append(state)

    @staticmethod
    def write(product_state, values):
        for name, value in values.items():
            setattr(product_state, name, value + (product_state.stock if name == "stock" else 0))

    @precondition(lambda self: self.changes)
    @rule(number=indexes)
    def undo_change(self, number):
        """Take back a change set: what is as it made it is as before, what moved since is named."""
        state = self.changes[-1 - number % len(self.changes)]
        error = errors.ImportNotReady if state.is_undone else None
        if not self.succeeds_for_ada(partial(undo_change_set, state.pk), error):
            return
        state.is_undone = True
        outcomes = dict(ChangeRow.objects.filter(change_set=state.pk).values_list("sku", "outcome"))
        for sku, (pk, old, new) in state.rows.items():
            product_state, is_undone = self.products.get(sku), True
            if product_state is None or product_state.pk != pk:
                assert outcomes[sku] == "not_undone"
                continue
            for name, value in new.items():
                now = getattr(product_state, name)
                if name == "stock":
                    can_undo, before = now >= value, now - value
                else:
                    can_undo, before = now == value, old[name]
                is_undone = is_undone and can_undo
                if can_undo:
                    setattr(product_state, name, before)
            assert outcomes[sku] == ("undone" if is_undone else "not_undone")

    @rule(sku=skus, is_active=st.sampled_from([True, True, False]), cents=numbers)
    def edit(self, sku, is_active, cents):
        if sku in self.products:
            price = Decimal(cents) / 100
            self.succeeds_for_ada(
                products.update_product, None, product_id=self.pk(sku), changes={"price": price}
            )
            self.products[sku].price = price
            self.publish(chosen={sku}, is_active=is_active)

    @rule(sku=st.sampled_from(["A-3", "N-1"]))
    def remove(self, sku):
        error = None if sku in self.products else errors.NotFound
        if self.succeeds_for_ada(products.remove_product, error, product_id=self.pk(sku)):
            self.remove_from_carts(sku)
            if self.was_ordered(sku):
                self.products[sku].is_active = False
            else:
                del self.products[sku]

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
        change_set = store_upload(
            actor=self.people["ada"], name="f.csv", content=content, options=options
        )
        preview_import(change_set)
        self.imports.append(ImportState(change_set.pk, is_set, rows, has_errors))

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
        error = errors.ProductsChanged if len(good) < len(state.rows) and not good_only else None
        if state.step != "previewed" or (state.has_errors and not good_only):
            error = errors.ImportNotReady
        if self.succeeds_for_ada(partial(apply_change_set, state.pk), error, good_only=good_only):
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
        if not self.succeeds_for_ada(partial(undo_change_set, state.pk), error):
            return
        state.step = "undone"
        outcomes = dict(ChangeRow.objects.filter(change_set=state.pk).values_list("sku", "outcome"))
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


@pytest.mark.slow
@pytest.mark.django_db
def test_any_sequence_of_operations_keeps_the_numbers_consistent():
    run_state_machine_as_test(
        ShopMachine,
        settings=settings(max_examples=12, stateful_step_count=40, deadline=None, derandomize=True),
    )
