"""The API's lists take as many statements with new fields and relations as without."""

import pytest
from support import factories

from shop.models import Product


@pytest.fixture
def products_with_relations(create_brand, tags):
    """Three products, each with a brand of its own and two tags."""

    def create(number):
        for index in range(number):
            product = factories.create_product(f"P{index}", brand=create_brand(f"B{index}"))
            product.tags.set(tags)

    return create


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?season=&ordering=weight", 2),
        ("?search=P&ordering=brand_id", 2),
        ("?has_brand=true&expand=brand", 2),
        ("?expand=brand", 2),
        ("?expand=tags", 3),
        ("?expand=brand,tags", 3),
    ],
)
def test_a_list_of_products_takes_the_same_statements(
    statements, carls_app, products_with_relations, number, query, count
):
    products_with_relations(number)
    with statements(count):
        items = carls_app.get(f"/products/{query}").json()["items"]
    assert [len(item["tag_ids"]) for item in items] == [2] * number


@pytest.mark.parametrize("number", [1, 3])
def test_the_cart_has_the_new_fields_by_the_same_statements(
    statements, carls_app, carl, products_with_relations, number
):
    products_with_relations(number)
    factories.add_to_cart(carl, *((product, 1) for product in Product.objects.all()))
    with statements(2):
        lines = carls_app.get("/cart/").json()["items"]
    alone = [carls_app.get(f"/products/{line['product']['id']}/").json() for line in lines]
    assert [line["product"] for line in lines] == alone
    assert [len(line["product"]["tag_ids"]) for line in lines] == [2] * number


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    ("query", "count"), [("", 2), ("?search=b&is_local=false", 2), ("?expand=country", 2)]
)
def test_a_list_of_a_further_model_takes_the_same_statements(
    statements, carls_app, create_brand, create_country, number, query, count
):
    country = create_country()
    for index in range(number):
        create_brand(f"B{index}", country=country)
    with statements(count):
        page = carls_app.get(f"/brands/{query}").json()
    assert (len(page["items"]), page["count"]) == (number, number)
