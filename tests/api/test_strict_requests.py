"""What an endpoint would ignore is refused: unknown and repeated parameters, unknown fields."""

import json

import pytest
from support import factories
from support.api_operations import BODIES, OPERATIONS, PROTECTED, WITH_BODY

from shop.models import Product

NEAREST = {
    ("list_orders", "stauts"): "status",
    ("list_orders", "Status"): "status",
    ("list_orders", "page[]"): "page",
    ("list_products", "in_stok"): "in_stock",
    ("list_products", "max_prize"): "max_price",
    ("list_products", "updated_since"): "updated_to",
    ("list_orders", "order_nr"): "order_number",
}


def errors_of(response):
    assert factories.problem_code(response) == (422, "invalid"), response.content
    return {
        error["field"]: (error["code"], error["message"]) for error in response.json()["errors"]
    }


def test_every_operation_refuses_an_unknown_parameter(adas_app, strangers_app, ids, unchanged):
    with unchanged():
        for operation in OPERATIONS:
            app = adas_app if operation.is_protected else strangers_app
            response = operation.call(app, ids, query="?xqz=1")
            (code, message) = errors_of(response)["xqz"]
            assert code == "extra_forbidden", operation.id
            known = [p["name"] for p in operation.parameters if p["in"] == "query"]
            assert all(name in message for name in known or ["none"]), operation.id


def test_the_nearest_parameter_is_named(adas_app, ids, unchanged):
    operations = {operation.id: operation for operation in OPERATIONS}
    for (name, parameter), nearest in NEAREST.items():
        response = operations[name].call(adas_app, ids, query=f"?{parameter}=1")
        code, message = errors_of(response)[parameter]
        assert (code, f"“{nearest}”" in message) == ("extra_forbidden", True), parameter


def test_the_caller_is_checked_first(strangers_app, carls_app, ids, unchanged):
    with unchanged():
        for operation in PROTECTED:
            response = operation.call(strangers_app, ids, query="?xqz=1")
            assert factories.problem_code(response) == (401, "authentication-required")
            if operation.is_for_staff:
                response = operation.call(carls_app, ids, query="?xqz=1")
                assert factories.problem_code(response) == (403, "forbidden"), operation.id


def test_all_wrong_parameters_and_fields_are_named_at_once(adas_app, mug, unchanged):
    with unchanged():
        listed = errors_of(
            adas_app.get("/products/?page=x&in_stok=1&is_active=true&is_active=false")
        )
        sent = errors_of(adas_app.post("/products/?x=1", {"name": "", "prize": "1.00"}))
    assert {field: code for field, (code, _) in listed.items()} == {
        "page": "int_parsing",
        "in_stok": "extra_forbidden",
        "is_active": "repeated",
    }
    assert sent.keys() == {"x", "name", "price", "prize"}


def test_many_unknown_names_get_a_short_response(adas_app, unchanged):
    names = [f"{number}" + "x" * 90 for number in range(60)]
    with unchanged():
        by_query = adas_app.get(f"/cart/?{'=1&'.join(names)}=1")
        by_body = adas_app.post("/cart/", dict.fromkeys(map(str, range(20_000)), 1))
        long_name = adas_app.post("/cart/", {"x" * 200_000: 1})
    assert (len(errors_of(by_query)), len(errors_of(by_body))) == (50, 50)
    assert len(long_name.content) < 1000


@pytest.mark.parametrize(
    ("schema", "field", "nearest"),
    [
        ("ProductIn", "prise", "price"),
        ("ProductPatch", "stok", "stock"),
        ("CheckoutIn", "shiping_adress", "shipping_address"),
        ("StockDelta", "reson", "reason"),
        ("StockCount", "expectd", "expected"),
        ("CancelIn", "reasons", "reason"),
        ("LogoutIn", "every_where", "everywhere"),
    ],
)
def test_the_nearest_field_is_named(adas_app, ids, unchanged, schema, field, nearest):
    operation = next(op for op in WITH_BODY if schema in op.schemas)
    with unchanged():
        response = operation.call(adas_app, ids, json.dumps(BODIES[schema] | {field: "x"}))
    code, message = errors_of(response)[field]
    assert (code, f"“{nearest}”" in message) == ("extra_forbidden", True), message


def test_without_a_near_field_those_of_the_body_are_listed(adas_app, mug, unchanged):
    with unchanged():
        response = adas_app.post(f"/products/{mug.pk}/stock/", {"counted": 1, "delta": 2})
    assert errors_of(response)["delta"][1].endswith(": counted, expected, reason.")


def test_a_space_in_a_date_time_is_explained(carls_app):
    response = carls_app.get("/orders/?created_to=2026-03-11T12:00:00+02:00")
    assert "%2B" in errors_of(response)["created_to"][1]


@pytest.mark.parametrize("pk", ["{}.0", "%20{}", "0_{}", "+{}"])
def test_an_id_has_one_notation(carls_app, mug, pk):
    response = carls_app.get(f"/products/{pk.format(mug.pk)}/")
    assert factories.problem_code(response) == (404, "not-found")


@pytest.mark.parametrize("amount", ["1_0", "1e1", "+1", "%201", "%DB%B5"])
def test_an_amount_has_one_notation(carls_app, amount):
    response = carls_app.get(f"/products/?min_price={amount}")
    assert errors_of(response)["min_price"][0] == "decimal_parsing"


@pytest.mark.parametrize("text", ["application/json", "text/plain"])
def test_an_image_is_not_json(adas_app, mug, unchanged, text):
    with unchanged():
        response = adas_app.client.put(
            f"/api/products/{mug.pk}/image/",
            b"{}",
            content_type=text,
            headers={"Authorization": f"Bearer {adas_app.token}"},
        )
    assert factories.problem_code(response) == (415, "unsupported-media-type")
    assert Product.objects.get().image == ""
