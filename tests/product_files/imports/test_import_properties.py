"""Any catalogue and any file: what was previewed is applied, and undo restores the catalogue."""

from contextlib import contextmanager

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import factories
from support.import_runs import ada, catalogue, create_preview, csv_text, outcomes

from shop.models import Product
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.undo import undo_change_set
from shop.services.orders import place_order
from shop.services.stock import find_drift

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("ada", "carl"),
    pytest.mark.slow,
]
HEADERS = ("sku", "name", "description", "price", "stock", "stock at export", "active")
#: Each example rolls back its own changes. The examples are the same in each run.
examples = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

skus = st.sampled_from(["A-1", "A-2", "A-3", "A-4", "A-5"])
names = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=12
)
prices = st.decimals(min_value=0, max_value=9999, places=2).map(str)
stocks = st.integers(min_value=0, max_value=20)
products = st.dictionaries(skus, st.tuples(names, prices, stocks), max_size=4)
rows = st.lists(
    st.tuples(
        skus | st.just("") | st.just("b-9"),
        names | st.just(""),
        st.text(max_size=8).filter(lambda text: "\0" not in text),
        prices | st.sampled_from(["", "x", "-1"]),
        stocks.map(str) | st.just(""),
        stocks.map(str) | st.just(""),
        st.sampled_from(["", "yes", "no", "perhaps"]),
    ),
    min_size=1,
    max_size=7,
)


@contextmanager
def rolled_back():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def create_products(products_by_sku):
    for sku, (name, price, stock) in products_by_sku.items():
        factories.create_product(name, price=price, stock=stock, sku=sku)


def preview_rows(file_rows, *, blank_cells="keep"):
    # A wholly blank line is not a row.
    rows = [row if any(cell.strip() for cell in row) else ("b-9", *row[1:]) for row in file_rows]
    return create_preview(
        csv_text(*rows, headers=HEADERS), blank_cells=blank_cells, decimal_mark="."
    ), len(rows)


@examples
@given(products, rows, st.sampled_from(["keep", "clear"]))
def test_preview_is_applied_and_undone(products_by_sku, file_rows, blank_cells):
    with rolled_back():
        create_products(products_by_sku)
        before = catalogue()
        change_set, count = preview_rows(file_rows, blank_cells=blank_cells)
        assert catalogue() == before
        counts = change_set.counts
        assert sum(counts.values()) == change_set.rows.count() == change_set.rows_total == count
        expected = {name: counts[name] for name in ("new", "changed")}
        assert apply_change_set(change_set.pk, actor=ada(), good_only=True) == {
            **expected,
            "left_out": 0,
        }
        assert len(catalogue()) == len(before) + counts["new"]
        assert list(find_drift()) == []
        undo_change_set(change_set.pk, actor=ada())
        assert catalogue() == before
        assert list(find_drift()) == []


@examples
@given(products, rows, st.integers(min_value=1, max_value=9))
def test_undo_keeps_sales_after_the_import(products_by_sku, file_rows, units):
    with rolled_back():
        create_products(products_by_sku)
        before = catalogue()
        change_set, _ = preview_rows(file_rows)
        apply_change_set(change_set.pk, actor=ada(), good_only=True)
        carl = factories.User.objects.get(email="carl@example.com")
        sold = list(
            Product.objects.filter(is_active=True, stock__gte=units).values_list("sku", flat=True)
        )
        if sold:
            factories.add_to_cart(
                carl, *[(product, units) for product in Product.objects.filter(sku__in=sold)]
            )
            place_order(user=carl, shipping_address="1 Elm Street")
        undo_change_set(change_set.pk, actor=ada())
        assert list(find_drift()) == []
        after, row_outcomes = catalogue(), outcomes(change_set)
        for sku, product in before.items():
            if row_outcomes.get(sku, ("undone", ""))[0] == "undone":
                assert after.pop(sku) == product | {
                    "stock": product["stock"] - units * (sku in sold)
                }
        explained = {
            sku
            for sku, (outcome, reason) in row_outcomes.items()
            if outcome == "not_undone" and reason
        }
        assert after.keys() <= explained
