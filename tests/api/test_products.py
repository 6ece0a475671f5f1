import pytest
from django.utils import timezone
from support import factories
from support.api_bodies import names, product_body

from shop.api.products import PRODUCTS
from shop.models import Product


def test_the_list_shows_active_products_newest_first(carls_app, catalogue):
    response = carls_app.get("/products/")
    assert response.status_code == 200
    assert response.json() == {
        "items": [product_body(catalogue[name]) for name in ("Mug", "Lamp", "Vase")],
        "count": 3,
        "next": None,
        "previous": None,
    }


def test_admins_also_see_inactive_products(adas_app, catalogue):
    response = adas_app.get("/products/")
    assert names(response) == ["Mug", "Lamp", "Vase", "Old"]
    assert response.json()["items"][3] == product_body(catalogue["Old"])
    assert response.json()["count"] == 4


def test_an_empty_catalogue_is_an_empty_page(carls_app):
    assert carls_app.get("/products/").json() == {
        "items": [],
        "count": 0,
        "next": None,
        "previous": None,
    }


FILTERED = {
    "search=mug": ["Mug"],
    "search=MUG-": ["Mug"],
    "search=%20blue%20": ["Vase"],
    "search=vase+blue": ["Vase"],
    "search=vase+green": [],
    "search=100%25": ["Vase"],
    "search=%25": ["Vase"],
    "search=glass_w": ["Vase"],
    "search=mug_1": [],
    "search=%27%3B+DROP+TABLE": [],
    "search=": ["Mug", "Lamp", "Vase"],
    "min_price=12.50": ["Mug", "Lamp", "Vase"],
    "min_price=12.51": ["Lamp"],
    "max_price=12.50": ["Mug", "Vase"],
    "max_price=12.49": [],
    "min_price=12.50&max_price=20": ["Mug", "Vase"],
    "min_price=20&max_price=10": [],
    "min_price=0": ["Mug", "Lamp", "Vase"],
    "in_stock=true": ["Mug", "Lamp"],
    "in_stock=false": ["Vase"],
    "in_stock=true&search=lamp&max_price=60": ["Lamp"],
    "is_active=true": ["Mug", "Lamp", "Vase"],
    "is_active=false": [],
    "search=old": [],
    "sku=mug-1": ["Mug"],
    "sku=MUG-1&sku=Vase-1&sku=unknown": ["Mug", "Vase"],
    "sku=mug": [],
    "name=Mug&name=Lamp": ["Mug", "Lamp"],
    "name=mug": [],
    "id=9223372036854775807": [],
    "min_stock=1&max_stock=5": ["Lamp"],
    "max_stock=9223372036854775807": ["Mug", "Lamp", "Vase"],
    "min_stock=9223372036854775807": [],
    "min_price=9999999999999.99": [],
    "has_image=false": ["Mug", "Lamp", "Vase"],
    "has_image=true": [],
    "created_from=1900-01-01&created_to=2999-12-31": ["Mug", "Lamp", "Vase"],
    "updated_to=1999-12-31": [],
}


@pytest.mark.usefixtures("catalogue")
def test_the_list_is_filtered(carls_app):
    for query, expected in FILTERED.items():
        response = carls_app.get(f"/products/?{query}")
        assert (names(response), response.json()["count"]) == (expected, len(expected)), query


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("is_active=false", ["Old"]),
        ("is_active=true", ["Mug", "Lamp", "Vase"]),
        ("search=old", ["Old"]),
    ],
)
@pytest.mark.usefixtures("catalogue")
def test_admins_may_filter_on_active(adas_app, query, expected):
    assert names(adas_app.get(f"/products/?{query}")) == expected


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("name", ["Lamp", "Mug", "Vase"]),
        ("-name", ["Vase", "Mug", "Lamp"]),
        ("price", ["Mug", "Vase", "Lamp"]),
        ("-price", ["Lamp", "Vase", "Mug"]),
        ("created_at", ["Vase", "Lamp", "Mug"]),
        ("-created_at", ["Mug", "Lamp", "Vase"]),
        ("updated_at", ["Lamp", "Vase", "Mug"]),
        ("-updated_at", ["Mug", "Vase", "Lamp"]),
        ("id", ["Mug", "Lamp", "Vase"]),
        ("-id", ["Vase", "Lamp", "Mug"]),
    ],
)
def test_the_list_is_ordered_by(carls_app, catalogue, ordering, expected):
    for name in ("Lamp", "Vase", "Mug"):
        Product.objects.filter(name=name).update(updated_at=timezone.now())
    assert names(carls_app.get(f"/products/?ordering={ordering}")) == expected
    assert names(carls_app.get(f"/products/?ordering={ordering}&search=-1")) == expected
    pages = [
        carls_app.get(f"/products/?ordering={ordering}&page_size=1&page={n}") for n in (1, 2, 3)
    ]
    assert [name for page in pages for name in names(page)] == expected


def test_what_changed_since_a_moment_is_found(carls_app, catalogue):
    catalogue["Vase"].save()  # sets `updated_at`
    moment = catalogue["Vase"].updated_at.isoformat().replace("+00:00", "Z")
    query = f"/products/?updated_from={moment}&ordering=updated_at"
    assert names(carls_app.get(query)) == ["Vase"]
    catalogue["Mug"].save()
    assert names(carls_app.get(query)) == ["Vase", "Mug"]


def test_hidden_records_are_not_among_related_ones(catalogue):
    rows = [PRODUCTS.read_record(catalogue[name].pk) for name in ("Mug", "Old")]
    found = [set(PRODUCTS.by_key("/", rows, sees_all=sees_all)) for sees_all in (False, True)]
    assert found == [{catalogue["Mug"].pk}, {catalogue["Mug"].pk, catalogue["Old"].pk}]


INVALID_QUERIES = [
    "ordering=stock",
    "ordering=sku",
    "ordering=low_stock_threshold",
    "id=0",
    "id=x",
    "id=9223372036854775808",
    "min_stock=-1",
    "max_stock=9223372036854775808",
    "min_price=10000000000000000",
    "updated_from=2026-03-11T12:00:00",
    "updated_to=3000-01-01",
    "has_image=perhaps",
    f"sku={'x' * 65}",
    "sku=%00",
    "ordering=",
    "ordering=name,price",
    "page=0",
    "page=-1",
    "page=x",
    "page=1000001",
    "page_size=0",
    "page_size=101",
    "min_price=-1",
    "min_price=x",
    "max_price=NaN",
    "max_price=1.005",
    "in_stock=maybe",
    "is_active=2",
    f"search={'x' * 101}",
    "search=%00",
    "min_low_stock_threshold=1",
    "is_low=true",
    "description=x",
    "expand=brand",
]


def test_invalid_query_parameters_are_refused(carls_app):
    for query in INVALID_QUERIES:
        response = carls_app.get(f"/products/?{query}")
        assert factories.problem_code(response) == (422, "invalid")
        assert [error["field"] for error in response.json()["errors"]] == [query.split("=")[0]]


@pytest.mark.usefixtures("catalogue")
def test_pages_link_to_each_other_and_keep_the_filters(carls_app):
    start = "/products/?search=a&page_size=1"
    first = carls_app.get(start).json()
    last = carls_app.get(f"{start}&page=2").json()
    url = f"http://testserver/api{start}&page="
    assert (first["count"], first["previous"], first["next"]) == (2, None, f"{url}2")
    assert (last["count"], last["previous"], last["next"]) == (2, f"{url}1", None)
    assert [page["items"][0]["name"] for page in (first, last)] == ["Lamp", "Vase"]


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(("query", "count"), [("", 3), ("search=a&", 2), ("search=nothing&", 0)])
def test_a_page_after_the_last_is_empty_with_a_previous_link(carls_app, query, count):
    assert carls_app.get(f"/products/?{query}page=9").json() == {
        "items": [],
        "count": count,
        "next": None,
        "previous": f"http://testserver/api/products/?{query}page=8",
    }


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("creme", ["Crème brûlée"]),
        ("BRÛLEE%20cre\u0300me", ["Crème brûlée"]),
        ("strasse", ["Große Straße"]),
        ("smorrebrod", ["Lamp"]),
        ("smørrebrød", ["Lamp"]),
        ("crème%20straße", []),
    ],
)
def test_a_search_disregards_accents_and_case(carls_app, lamp, search, expected):
    factories.create_product("Crème brûlée")
    factories.create_product("Große Straße")
    Product.objects.filter(pk=lamp.pk).update(description="For your Smørrebrød.")
    response = carls_app.get(f"/products/?search={search}")
    assert names(response) == expected
    assert response.json()["count"] == len(expected)


@pytest.mark.parametrize("query", ["", "search=e&"])
def test_names_are_sorted_as_people_do(carls_app, query):
    in_order = ["2 apples", "apple", "Apple", "Éclair", "eel", "Zebra", "Élan vital", "elan vital"]
    for name in in_order:
        factories.create_product(name, stock=0)
    expected = ["2 apples", "apple", "Apple", "Éclair", "eel", "elan vital", "Élan vital", "Zebra"]
    assert names(carls_app.get(f"/products/?{query}ordering=name")) == expected
    pages = [
        names(carls_app.get(f"/products/?{query}ordering=-name&page_size=3&page={page}"))
        for page in (1, 2, 3)
    ]
    assert [name for page in pages for name in page] == expected[::-1]


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "ordering", ["name", "-name", "price", "-price", "created_at", "-created_at"]
)
def test_a_search_returns_the_same_with_few_or_many_results(request, adas_app, ordering):
    pages = [
        f"/products/?search=-1&ordering={ordering}&page_size=1&page={page}" for page in range(1, 5)
    ]
    few = [adas_app.get(page).json() for page in pages]
    request.getfixturevalue("one_hit_is_counted")
    assert [adas_app.get(page).json() for page in pages] == few
    assert [page["count"] for page in few] == [4] * 4


def test_customers_do_not_see_an_inactive_product(carls_app, adas_app, catalogue):
    path = f"/products/{catalogue['Old'].pk}/"
    assert factories.problem_code(carls_app.get(path)) == (404, "not-found")
    assert adas_app.get(path).json() == product_body(catalogue["Old"])
