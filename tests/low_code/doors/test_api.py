"""The API of new fields, relations and further models: bodies, sorting, expansion, conditions."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from support import factories
from support.api_bodies import error_fields
from support.image_files import make_image

from shop.api.app import api
from shop.models import Order, Product
from shop.services.orders import place_order

VALUES = {
    "season": "ss",
    "colour": "green",
    "weight": 300,
    "is_fragile": True,
    "released_on": "2026-03-01",
    "drawn_at": "2026-01-02T03:04:05Z",
    "tare": "1.250",
    "site": "https://example.com/",
    "facts": {"dishwasher": True},
    "supplier_code": "4006381333931",
}


@pytest.fixture
def body(brand, tags):
    return {
        "name": "Jug",
        "price": "9.50",
        "stock": 3,
        **VALUES,
        "brand_id": brand.pk,
        "tag_ids": [tag.pk for tag in reversed(tags)],
    }


@pytest.fixture
def jug(adas_app, body):
    response = adas_app.post("/products/", body)
    assert response.status_code == 201, response.content
    return response.json()


def upload(app, path, field, data=None):
    content = {field: SimpleUploadedFile("p.jpg", data or make_image())}
    body = encode_multipart(BOUNDARY, content)
    headers = {"Authorization": f"Bearer {app.token}"}
    return app.client.put(f"/api{path}", body, content_type=MULTIPART_CONTENT, headers=headers)


def test_a_product_is_created_and_changed_with_the_new_fields(adas_app, carls_app, jug, body, tags):
    assert {name: jug[name] for name in body} == body | {"tag_ids": [tag.pk for tag in tags]}
    assert (jug["manual"], jug["back"], jug["views"], "cost" in jug) == (None, None, 0, False)
    path = f"/products/{jug['id']}/"
    assert carls_app.get(path).json() == jug
    changed = adas_app.patch(path, {"brand_id": None, "tag_ids": [tags[1].pk], "weight": None})
    expected = {"brand_id": None, "tag_ids": [tags[1].pk], "weight": None}
    assert changed.json() == jug | expected | {"updated_at": changed.json()["updated_at"]}
    assert changed["ETag"] == carls_app.get(path)["ETag"]
    replaced = adas_app.put(path, {"name": "Jug", "price": "9.50", "tag_ids": []})
    assert replaced.json()["tag_ids"] == list(Product.objects.get(pk=jug["id"]).tags.all()) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"brand_id": 10**6}, [("brand_id", "invalid")]),
        ({"brand_id": 2**63}, [("brand_id", "less_than_equal")]),
        ({"brand_id": "1"}, [("brand_id", "int_type")]),
        ({"brand": 1}, [("brand", "extra_forbidden")]),
        ({"tag_ids": [10**6]}, [("tag_ids", "unknown")]),
        ({"tag_ids": [2**63]}, [("tag_ids", "less_than_equal")]),
        ({"tags": []}, [("tags", "extra_forbidden")]),
        ({"price": "13.00"}, [("price", "unlucky")]),
        ({"season": "xx"}, [("season", "literal_error")]),
        ({"weight": 5001}, [("weight", "less_than_equal")]),
        ({"facts": None}, [("facts", "null")]),
        ({"facts": {"a": "\0"}}, [("facts", "value_error")]),
        ({"cost": "1.00"}, [("cost", "extra_forbidden")]),
        ({"views": 1}, [("views", "extra_forbidden")]),
        ({"back": "x.webp"}, [("back", "extra_forbidden")]),
    ],
    ids=str,
)
def test_an_error_names_the_field_that_was_sent(adas_app, jug, unchanged, values, expected):
    with unchanged():
        for response in (
            adas_app.patch(f"/products/{jug['id']}/", values),
            adas_app.post("/products/", {"name": "Pot", "price": "1.00"} | values),
        ):
            assert error_fields(response) == expected


def test_a_unique_value_is_refused_also_if_it_was_taken_meanwhile(
    adas_app, jug, brand, unchanged, monkeypatch
):
    other = {"name": "Pot", "price": "1.00", "supplier_code": jug["supplier_code"]}
    with unchanged():
        assert error_fields(adas_app.post("/products/", other)) == [("supplier_code", "unique")]
    for path, sent, field in (
        ("/products/", other, "supplier_code"),
        ("/brands/", {"name": brand.name}, "name"),
    ):
        with monkeypatch.context() as patch, unchanged():
            for model in (Product, type(brand)):
                patch.setattr(model, "full_clean", lambda self, *_, **__: None)
            assert error_fields(adas_app.post(path, sent)) == [(field, "unique")]


@pytest.fixture
def shelf(adas_app, create_brand, tags, jug):
    """The jug, and a bare pot and vase."""
    for name, price in (("Pot", "20.00"), ("Vase", "30.00")):
        factories.create_product(name, price=price, stock=0)
    return jug


FILTERED = {
    "season=ss": ["Jug"],
    "season=": ["Pot", "Vase"],
    "season=ss&season=": ["Jug", "Pot", "Vase"],
    "season=aw": [],
    "colour=green": ["Jug"],
    "colour=red&colour=green": ["Jug"],
    "colour=gree": [],
    "supplier_code=4006381333931": ["Jug"],
    "min_weight=300": ["Jug"],
    "max_weight=299": [],
    "max_weight=9223372036854775807": ["Jug"],
    "min_weight=9223372036854775807": [],
    "min_weight=40000&season=ss": [],
    "has_weight=false": ["Pot", "Vase"],
    "is_fragile=true": ["Jug"],
    "is_fragile=false": ["Pot", "Vase"],
    "released_on_from=2026-03-01&released_on_to=2026-03-01": ["Jug"],
    "released_on_from=2026-03-02": [],
    "has_released_on=true": ["Jug"],
    "drawn_from=2026-01-02&drawn_to=2026-01-02": ["Jug"],
    "drawn_from=2026-01-02T03:04:06Z": [],
    "min_tare=1.25": ["Jug"],
    "max_tare=999999999999.999": ["Jug", "Pot", "Vase"],
    "max_tare=1.249": ["Pot", "Vase"],
    "site=https://example.com/": ["Jug"],
    "min_views=-9223372036854775808": ["Jug", "Pot", "Vase"],
    "min_views=1": [],
    "has_back=false": ["Jug", "Pot", "Vase"],
    "has_manual=true": [],
    "brand_id={brand}": ["Jug"],
    "brand_id={brand}&brand_id=9223372036854775807": ["Jug"],
    "has_brand=false": ["Pot", "Vase"],
    "tag_id={tag}": ["Jug"],
    "tag_id={tag}&tag_id={other_tag}": ["Jug"],
    "tag_id=1000000": [],
    "has_discontinued_at=false&search=jug&tag_id={tag}": ["Jug"],
    "sku={sku}": ["Jug"],
    "min_stock=1": ["Jug"],
}


def test_the_list_is_filtered_by_each_kind_of_field(carls_app, shelf):
    ids = {"brand": shelf["brand_id"], "sku": shelf["sku"].lower()}
    ids |= dict(zip(("tag", "other_tag"), shelf["tag_ids"], strict=True))
    for query, expected in FILTERED.items():
        response = carls_app.get(f"/products/?{query.format(**ids)}&ordering=name")
        page = response.json()
        names = [item["name"] for item in page["items"]]
        assert (names, page["count"]) == (expected, len(expected)), query


@pytest.mark.parametrize(
    "query",
    [
        "season=xx",
        "is_fragile=perhaps",
        "min_weight=-1",
        "min_weight=1.5",
        "max_weight=9223372036854775808",
        "min_tare=1.2345",
        "max_tare=NaN",
        "released_on_from=2026-03-01T00:00:00Z",
        "released_on_to=tomorrow",
        "drawn_from=2026-01-02T03:04:05",
        "brand_id=0",
        "brand_id=9223372036854775808",
        "tag_id=x",
        "colour=longer than twelve",
        "expand=cost",
        "ordering=colour",
        "ordering=tags",
        "min_cost=1",
        "facts=1",
        "tags=1",
        "is_fragile=true&is_fragile=false",
    ],
)
def test_what_is_no_filter_is_refused(carls_app, shelf, query):
    [(field, _code)] = error_fields(carls_app.get(f"/products/?{query}"))
    assert field == query.split("=", maxsplit=1)[0]


@pytest.mark.parametrize(
    "column", ["season", "weight", "supplier_code", "brand_id", "updated_at", "id"]
)
def test_the_list_is_sorted_by_indexed_fields(carls_app, shelf, column):
    for number, product in enumerate(Product.objects.order_by("name")):
        values = {"season": "abc"[number], "weight": number, "supplier_code": str(number)}
        Product.objects.filter(pk=product.pk).update(**values)
    order = sorted(
        Product.objects.all(),
        key=lambda p: (getattr(p, column) is not None, getattr(p, column), p.pk),
    )
    if column == "brand_id":
        order = [p for p in order if p.brand_id]
    query = "&has_brand=true" if column == "brand_id" else ""
    for search in ("", "&search=-"):
        listed = carls_app.get(f"/products/?ordering={column}{query}{search}").json()["items"]
        assert [item["id"] for item in listed] == [product.pk for product in order]
        listed = carls_app.get(f"/products/?ordering=-{column}{query}{search}").json()["items"]
        assert [item["id"] for item in listed] == [product.pk for product in reversed(order)]


def test_related_records_are_expanded(carls_app, shelf):
    brand = carls_app.get(f"/brands/{shelf['brand_id']}/").json()
    tags = [carls_app.get(f"/tags/{pk}/").json() for pk in shelf["tag_ids"]]
    path = f"/products/{shelf['id']}/"
    assert carls_app.get(f"{path}?expand=brand").json() == shelf | {"brand": brand}
    both = shelf | {"brand": brand, "tags": tags}
    for query in ("expand=brand&expand=tags", "expand=tags,brand", "expand=brand,tags,brand"):
        assert carls_app.get(f"{path}?{query}").json() == both
        for search in ("", "&search=-", "&page=2&page_size=2", "&season=ss&season="):
            listed = carls_app.get(f"/products/?{query}{search}&ordering=-name").json()["items"]
            by_name = {item["name"]: item for item in listed}
            assert by_name["Jug"] == both
            for item in (item for name, item in by_name.items() if name != "Jug"):
                assert (item["brand"], item["tags"]) == (None, [])


def test_an_etag_with_related_records_follows_them_and_still_guards_the_record(
    carls_app, adas_app, shelf, brand
):
    path = f"/products/{shelf['id']}/"
    tag = carls_app.get(f"{path}?expand=brand")["ETag"]
    again = carls_app.get(f"{path}?expand=brand", **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    page = carls_app.get("/products/?expand=brand")["ETag"]
    assert adas_app.patch(f"/brands/{brand.pk}/", {"name": "Kiln"}).status_code == 200
    for url, old in ((f"{path}?expand=brand", tag), ("/products/?expand=brand", page)):
        assert carls_app.get(url, **{"If-None-Match": old}).status_code == 200
    assert adas_app.patch(path, {"colour": "red"}, **{"If-Match": tag}).status_code == 200
    refused = adas_app.patch(path, {"colour": "blue"}, **{"If-Match": tag})
    assert factories.problem_code(refused) == (412, "precondition-failed")
    assert Product.objects.get(pk=shelf["id"]).colour == "red"


@pytest.mark.parametrize("place", ["brands/{brand}/logo", "products/{product}/back"])
def test_pictures_are_set_and_removed(adas_app, carls_app, brand, mug, unchanged, place):
    owner, name = f"/{place.format(brand=brand.pk, product=mug.pk)}/".rsplit("/", 2)[:2]
    owner, path = f"{owner}/", f"{owner}/{name}/"
    with unchanged():
        assert factories.problem_code(upload(carls_app, path, name)) == (403, "forbidden")
        wrong = upload(adas_app, path, name, b"<svg/>")
        assert error_fields(wrong) == [(name, "invalid_image")]
        assert error_fields(upload(adas_app, path, "picture"))[0][0] == name
    response = upload(adas_app, path, name)
    assert (response.status_code, response.json()) == (200, carls_app.get(owner).json())
    assert response.json()[name].startswith("http://testserver/media/")
    assert len(factories.stored_pictures()) == 1
    removed = adas_app.delete(path)
    assert (removed.status_code, removed.json()[name]) == (200, None)


def test_files_have_no_upload(adas_app, mug):
    assert upload(adas_app, f"/products/{mug.pk}/manual/", "manual").status_code == 404


def test_orders_are_filtered_by_their_new_fields(carls_app, carl, mug):
    for number in range(2):
        factories.add_to_cart(carl, (mug, 1))
        order = place_order(user=carl, shipping_address=f"{number} Fern Road").order
        values = {"channel": ["app", "web"][number], "promised_on": f"2026-03-0{number + 1}"}
        Order.objects.filter(pk=order.pk).update(**values)

    def listed(query):
        items = carls_app.get(f"/orders/?{query}&ordering=id").json()["items"]
        return [item["shipping_address"][0] for item in items]

    assert listed("channel=web") == listed("promised_on_from=2026-03-02") == ["1"]
    assert listed("channel=web&channel=app") == ["0", "1"]
    assert listed("has_promised_on=false") == []
    assert error_fields(carls_app.get("/orders/?picked_by=x"))[0][0] == "picked_by"


def test_the_document_describes_filters_and_related_records():
    document = api.get_openapi_schema()
    schemas = document["components"]["schemas"]
    parameters = {
        parameter["name"]: parameter["schema"]
        for parameter in document["paths"]["/api/products/"]["get"]["parameters"]
    }
    season = parameters["season"]
    assert (season["type"], season["items"]["enum"]) == ("array", ["ss", "aw", ""])
    assert parameters["brand_id"]["items"]["type"] == "integer"
    assert parameters["min_weight"]["anyOf"][0] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 2**63 - 1,
    }
    assert parameters["released_on_from"]["anyOf"][0] == {"type": "string", "format": "date"}
    assert parameters["expand"]["items"]["enum"] == ["brand", "tags"]
    assert {"weight", "-weight", "brand_id"} <= set(parameters["ordering"]["enum"])
    assert "As on the label." in parameters["colour"]["description"]

    product = schemas["ProductOut"]
    assert {"$ref": "#/components/schemas/BrandOut"} in product["properties"]["brand"]["anyOf"]
    assert product["properties"]["tags"]["items"] == {"$ref": "#/components/schemas/TagOut"}
    assert {"brand_id", "tag_ids"} <= set(product["required"])
    assert {"brand", "tags"}.isdisjoint(product["required"])
    assert not any(name.endswith(("Filters", "Expand")) for name in schemas)
    assert "margin" not in schemas["BrandOut"]["properties"]


def test_deleting_a_record_in_use_is_refused(adas_app, shelf, unchanged):
    with unchanged():
        response = adas_app.delete(f"/brands/{shelf['brand_id']}/")
    assert factories.problem_code(response) == (409, "in-use")
