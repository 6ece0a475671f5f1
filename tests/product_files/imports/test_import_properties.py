"""Whatever catalogue meets whatever file: what was previewed is applied, and undoing takes it back."""

from contextlib import contextmanager

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import factories
from support.import_runs import ada, catalogue, checked, outcomes, text_of

from shop.models import Product
from shop.product_files.imports.apply import apply_import
from shop.product_files.imports.undo import undo_import
from shop.services.orders import place_order
from shop.services.stock import find_drift

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("ada", "carl"),
    pytest.mark.slow,
]
HEADERS = ("sku", "name", "description", "price", "stock", "stock at export", "active")
#: The database is emptied by hand after each example, and the examples are the same each time.
of_any = settings(
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
def forgotten():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def stock_up(found):
    for sku, (name, price, stock) in found.items():
        factories.create_product(name, price=price, stock=stock, sku=sku)


def of(file_rows, *, blank="keep"):
    # A row that is wholly blank is none.
    rows = [row if any(cell.strip() for cell in row) else ("b-9", *row[1:]) for row in file_rows]
    return checked(text_of(*rows, headers=HEADERS), blank=blank, point="."), len(rows)


@of_any
@given(products, rows, st.sampled_from(["keep", "clear"]))
def test_what_was_previewed_is_applied_and_undoing_takes_it_back(found, file_rows, blank):
    with forgotten():
        stock_up(found)
        before = catalogue()
        product_import, count = of(file_rows, blank=blank)
        assert catalogue() == before
        counts = product_import.counts
        assert sum(counts.values()) == product_import.rows.count() == product_import.total == count
        expected = {name: counts[name] for name in ("new", "changed")}
        assert apply_import(product_import.pk, actor=ada(), good_only=True) == {
            **expected,
            "left": 0,
        }
        assert len(catalogue()) == len(before) + counts["new"]
        assert list(find_drift()) == []
        undo_import(product_import.pk, actor=ada())
        assert catalogue() == before
        assert list(find_drift()) == []


@of_any
@given(products, rows, st.integers(min_value=1, max_value=9))
def test_what_was_sold_in_between_stays_sold(found, file_rows, units):
    with forgotten():
        stock_up(found)
        before = catalogue()
        product_import, _ = of(file_rows)
        apply_import(product_import.pk, actor=ada(), good_only=True)
        carl = factories.User.objects.get(email="carl@example.com")
        sold = list(
            Product.objects.filter(is_active=True, stock__gte=units).values_list("sku", flat=True)
        )
        if sold:
            factories.add_to_cart(
                carl, *[(product, units) for product in Product.objects.filter(sku__in=sold)]
            )
            place_order(user=carl, shipping_address="1 Elm Street")
        undo_import(product_import.pk, actor=ada())
        assert list(find_drift()) == []
        after, kept = catalogue(), outcomes(product_import)
        for sku, product in before.items():
            if kept.get(sku, ("undone", ""))[0] == "undone":
                assert after.pop(sku) == product | {
                    "stock": product["stock"] - units * (sku in sold)
                }
        named = {sku for sku, (outcome, why) in kept.items() if outcome == "kept" and why}
        assert after.keys() <= named
