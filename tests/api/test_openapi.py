import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator
from support import further_models
from support.api_operations import DOCUMENT, OPERATIONS, SCHEMAS, operation_id

from shop import exposure
from shop.api.problems import BUSY_CODE, CODE_BY_STATUS, error_status
from shop.api.products import PRODUCTS
from shop.models import Order, Product
from shop.services import errors

OPERATIONS_OF_THE_CONTRACT = {
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
    "patch /orders/{order_id}/",
    "post /orders/{order_id}/status/",
    "post /orders/{order_id}/tracking/",
    "post /orders/{order_id}/payments/",
    "post /orders/{order_id}/refunds/",
    "post /orders/{order_id}/returns/",
    "get /health/",
}
#: Documented once a model is exposed besides Product.
UNUSED_ERRORS = {("409", "in-use")}
FURTHER_MODELS = further_models.further_models()
#: Operations that the models have beside those of the contract.
GENERATED_OPERATIONS = {
    *(
        f"{method} /{exposure.url_segment(m)}/"
        for m in FURTHER_MODELS
        for method in ("get", "post")
    ),
    *(
        f"{method} /{exposure.url_segment(m)}/{{pk}}/"
        for m in FURTHER_MODELS
        for method in ("get", "put", "patch", "delete")
    ),
    *(
        f"{method} /{exposure.url_segment(model)}/{{{key}}}/{name}/"
        for model, key in [(Product, "product_id"), *((m, "pk") for m in FURTHER_MODELS)]
        for name in further_models.picture_fields(model)
        for method in ("put", "delete")
    ),
}
SHOP_ERRORS = set(errors.ShopError.__subclasses__()) - {errors.BackOfficeError}
SHOP_CODES = {error.code for error in SHOP_ERRORS}
HEADERS = {
    "list_products": ["If-None-Match"],
    "get_product": ["If-None-Match"],
    "replace_product": ["If-Match"],
    "change_product": ["If-Match"],
    "delete_product": ["If-Match"],
    "edit_order": ["If-Match"],
} | {
    name: [header]
    for header, verbs in {
        "If-None-Match": ("list", "get"),
        "If-Match": ("replace", "change", "delete"),
    }.items()
    for verb in verbs
    for name in further_models.operation_names(verb)
}
#: POST operations without `Idempotency-Key`: refresh has a rule of its own, and logout ends the
#: session without which the same call is a 401.
WITHOUT_KEY = {"refresh", "logout"}
#: The filters of the contract. A new field adds its own, and a relation also `expand`.
QUERIES = {
    "list_products": [
        *("page", "page_size", "search", "ordering", "id", "name", "sku"),
        *("min_price", "max_price", "min_stock", "max_stock", "in_stock", "has_image"),
        *("is_active", "created_from", "created_to", "updated_from", "updated_to"),
    ],
    "list_orders": [
        *("page", "page_size", "search", "ordering", "id", "order_number", "status"),
        *("payment_method", "payment_status", "min_total_amount", "max_total_amount"),
        *("created_from", "created_to", "updated_from", "updated_to"),
    ],
}


def parameter_names(operation, place):
    return [parameter["name"] for parameter in operation.parameters if parameter["in"] == place]


def takes_a_list(operation):
    """Names of the parameters that may be repeated."""
    return [p["name"] for p in operation.parameters if p["schema"].get("type") == "array"]


def test_the_document_is_valid_openapi_3_1():
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_the_document_is_public_and_deterministic():
    responses = [Client().get("/api/openapi.json") for _ in range(2)]
    assert [response.status_code for response in responses] == [200, 200]
    assert [response.json() for response in responses] == [DOCUMENT, DOCUMENT]


def test_the_document_contains_every_operation_of_the_contract():
    assert {
        f"{op.method} {op.path.removeprefix('/api')}" for op in OPERATIONS
    } == OPERATIONS_OF_THE_CONTRACT | GENERATED_OPERATIONS


def test_operation_ids_are_unique_identifiers():
    ids = [operation.id for operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", operation_id) for operation_id in ids)


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
def test_every_operation_has_a_summary_a_description_and_a_tag(operation):
    assert operation.about["summary"]
    assert operation.about["description"]
    assert len(operation.about["tags"]) == 1


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
def test_every_operation_declares_its_parameters(operation):
    has_key = operation.method == "post" and operation.id not in WITHOUT_KEY
    key = ["Idempotency-Key"] if has_key else []
    assert parameter_names(operation, "header") == HEADERS.get(operation.id, key)
    queries = parameter_names(operation, "query")
    if operation.id in QUERIES:
        assert [name for name in queries if name in QUERIES[operation.id]] == QUERIES[operation.id]
    elif operation.id in further_models.operation_names("list"):
        assert queries[:2] == ["page", "page_size"]
    else:
        assert queries in ([], ["expand"])
    assert parameter_names(operation, "path") == re.findall(r"{(\w+)}", operation.path)
    required = {param["name"] for param in operation.parameters if param["required"]}
    assert required == set(parameter_names(operation, "path"))


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
def test_every_operation_declares_its_errors(operation):
    declared = operation.about["responses"]
    implied = {"422", "503"} | (set() if operation.id == "health" else {"429"})
    if operation.is_protected:
        implied |= {"401"}
    if operation.method != "get" and "requestBody" in operation.about:
        implied |= {"400", "411", "413", "415"}
    if "{" in operation.path:
        implied |= {"404"}
    assert implied <= declared.keys()
    assert ("414" in declared) is bool(takes_a_list(operation))
    for status, response in declared.items():
        if status >= "400" and status != "414":  # the server's
            assert list(response["content"]) == ["application/problem+json"]
            assert response["content"]["application/problem+json"]["schema"] == {
                "$ref": "#/components/schemas/Problem"
            }
            assert re.search("`[a-z-]+`", response["description"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
def test_every_operation_declares_one_or_two_success_responses(operation):
    successes = {status: r for status, r in operation.about["responses"].items() if status < "300"}
    assert 1 <= len(successes) <= 2
    for status, response in successes.items():
        assert ("content" in response) is (status not in {"202", "204"})


def test_every_error_code_is_documented_with_its_status():
    documented = {
        (status, code)
        for operation in OPERATIONS
        for status, response in operation.about["responses"].items()
        for code in re.findall("`([a-z-]+)`", response["description"])
    }
    expected = {(str(error_status(error)), error.code) for error in SHOP_ERRORS}
    general = {
        (str(status), code)
        for status, code in CODE_BY_STATUS.items()
        if status not in {405, 409, 500}
    }
    assert documented | UNUSED_ERRORS == expected | general | {("503", BUSY_CODE)}


def test_codes_are_lower_case_words():
    assert all(
        re.fullmatch("[a-z]+(-[a-z]+)*", code) for code in SHOP_CODES | set(CODE_BY_STATUS.values())
    )


def test_the_product_schemas_follow_the_contract():
    fields = {"id", "name", "sku", "description", "price", "stock", "in_stock", "image"}
    fields |= {"is_active", "created_at", "updated_at"}
    assert fields <= set(PRODUCTS.names)
    expanded = exposure.expandable_fields(Product)
    assert list(SCHEMAS["ProductOut"]["properties"]) == [*PRODUCTS.names, *expanded]
    assert sorted(SCHEMAS["ProductOut"]["required"]) == sorted(PRODUCTS.names)
    assert SCHEMAS["ProductOut"]["properties"]["price"]["type"] == "string"
    assert SCHEMAS["ProductIn"]["required"][:2] == ["name", "price"]
    assert SCHEMAS["ProductPatch"].get("required", []) == []
    of_products = {name: schema for name, schema in SCHEMAS.items() if name.startswith("Product")}
    assert not Product.STAFF_ONLY & set(re.findall(r"\w+", json.dumps(of_products)))


def test_enums_follow_the_models_choices():
    for values in (Order.Status.values, Order.PaymentMethod.values, Order.PaymentStatus.values):
        assert json.dumps(list(values)) in json.dumps(SCHEMAS)


@pytest.mark.parametrize(
    "schema", sorted(s for s in SCHEMAS if s.endswith(("In", "Patch")) or s.startswith("Cart"))
)
def test_request_schemas_forbid_unknown_fields(schema):
    if schema not in {"CartOut", "CartLineOut"}:
        assert SCHEMAS[schema]["additionalProperties"] is False


def test_the_documentation_loads_nothing_from_other_sites():
    response = Client().get("/api/docs")
    page = response.content.decode()
    urls = re.findall(r"""(?:src|href)=["']?([^"'\s>]+)""", page)
    assert response.status_code == 200
    assert urls
    assert [url for url in urls if "//" in url] == []
    assert re.findall(r"https?://(?!testserver)[^\s\"']+", page) == []
    for url in urls:
        assert finders.find(url.removeprefix("/static/")), url
