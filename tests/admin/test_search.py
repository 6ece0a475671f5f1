import logging
from importlib import import_module
from pathlib import Path

import pytest
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest
from support import factories, world

from shop import migrations
from shop.db import row_search
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
from shop.services import sessions
from shop.services.order_search import search_orders

#: Orders are searched in their own way, see tests/services/test_order_search.py.
SEARCHED = [
    AuditEntry,
    CartItem,
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


def migration(name):
    path = next(Path(migrations.__file__).parent.glob(f"*_{name}.py"))
    return import_module(f"shop.migrations.{path.stem}")


indexes, folded_indexes = migration("search_indexes"), migration("search_text")
phone_indexes, barcode_indexes = migration("order_search"), migration("barcode")
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
    sessions.open_session(dora, "100% of a tablet")
    AuditEntry.objects.create(
        actor=ada, model_name="product", record_label="Mug, stone blue", changes="price: 100% to _"
    )


def shop_search(model, term):
    model_admin = admin.site.get_model_admin(model)
    return model_admin.get_search_results(HttpRequest(), model.objects.all(), term)[0]


def django_search(model, term):
    model_admin = admin.site.get_model_admin(model)
    return admin.ModelAdmin.get_search_results(model_admin, None, model.objects.all(), term)[0]


#: With a maximum of 0 no keys are read: each word is a condition on the rows.
both_strategies = pytest.mark.parametrize("max_counted", [row_search.MAX_COUNTED, 0])


@both_strategies
@pytest.mark.parametrize("model", SEARCHED)
def test_search_finds_what_django_finds(shop, monkeypatch, model, max_counted):
    monkeypatch.setattr(row_search, "MAX_COUNTED", max_counted)
    keys = {term: list(shop_search(model, term).values_list("pk", flat=True)) for term in TERMS}
    assert {term: set(hits) for term, hits in keys.items()} == {
        term: set(django_search(model, term).values_list("pk", flat=True)) for term in TERMS
    }
    assert all(len(hits) == len(set(hits)) for hits in keys.values())
    assert any(0 < len(hits) < len(keys[""]) for hits in keys.values())


@pytest.mark.parametrize(
    ("term", "max_counted", "known_count", "is_broad"),
    [
        ("mug-1", 10_000, 1, False),
        ("mug-1 carl", 10_000, None, False),
        ("carl", 0, None, True),
        ("carl", 10_000, 2, False),
        (" ", 10_000, None, False),
    ],
)
def test_search_result_has_a_count_where_all_keys_were_read(
    carl, mug, lamp, monkeypatch, term, max_counted, known_count, is_broad
):
    for product in (mug, lamp):
        world.create_order(carl, (product, 1))
    monkeypatch.setattr(row_search, "MAX_COUNTED", max_counted)
    result = search_orders(Order.objects.all(), term, by_staff=True)
    assert (result.known_count, result.is_broad) == (known_count, is_broad)


def test_search_result_counts_fewer_rows_if_they_are_scanned():
    rows = Product.objects.all()
    assert row_search.SearchResult(rows).max_count == row_search.MAX_COUNTED
    assert row_search.SearchResult(rows, is_broad=True).max_count == row_search.MAX_COUNTED_BY_SCAN


#: Short word -> the texts that have a word with this beginning.
SHORT_WORDS = {
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


@both_strategies
@pytest.mark.parametrize("term", SHORT_WORDS)
def test_one_or_two_letters_are_the_beginning_of_a_word(carl, monkeypatch, term, max_counted):
    monkeypatch.setattr(row_search, "MAX_COUNTED", max_counted)
    texts = {*set().union(*SHORT_WORDS.values()), "Lamp", "A rug"}
    Order.objects.bulk_create(
        Order(user=carl, order_number=f"ZZZZ-Z{n}", shipping_address=text, total_amount=1)
        for n, text in enumerate(texts)
    )
    addresses = shop_search(Order, term).values_list("shipping_address", flat=True)
    assert set(addresses) == SHORT_WORDS[term]


#: Word -> the names of the products and users that have it, whatever its accents and case.
FOLDED_WORDS = {
    "creme": {"Crème brûlée", "CRÈME"},
    "CRÈME brulee": {"Crème brûlée"},
    "strasse": {"Große Straße"},
    "STRAẞE": {"Große Straße"},
    "grosse": {"Große Straße"},
    "smorrebrod": {"Smørrebrød"},
    "smo\u0308rrebrod": {"Smørrebrød"},
    "lodz": {"Łódź"},
    "istanbul": {"İstanbul", "\u0131stanbul"},
    "ISTANBUL": {"İstanbul", "\u0131stanbul"},
    "oeuf": {"Œuf"},
    "οδος": {"ΟΔΌΣ"},
    "еж": {"Ёж"},
    "cr": {"Crème brûlée", "CRÈME"},
    "bru": {"Crème brûlée"},
    "reme\u200b": {"Crème brûlée", "CRÈME"},
    "o'neill": {"O\u2019Neill"},
    "gr st": {"Große Straße"},
    "ru": set(),
}


@both_strategies
@pytest.mark.parametrize("term", FOLDED_WORDS)
def test_products_and_users_are_found_without_accents_and_case(db, monkeypatch, term, max_counted):
    monkeypatch.setattr(row_search, "MAX_COUNTED", max_counted)
    names = {*set().union(*FOLDED_WORDS.values()), "Mug", "Strand"}
    for number, name in enumerate(sorted(names)):
        factories.create_product(name, sku=f"X{number}")
        User.objects.create(email=f"{number}@b.example", first_name="X", last_name=name)
    products = shop_search(Product, term).values_list("name", flat=True)
    users = shop_search(User, term).values_list("last_name", flat=True)
    assert set(products) == set(users) == FOLDED_WORDS[term]


@pytest.mark.parametrize("term", ["noon \u3164", '"\u2060" rings', "noon \u0301"])
def test_an_invisible_word_is_not_searched(shop, term):
    visible = term.strip('"\u200b\u2060\u3164\u0301\u00b4 ')
    found = set(shop_search(OrderEvent, term).values_list("pk", flat=True))
    assert found == set(shop_search(OrderEvent, visible).values_list("pk", flat=True))
    assert found


@pytest.mark.parametrize("term", ["\u200b", "\u00b4", '"', "..."])
def test_a_term_without_a_searchable_word_does_not_search(shop, term):
    assert shop_search(OrderEvent, term).count() == OrderEvent.objects.count() > 0


@pytest.mark.parametrize("term", ["stromberg", "ULLA strömberg", "ulla@", "zoe str"])
def test_orders_and_sessions_are_found_by_the_folded_name_of_their_user(db, mug, term):
    ulla = User.objects.create(email="ulla@a.example", first_name="Zoë", last_name="Strömberg")
    order = world.create_order(ulla, (mug, 1))
    sessions.open_session(ulla, "tablet")
    factories.add_to_cart(ulla, (mug, 1))
    assert shop_search(Order, term).get() == order
    assert shop_search(Session, term).get().user == ulla
    assert shop_search(CartItem, term).get().user == ulla


def order_keys(browser, term):
    changelist = browser.get("/admin/shop/order/", {"q": term}).context["cl"]
    assert changelist.result_count == len(changelist.result_list)
    return {order.pk for order in changelist.result_list}


def test_an_order_is_found_by_the_sku_of_its_items(adas_browser, carl, mug, lamp):
    mug_and_lamp = world.create_order(carl, (mug, 1), (lamp, 1)).pk
    mug_only = world.create_order(carl, (mug, 1)).pk
    assert order_keys(adas_browser, "mug-1") == {mug_and_lamp, mug_only}
    assert order_keys(adas_browser, "LAMP mug") == {mug_and_lamp}
    assert order_keys(adas_browser, "lamp-1 carl") == {mug_and_lamp}
    assert order_keys(adas_browser, "lamp-1 dora") == set()


@pytest.mark.parametrize("orders", [1, 3])
@pytest.mark.parametrize(("term", "count"), [("1 fern lane", 10), ("mug-1 carl 1", 10), ("1 f", 9)])
def test_the_query_count_does_not_depend_on_the_number_of_hits(
    adas_browser, carl, mug, statements, orders, term, count
):
    """Seven, and one for each word: the products that are named so."""
    for _ in range(orders):
        world.create_order(carl, (mug, 1))
    with statements(count):
        adas_browser.get("/admin/shop/order/", {"q": term})


@pytest.fixture
def count_of_two(adas_browser, monkeypatch):
    """A cup and three plates, of which a search counts two, one per page."""
    monkeypatch.setattr(row_search, "MAX_COUNTED", 2)
    monkeypatch.setattr(admin.site.get_model_admin(Product), "list_per_page", 1)
    for number in range(4):
        factories.create_product(f"{'Plate' if number else 'Cup'} {number}")
    return adas_browser


@pytest.mark.parametrize(
    ("query", "count", "last", "has_more"),
    [("?q=plate", 2, "Plate 2", True), ("?q=cup", 1, "Cup 0", False), ("?q=+", 4, "Cup 0", False)],
)
def test_a_search_with_too_many_hits_is_paginated_up_to_the_limit(
    count_of_two, query, count, last, has_more
):
    changelist = count_of_two.get(f"/admin/shop/product/{query}&p={count}").context["cl"]
    assert changelist.result_count == count
    assert [product.name for product in changelist.result_list] == [last]
    assert changelist.paginator.has_more is has_more


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


def test_an_action_on_all_pages_needs_a_full_count(count_of_two):
    archive_all(count_of_two, "?q=plate")
    assert Product.objects.filter(is_active=False).count() == 0
    archive_all(count_of_two, "?q=cup")
    assert [row.name for row in Product.objects.filter(is_active=False)] == ["Cup 0"]
    archive_all(count_of_two, "")
    assert Product.objects.filter(is_active=False).count() == 4


FOLDED = {"shop_product": ["search_text"], "shop_user": ["search_text"]}


@postgres
@pytest.mark.parametrize(
    "model", [Order, *(m for m in SEARCHED if m._meta.db_table in indexes.SEARCHED)]
)
def test_a_word_is_looked_up_in_an_index(db, model):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for column in (indexes.SEARCHED | FOLDED)[model._meta.db_table]:
        plan = model.objects.order_by().filter((f"{column}__icontains", "word")).explain()
        assert f"on {model._meta.db_table}_search" in plan


@postgres
@pytest.mark.parametrize("migration", [indexes, folded_indexes, phone_indexes, barcode_indexes])
def test_the_migration_passes_without_the_trigram_extension(db, monkeypatch, caplog, migration):
    monkeypatch.setattr(migration, "EXTENSION", "CREATE EXTENSION there_is_none")
    monkeypatch.setattr(migration, "INDEXES", ["this is no SQL"])
    with caplog.at_level(logging.WARNING), connection.schema_editor(atomic=False) as editor:
        migration.add_indexes(None, editor)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert User.objects.count() == 0
