import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator
from support.api_operations import DOCUMENT, OPERATIONS, SCHEMAS, name

from shop.api.problems import BUSY_CODE, CODE_BY_STATUS, error_status
from shop.models import Order, Product
from shop.services import errors

CALLS = {
    "post /auth/register/",
    "post /auth/login/",
    "post /auth/refresh/",
    "post /auth/logout/",
    "get /auth/profile/",
    "put /auth/profile/",
    "patch /auth/profile/",
    "post /auth/password/change/",
    "post /auth/password/reset/",
    "post /auth/password/reset/confirm/",
    "get /products/",
    "post /products/",
    "get /products/{product_id}/",
    "put /products/{product_id}/",
    "patch /products/{product_id}/",
    "delete /products/{product_id}/",
    "post /products/{product_id}/stock/",
    "put /products/{product_id}/image/",
    "delete /products/{product_id}/image/",
    "get /cart/",
    "post /cart/",
    "put /cart/{item_id}/",
    "delete /cart/{item_id}/",
    "delete /cart/clear/",
    "get /orders/",
    "post /orders/create/",
    "get /orders/{order_id}/",
    "post /orders/{order_id}/cancel/",
    "post /orders/{order_id}/status/",
    "get /health/",
}
#: Only what products refer to can be in use: with the first such model this is told too.
NOT_YET = {("409", "in-use")}
OWN = set(errors.ShopError.__subclasses__()) - {errors.BackOfficeError}
OWN_CODES = {error.code for error in OWN}
HEADERS = {
    "list_products": ["If-None-Match"],
    "get_product": ["If-None-Match"],
    "replace_product": ["If-Match"],
    "change_product": ["If-Match"],
    "create_order": ["Idempotency-Key"],
}
QUERIES = {
    "list_products": [
        "page",
        "page_size",
        "search",
        "min_price",
        "max_price",
        "in_stock",
        "is_active",
        "ordering",
    ],
    "list_orders": ["page", "page_size", "status", "search", "created_from", "created_to"],
}


def named(operation, place):
    return [parameter["name"] for parameter in operation.parameters if parameter["in"] == place]


def test_the_document_is_valid_openapi_3_1():
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_the_document_is_public_and_stays_the_same():
    responses = [Client().get("/api/openapi.json") for _ in range(2)]
    assert [response.status_code for response in responses] == [200, 200]
    assert [response.json() for response in responses] == [DOCUMENT, DOCUMENT]


def test_the_document_tells_every_call_of_the_contract():
    assert {f"{op.method} {op.path.removeprefix('/api')}" for op in OPERATIONS} == CALLS


def test_every_call_has_a_name_of_its_own_that_a_client_can_use():
    found = [operation.id for operation in OPERATIONS]
    assert len(found) == len(set(found))
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", one) for one in found)


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_every_call_is_described_and_grouped(operation):
    assert operation.about["summary"]
    assert operation.about["description"]
    assert len(operation.about["tags"]) == 1


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_every_parameter_is_named_as_it_is_sent(operation):
    assert named(operation, "header") == HEADERS.get(operation.id, [])
    assert named(operation, "query") == QUERIES.get(operation.id, [])
    assert named(operation, "path") == re.findall(r"{(\w+)}", operation.path)
    required = {one["name"] for one in operation.parameters if one["required"]}
    assert required == set(named(operation, "path"))


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_every_call_declares_its_errors(operation):
    declared = operation.about["responses"]
    implied = {"503"} | (set() if operation.id == "health" else {"429"})
    if operation.is_protected:
        implied |= {"401"}
    if operation.method != "get" and "requestBody" in operation.about:
        implied |= {"400", "413", "415", "422"}
    if "{" in operation.path:
        implied |= {"404"}
    assert implied <= declared.keys()
    for status, response in declared.items():
        if status >= "400":
            assert list(response["content"]) == ["application/problem+json"]
            assert response["content"]["application/problem+json"]["schema"] == {
                "$ref": "#/components/schemas/Problem"
            }
            assert re.search("`[a-z-]+`", response["description"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_every_call_declares_one_good_answer_or_two(operation):
    good = {status: r for status, r in operation.about["responses"].items() if status < "300"}
    assert 1 <= len(good) <= 2
    for status, response in good.items():
        assert ("content" in response) is (status not in {"202", "204"})


def test_every_code_of_the_shop_is_told_somewhere_with_its_status():
    told = {
        (status, code)
        for operation in OPERATIONS
        for status, response in operation.about["responses"].items()
        for code in re.findall("`([a-z-]+)`", response["description"])
    }
    own = {(str(error_status(error)), error.code) for error in OWN}
    general = {
        (str(status), code)
        for status, code in CODE_BY_STATUS.items()
        if status not in {405, 409, 500}
    }
    assert told | NOT_YET == own | general | {("503", BUSY_CODE)}


def test_codes_are_words():
    assert all(
        re.fullmatch("[a-z]+(-[a-z]+)*", code) for code in OWN_CODES | set(CODE_BY_STATUS.values())
    )


def test_a_product_is_told_as_the_contract_has_it():
    shown = ["id", "name", "sku", "description", "price", "stock", "in_stock", "image", "is_active"]
    shown += ["created_at", "updated_at"]
    assert list(SCHEMAS["ProductOut"]["properties"]) == shown
    assert sorted(SCHEMAS["ProductOut"]["required"]) == sorted(shown)
    assert SCHEMAS["ProductOut"]["properties"]["price"]["type"] == "string"
    assert SCHEMAS["ProductIn"]["required"] == ["name", "price"]
    assert SCHEMAS["ProductPatch"].get("required", []) == []
    assert not any(secret in json.dumps(DOCUMENT) for secret in Product.STAFF_ONLY)


def test_statuses_are_told_as_the_models_have_them():
    for values in (Order.Status.values, Order.PaymentMethod.values, Order.PaymentStatus.values):
        assert json.dumps(list(values)) in json.dumps(SCHEMAS)


@pytest.mark.parametrize(
    "shape", sorted(s for s in SCHEMAS if s.endswith(("In", "Patch")) or s.startswith("Cart"))
)
def test_bodies_say_that_unknown_fields_are_refused(shape):
    if shape not in {"CartOut", "CartLineOut"}:
        assert SCHEMAS[shape]["additionalProperties"] is False


def test_the_documentation_asks_no_other_site():
    response = Client().get("/api/docs")
    page = response.content.decode()
    addresses = re.findall(r"""(?:src|href)=["']?([^"'\s>]+)""", page)
    assert response.status_code == 200
    assert addresses
    assert [one for one in addresses if "//" in one] == []
    assert re.findall(r"https?://(?!testserver)[^\s\"']+", page) == []
    for address in addresses:
        assert finders.find(address.removeprefix("/static/")), address
