"""What answers about products are kept: counts, bodies, and pages that a client has."""

from types import SimpleNamespace

import pytest
from django.core.cache.backends import locmem
from support import factories
from support.api_bodies import names, product_body

from shop.api import model_resource
from shop.models import Product


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


@pytest.mark.usefixtures("mug", "lamp", "one_hit_is_counted")
def test_the_count_of_many_matches_is_cached_for_thirty_seconds(carls_app, monkeypatch):
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
