import pytest
from support import factories

from shop.db.deferred_join import deferred_page
from shop.models import Product


@pytest.fixture
def mugs(db):
    for number in range(6):
        factories.create_product(f"Mug {number}", price=str(9 - number))
    factories.create_product("Lamp", price="5.50")
    return Product.objects.filter(name__startswith="Mug").order_by("price")


@pytest.mark.parametrize(
    ("start", "stop", "names"),
    [(0, 2, ["Mug 5", "Mug 4"]), (2, 4, ["Mug 3", "Mug 2"]), (5, 9, ["Mug 0"]), (6, 9, [])],
)
def test_a_page_is_one_query_with_the_filter_and_order_of_the_list(
    mugs, statements, start, stop, names
):
    with statements(1):
        assert [mug.name for mug in deferred_page(mugs, start, stop)] == names
    assert list(deferred_page(mugs.values_list("name"), start, stop)) == [(n,) for n in names]


def test_the_list_itself_keeps_its_filter(mugs):
    deferred_page(mugs, 0, 2)
    assert mugs.count() == 6
