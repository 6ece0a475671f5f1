import logging
from importlib import import_module
from pathlib import Path

import pytest
from django.contrib import admin
from django.db import connection
from support import factories, world

from shop import migrations
from shop.admin import search
from shop.models import (
    AuditEntry,
    CartItem,
    Order,
    OrderEvent,
    OrderItem,
    Product,
    Session,
    StockMovement,
    User,
)
from shop.services import accounts

SEARCHED = [
    AuditEntry,
    CartItem,
    Order,
    OrderEvent,
    OrderItem,
    Product,
    Session,
    StockMovement,
    User,
]
TERMS = [
    "",
    "  ",
    "mug",
    "MUG stone",
    "stone,blue",
    "100%",
    "100_",
    "C:\\glass",
    "o'brien",
    '"stone blue"',
    '"blue stone"',
    "'stone blue' mug",
    '"never closed',
    "carl mug",
    "Carl@example.com telephone",
    "Crème",
    "crème brûlée",
    "lane carl fern",
    "shelf mug-1",
    "rings noon",
    "nothing of it",
    "mug nothing",
]
indexes = import_module(
    f"shop.migrations.{next(Path(migrations.__file__).parent.glob('*_search_indexes.py')).stem}"
)
postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's indexes")


@pytest.fixture
def shop(ada, carl, dora):
    world.create_world(ada, carl, dora)
    User.objects.filter(pk=dora.pk).update(first_name="Crème", last_name="O'Brien", phone="100%_1")
    odd = factories.create_product(
        "Crème brûlée dish 100%", sku="100_MUG", description="Of C:\\glass", price="2.00"
    )
    factories.create_product("Mug stone blue", sku='"STONE-BLUE"')
    world.create_order(dora, (odd, 1))
    factories.add_to_cart(dora, (odd, 1))
    accounts._open_session(dora, "100% of a tablet")
    AuditEntry.objects.create(
        actor=ada, model_name="product", record_label="Mug, stone blue", changes="price: 100% to _"
    )


def by_django(screen, rows, term):
    """What Django's own search finds, each once."""
    return set(
        admin.ModelAdmin.get_search_results(screen, None, rows, term)[0].values_list(
            "pk", flat=True
        )
    )


@pytest.mark.parametrize("most", [search.MAX_COUNTED, 0])
@pytest.mark.parametrize("model", SEARCHED)
def test_it_finds_what_django_finds(shop, monkeypatch, model, most):
    monkeypatch.setattr(search, "MAX_COUNTED", most)
    screen = admin.site.get_model_admin(model)
    rows = model.objects.all()
    mine = {
        term: list(screen.get_search_results(None, rows, term)[0].values_list("pk", flat=True))
        for term in TERMS
    }
    assert {term: set(keys) for term, keys in mine.items()} == {
        term: by_django(screen, rows, term) for term in TERMS
    }
    assert all(len(keys) == len(set(keys)) for keys in mine.values())
    assert any(0 < len(keys) < len(mine[""]) for keys in mine.values())


#: What a search for a short word finds of these, since one of their words begins with it.
SHORT = {
    "m": {"Mug", "My mat", "tea-mug", "two\nmats", "1 m", "M/12"},
    "MU": {"Mug", "tea-mug"},
    "at": {"at sea", "o@at.example"},
    "1": {"1 m", "M/12", "100%"},
    "m 1": {"1 m", "M/12"},
    "ug": set(),
    "%": {"% off"},
    "\\": {"\\o/"},
    "mat m": {"My mat", "two\nmats"},
}


@pytest.mark.parametrize("most", [search.MAX_COUNTED, 0])
@pytest.mark.parametrize("term", SHORT)
def test_one_or_two_letters_begin_a_word(carl, monkeypatch, term, most):
    monkeypatch.setattr(search, "MAX_COUNTED", most)
    written = {*set().union(*SHORT.values()), "Lamp", "A rug"}
    Order.objects.bulk_create(
        Order(user=carl, order_number=f"ZZZZ-Z{n}", shipping_address=text, total_amount=1)
        for n, text in enumerate(written)
    )
    screen = admin.site.get_model_admin(Order)
    found = screen.get_search_results(None, Order.objects.all(), term)[0]
    assert set(found.values_list("shipping_address", flat=True)) == SHORT[term]


def found(browser, term, model="order"):
    listed = browser.get(f"/admin/shop/{model}/", {"q": term}).context["cl"]
    assert listed.result_count == len(listed.result_list)
    return {row.pk for row in listed.result_list}


@pytest.mark.parametrize("most", [search.MAX_COUNTED, 0])
def test_an_order_is_found_by_what_is_in_it(adas_browser, carl, mug, lamp, monkeypatch, most):
    both, one = world.create_order(carl, (mug, 1), (lamp, 1)), world.create_order(carl, (mug, 1))
    monkeypatch.setattr(search, "MAX_COUNTED", most or search.MAX_COUNTED)
    assert found(adas_browser, "mug-1") == {both.pk, one.pk}
    assert found(adas_browser, "LAMP mug") == {both.pk}
    assert found(adas_browser, "lamp-1 carl") == {both.pk}
    assert found(adas_browser, "lamp-1 dora") == set()


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(("term", "cost"), [("fern lane", 6), ("mug-1 carl 1", 6), ("1 f", 6)])
def test_it_costs_the_same_however_much_is_found(
    adas_browser, carl, mug, statements, number, term, cost
):
    for _ in range(number):
        world.create_order(carl, (mug, 1))
    with statements(cost):
        adas_browser.get("/admin/shop/order/", {"q": term})


@pytest.fixture
def three_of_two(adas_browser, monkeypatch):
    monkeypatch.setattr(search, "MAX_COUNTED", 2)
    monkeypatch.setattr(admin.site.get_model_admin(Product), "list_per_page", 1)
    for number in range(4):
        factories.create_product(f"{'Plate' if number else 'Cup'} {number}")
    return adas_browser


@pytest.mark.parametrize(
    ("query", "count", "last", "has_more"),
    [("?q=plate", 2, "Plate 2", True), ("?q=cup", 1, "Cup 0", False), ("?q=+", 4, "Cup 0", False)],
)
def test_of_very_many_the_first_are_shown_and_the_page_says_so(
    three_of_two, query, count, last, has_more
):
    answer = three_of_two.get(f"/admin/shop/product/{query}&p={count}")
    listed = answer.context["cl"]
    assert (listed.result_count, [row.name for row in listed.result_list]) == (count, [last])
    assert ("These are not all" in answer.content.decode()) is has_more


def archive_all(browser, query):
    return browser.post(
        f"/admin/shop/product/{query}",
        {
            "action": "archive",
            "select_across": "1",
            "_selected_action": [Product.objects.get(name="Cup 0").pk],
        },
        follow=True,
    )


def test_what_was_not_counted_is_not_changed_at_once(three_of_two):
    answer = archive_all(three_of_two, "?q=plate")
    assert "Nothing was done: choose at most 2 at a time." in answer.content.decode()
    assert Product.objects.filter(is_active=False).count() == 0
    archive_all(three_of_two, "?q=cup")
    assert [row.name for row in Product.objects.filter(is_active=False)] == ["Cup 0"]
    archive_all(three_of_two, "")
    assert Product.objects.filter(is_active=False).count() == 4


@postgres
@pytest.mark.parametrize("model", [m for m in SEARCHED if m._meta.db_table in indexes.SEARCHED])
def test_each_word_is_looked_up_in_an_index(db, model):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for column in indexes.SEARCHED[model._meta.db_table]:
        plan = model.objects.order_by().filter((f"{column}__icontains", "word")).explain()
        assert f"on {model._meta.db_table}_search" in plan


@postgres
def test_without_the_extension_the_shop_is_still_deployed(db, monkeypatch, caplog):
    monkeypatch.setattr(indexes, "EXTENSION", "CREATE EXTENSION there_is_none")
    monkeypatch.setattr(indexes, "INDEXES", ["this is no SQL"])
    with caplog.at_level(logging.WARNING), connection.schema_editor(atomic=False) as editor:
        indexes.add_indexes(None, editor)
    assert "Searches in the back office stay slow" in caplog.text
    assert User.objects.count() == 0
