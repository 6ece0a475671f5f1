"""`next` leads to every row, however old the count is."""

import pytest
from support import factories

from shop.api.paging import Paging, split_page
from shop.db import compiled_queries
from shop.models import Product
from shop.services.orders import place_order


def walk(app, path):
    """Follow `next` from a first page; return its pages."""
    pages = [app.get(path).json()]
    while pages[-1]["next"]:
        pages.append(app.get(pages[-1]["next"].removeprefix("http://testserver/api")).json())
    return pages


def names_of(pages):
    return [item["name"] for page in pages for item in page["items"]]


@pytest.mark.parametrize("ordering", ["name", "-created_at"])
def test_products_added_after_the_count_are_on_a_page(carls_app, mug, lamp, ordering):
    assert carls_app.get("/products/?page_size=1").json()["count"] == 2
    Product.objects.bulk_create(Product(name=f"P{n:02}", price=1) for n in range(25))
    pages = walk(carls_app, f"/products/?ordering={ordering}&page_size=10")
    assert sorted(names_of(pages)) == sorted(["Lamp", "Mug", *(f"P{n:02}" for n in range(25))])
    assert [page["count"] for page in pages] == [11, 21, 27]
    assert [page["next"] is None for page in pages] == [False, False, True]


def test_a_count_that_is_too_high_leads_to_no_empty_page(carls_app, mug, lamp):
    assert carls_app.get("/products/").json()["count"] == 2
    Product.objects.filter(pk=lamp.pk).update(is_active=False)
    page = carls_app.get("/products/?page_size=1").json()
    assert (names_of([page]), page["next"]) == (["Mug"], None)


def test_the_links_keep_repeated_parameters(carls_app, mug, lamp):
    pages = walk(carls_app, f"/products/?sku={mug.sku}&sku={lamp.sku}&page_size=1")
    assert sorted(names_of(pages)) == ["Lamp", "Mug"]


@pytest.mark.parametrize("query", ["search=p&", "in_stock=false&", "min_price=1&", ""])
@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("rows", [3, 4, 5])
def test_every_row_is_on_one_page(carls_app, monkeypatch, query, many, rows):
    if many:
        monkeypatch.setattr(compiled_queries, "MAX_COUNTED_HITS", 1)
    Product.objects.bulk_create(Product(name=f"P{n}", price=1) for n in range(rows))
    pages = walk(carls_app, f"/products/?{query}page_size=2&ordering=name")
    assert names_of(pages) == [f"P{n}" for n in range(rows)]
    assert {page["count"] for page in pages} == {rows}
    assert len(pages) == -(-rows // 2)


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
@pytest.mark.parametrize("query", ["", "status=pending&"])
@pytest.mark.parametrize("fixture", ["carls_app", "adas_app"])
def test_every_order_is_on_one_page(request, carl, mug, fixture, query, rows):
    for _ in range(rows):
        factories.add_to_cart(carl, (mug, 1))
        place_order(user=carl, shipping_address="1 Fern Road")
    pages = walk(request.getfixturevalue(fixture), f"/orders/?{query}page_size=2")
    listed = [item["id"] for page in pages for item in page["items"]]
    assert (len(listed), len(set(listed)), len(pages)) == (rows, rows, -(-rows // 2))
    assert {page["count"] for page in pages} == {rows}


def test_a_page_beyond_the_last_does_not_raise_the_count(carls_app, mug):
    for query in ("", "search=mug&", "in_stock=true&"):
        page = carls_app.get(f"/products/?{query}page=9&page_size=100").json()
        assert (page["items"], page["count"], page["next"]) == ([], 1, None)


@pytest.mark.parametrize(
    ("size", "number", "count"), [(3, 1, 2), (2, 1, 2), (1, 2, 2), (1, 1, 2), (1, 3, 4)]
)
def test_a_page_of_few_matches_has_their_number(
    mug, lamp, carls_app, statements, size, number, count
):
    with statements(count):  # the session and the page; beyond the last one page and count again
        page = carls_app.get(f"/products/?in_stock=true&page_size={size}&page={number}").json()
    assert (page["count"], page["next"] is None) == (2, size * number >= 2)


def test_a_count_older_than_the_rows_is_raised(rf):
    request = rf.get("/api/suppliers/?page=2")
    shown, links = split_page(request, Paging(page=2, page_size=2), [1, 2, 3], 0)
    assert (shown, links["count"]) == ([1, 2], 5)
    assert [links[name][-6:] for name in ("previous", "next")] == ["page=1", "page=3"]
