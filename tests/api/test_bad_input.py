import json
import re
from itertools import product

import pytest
from django.db import transaction
from support import factories, hostile_inputs
from support.api_operations import BODIES, OPERATIONS, WITH_BODY, operation_id

pytestmark = pytest.mark.slow

OPTIONAL_BODIES = {"cancel_order", "logout", "mark_paid"}
ALL_FIELDS = {field for schema in BODIES for field in hostile_inputs.schema_validators(schema)}
SECRET_NAME = re.compile("password|refresh")
LISTS = [op for op in OPERATIONS if op.id.startswith("list_")]
WITH_ID = [op for op in OPERATIONS if "{" in op.path and not op.takes_a_file]
REQUESTS = [(operation, schema) for operation in WITH_BODY for schema in operation.schemas]


@pytest.fixture
def send(adas_app, carls_app, strangers_app, ids):
    """Call an operation, roll back its changes, and return the response.

    Asserts that an error is documented, short and not a server error.
    """

    def call_and_check(operation, body=None, query="", **wrong_ids):
        app = (
            adas_app
            if operation.is_for_staff
            else carls_app
            if operation.is_protected
            else strangers_app
        )
        with transaction.atomic():
            response = operation.call(app, ids | wrong_ids, body, query)
            transaction.set_rollback(response.status_code < 400)
        context = (operation.id, (body or "")[:80], query[:80], wrong_ids, response.content[:300])
        assert response.status_code < 500, context
        if response.status_code >= 400:
            status, code = factories.problem_code(response)
            declared = operation.about["responses"].get(str(status), {})
            assert f"`{code}`" in declared.get("description", ""), context
            assert len(response.content) < 5_000, context
        return response

    return call_and_check


def invalid_fields(response):
    """The fields with errors; all fields if the body could not be parsed."""
    if response.status_code == 400:
        return ALL_FIELDS
    return {error["field"].split(".")[-1] for error in response.json().get("errors", [])}


def test_every_request_schema_has_a_valid_example():
    assert {schema for _, schema in REQUESTS} == BODIES.keys()
    for schema, body in BODIES.items():
        for field, value in body.items():
            assert hostile_inputs.allows(
                hostile_inputs.schema_validators(schema)[field], json.dumps(value)
            ), (
                schema,
                field,
            )


def test_values_invalid_for_any_type_are_refused_in_every_field(send, unchanged):
    with unchanged():
        for (operation, schema), text in product(REQUESTS, hostile_inputs.ALWAYS_INVALID):
            names = set(hostile_inputs.schema_validators(schema))
            assert (
                invalid_fields(send(operation, hostile_inputs.with_value({}, names, text))) >= names
            ), (
                schema,
                text,
            )


def test_control_characters_are_refused_in_every_field_but_secrets(send, unchanged):
    with unchanged():
        for (operation, schema), text in product(REQUESTS, hostile_inputs.INVALID_TEXTS):
            names = {
                field
                for field in hostile_inputs.schema_validators(schema)
                if not SECRET_NAME.search(field)
            }
            if names:
                response = send(operation, hostile_inputs.with_value(BODIES[schema], names, text))
                assert invalid_fields(response) >= names, (schema, text)


@pytest.mark.parametrize("text", hostile_inputs.SOMETIMES_VALID, ids=lambda text: text[:12])
def test_values_that_the_schema_forbids_are_refused_in_every_field(send, unchanged, text):
    with unchanged():
        for operation, schema in REQUESTS:
            forbidden = {
                f
                for f, validator in hostile_inputs.schema_validators(schema).items()
                if not hostile_inputs.allows(validator, text)
            }
            if forbidden:
                response = send(
                    operation, hostile_inputs.with_value(BODIES[schema], forbidden, text)
                )
                assert invalid_fields(response) >= forbidden, (schema, response.content)


@pytest.mark.parametrize("text", hostile_inputs.SOMETIMES_VALID, ids=lambda text: text[:12])
def test_values_that_the_schema_allows_cause_no_server_error(send, unchanged, text):
    with unchanged():
        for operation, schema in REQUESTS:
            for field, validator in hostile_inputs.schema_validators(schema).items():
                if hostile_inputs.allows(validator, text):
                    send(operation, hostile_inputs.with_value(BODIES[schema], [field], text))


def test_a_body_that_is_not_an_object_is_refused(send, unchanged):
    with unchanged():
        for operation, body in product(WITH_BODY, hostile_inputs.INVALID_BODIES):
            assert send(operation, body).status_code in {400, 422}, (operation.id, body[:40])


def test_only_optional_bodies_may_be_empty(send, unchanged):
    with unchanged():
        for body in ("", "null"):
            accepted = {
                operation.id for operation in WITH_BODY if send(operation, body).status_code < 300
            }
            assert accepted == OPTIONAL_BODIES, body


def test_unknown_fields_are_refused(send, unchanged):
    with unchanged():
        for operation, schema in REQUESTS:
            for field in ("role", "is_superuser", "id", "user_id", "__proto__", "", "a.b"):
                assert (
                    send(operation, json.dumps(BODIES[schema] | {field: "admin"})).status_code
                    == 422
                ), field


def test_duplicate_keys_are_refused(send, unchanged):
    with unchanged():
        for operation, schema in REQUESTS:
            valid = json.dumps(BODIES[schema])
            for body in (
                f'{{"role": "admin", {valid[1:]}',
                f'{valid[:-1]}, "role": 1, "role": 1}}',
            ):
                assert send(operation, body).status_code == 422
            for field in BODIES[schema]:
                assert send(operation, f'{valid[:-1]}, "{field}": {{}}}}').status_code == 422


def test_a_body_over_the_limit_is_refused(send, unchanged):
    with unchanged():
        for operation, schema in REQUESTS:
            assert send(operation, json.dumps(BODIES[schema]) + " " * 256 * 1024).status_code == 413


def test_unknown_and_malformed_ids_are_not_found(send, unchanged):
    with unchanged():
        for operation, text in product(WITH_ID, hostile_inputs.IDS):
            (parameter,) = (
                param["name"] for param in operation.parameters if param["in"] == "path"
            )
            assert send(operation, **{parameter: text}).status_code == 404, (operation.id, text)


@pytest.mark.parametrize("operation", LISTS, ids=operation_id)
def test_no_query_string_causes_a_server_error(operation, send, unchanged):
    with unchanged():
        for parameter in (param["name"] for param in operation.parameters):
            for text in hostile_inputs.QUERY_VALUES:
                assert send(operation, query=f"?{parameter}={text}").status_code in {200, 422}, (
                    parameter,
                    text,
                )
        for query in hostile_inputs.QUERY_STRINGS:
            assert send(operation, query=query).status_code in {200, 422}, query


def test_no_product_id_causes_a_server_error(send, unchanged):
    (add,) = (operation for operation in OPERATIONS if operation.id == "add_to_cart")
    with unchanged():
        for product_id in (999, 2**31, 2**63 - 1):
            assert send(add, json.dumps({"product_id": product_id})).status_code == 404
        for product_id in (0, -1, 2**63, 10**400, "1", 1.5, True, None, [1], {"id": 1}):
            assert send(add, json.dumps({"product_id": product_id})).status_code == 422


TRIPLES_WHEN_NORMALISED = "\ufb2c" * 1000


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/orders/create/", {"shipping_address": TRIPLES_WHEN_NORMALISED}, "shipping_address"),
        ("/orders/create/", {"shipping_address": "x", "note": TRIPLES_WHEN_NORMALISED}, "note"),
        ("/orders/{order_id}/cancel/", {"reason": TRIPLES_WHEN_NORMALISED}, "reason"),
    ],
)
def test_the_length_limit_applies_after_normalisation(carls_app, ids, unchanged, path, body, field):
    with unchanged():
        response = carls_app.post(path.format(**ids), body)
    assert factories.problem_code(response) == (422, "invalid")
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("price", ["1e-400", "5.000000000000000000001", "99999999.990000000001"])
def test_a_price_is_never_rounded(adas_app, unchanged, price):
    with unchanged():
        response = adas_app.post("/products/", f'{{"name": "Vase", "price": {price}}}')
    assert factories.problem_code(response) == (422, "invalid")
