from types import SimpleNamespace

import pytest
from django.core.cache.backends import locmem
from support import factories
from support.api_bodies import names, product_body

from shop.api import model_resource
from shop.db import compiled_queries
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
    ],
)
@pytest.mark.usefixtures("catalogue")
def test_the_list_is_ordered_by(carls_app, ordering, expected):
    assert names(carls_app.get(f"/products/?ordering={ordering}")) == expected
    pages = [
        carls_app.get(f"/products/?ordering={ordering}&page_size=1&page={n}") for n in (1, 2, 3)
    ]
    assert [name for page in pages for name in names(page)] == expected


INVALID_QUERIES = [
    "ordering=stock",
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
def test_a_search_returns_the_same_with_few_or_many_results(adas_app, monkeypatch, ordering):
    pages = [
        f"/products/?search=-1&ordering={ordering}&page_size=1&page={page}" for page in range(1, 5)
    ]
    few = [adas_app.get(page).json() for page in pages]
    monkeypatch.setattr(compiled_queries, "MAX_COUNTED_HITS", 1)
    assert [adas_app.get(page).json() for page in pages] == few
    assert [page["count"] for page in few] == [4] * 4


@pytest.mark.usefixtures("mug", "lamp")
def test_the_count_of_the_unfiltered_list_is_cached_for_thirty_seconds(
    carls_app, adas_app, monkeypatch
):
    first = "/products/?page_size=1"
    assert [app.get(first).json()["count"] for app in (carls_app, adas_app)] == [2, 2]
    factories.create_product("Vase")
    assert carls_app.get(first).json()["count"] == 2
    for query in ("?page_size=2", "?page=1&page_size=5&ordering=name", "?in_stock=true"):
        assert carls_app.get(f"/products/{query}").json()["count"] == 3, query
    later = locmem.time.time() + 30
    monkeypatch.setattr(locmem, "time", SimpleNamespace(time=lambda: later))
    assert carls_app.get(first).json()["count"] == 3


@pytest.mark.usefixtures("mug", "lamp")
def test_the_count_of_many_matches_is_cached_for_thirty_seconds(carls_app, monkeypatch):
    for module in (compiled_queries, model_resource):
        monkeypatch.setattr(module, "MAX_COUNTED_HITS", 1)
    first = "/products/?in_stock=true&page_size=1"
    assert carls_app.get(first).json()["count"] == 2
    factories.create_product("Vase")
    assert carls_app.get(first).json()["count"] == 2
    shown = carls_app.get(f"{first}&page=2").json()
    assert (shown["count"], bool(shown["next"])) == (3, True)
    later = locmem.time.time() + 30
    monkeypatch.setattr(locmem, "time", SimpleNamespace(time=lambda: later))
    assert carls_app.get(first).json()["count"] == 3


@pytest.mark.usefixtures("catalogue")
def test_customers_and_admins_have_separate_counts(carls_app, adas_app):
    assert [app.get("/products/").json()["count"] for app in (adas_app, carls_app, adas_app)] == [
        4,
        3,
        4,
    ]


def test_a_product_has_an_etag(carls_app, mug):
    response = carls_app.get(f"/products/{mug.pk}/")
    assert (response.status_code, response.json()) == (200, product_body(mug))
    assert response["ETag"].strip('"').isalnum()


@pytest.mark.parametrize("header", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_an_unchanged_product_is_not_sent_again(carls_app, mug, header):
    tag = carls_app.get(f"/products/{mug.pk}/")["ETag"]
    response = carls_app.get(f"/products/{mug.pk}/", **{"If-None-Match": header.format(tag=tag)})
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)


@pytest.fixture
def serialising_fails(monkeypatch):
    """From now on, serialising a body fails the test."""
    monkeypatch.setattr(
        model_resource, "serialize", lambda *_args: pytest.fail("A body was serialised.")
    )


@pytest.mark.parametrize("header", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
@pytest.mark.parametrize(
    "path", ["/products/", "/products/?page=2&page_size=1", "/products/?search=m"]
)
@pytest.mark.usefixtures("catalogue")
def test_an_unchanged_page_is_not_sent_again(carls_app, request, header, path):
    tag = carls_app.get(path)["ETag"]
    request.getfixturevalue("serialising_fails")
    response = carls_app.get(path, **{"If-None-Match": header.format(tag=tag)})
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)


def test_bodies_are_serialised_once_for_all_users(carls_app, adas_app, mug, request):
    for path in ("/products/", f"/products/{mug.pk}/"):
        carls_app.get(path)
    request.getfixturevalue("serialising_fails")
    for path in ("/products/", f"/products/{mug.pk}/"):
        assert adas_app.get(path).status_code == 200


@pytest.mark.parametrize(
    "values", [{"price": "13.00"}, {"stock": 9}, {"image": "products/new.webp"}]
)
def test_a_changed_page_is_sent_again(carls_app, mug, values):
    tag = carls_app.get("/products/")["ETag"]
    Product.objects.filter(pk=mug.pk).update(**values)
    response = carls_app.get("/products/", **{"If-None-Match": tag})
    assert (response.status_code, names(response)) == (200, ["Mug"])
    assert response["ETag"] != tag


@pytest.mark.usefixtures("catalogue")
def test_every_page_and_host_has_its_own_etag(carls_app, adas_app, mug):
    Product.objects.filter(pk=mug.pk).update(image="products/mug.webp")
    paths = [
        "/products/",
        "/products/?page_size=1",
        "/products/?page_size=1&page=2",
        "/products/?search=m",
    ]
    tags = [carls_app.get(path)["ETag"] for path in paths]
    tags += [
        adas_app.get("/products/")["ETag"],
        carls_app.get("/products/", Host="127.0.0.1")["ETag"],
    ]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("values", [{"price": "13.00"}, {"stock": 9}, {"is_active": False}])
def test_a_changed_product_is_sent_again(adas_app, mug, values):
    tag = adas_app.get(f"/products/{mug.pk}/")["ETag"]
    Product.objects.filter(pk=mug.pk).update(**values)
    response = adas_app.get(f"/products/{mug.pk}/", **{"If-None-Match": tag})
    assert (response.status_code, response.json()) == (200, product_body(mug))
    assert response["ETag"] != tag


def test_customers_do_not_see_an_inactive_product(carls_app, adas_app, catalogue):
    path = f"/products/{catalogue['Old'].pk}/"
    assert factories.problem_code(carls_app.get(path)) == (404, "not-found")
    assert adas_app.get(path).json() == product_body(catalogue["Old"])
