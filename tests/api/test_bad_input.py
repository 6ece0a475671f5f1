import json
import re
from itertools import product

import pytest
from django.db import transaction
from support import factories, hostile_inputs
from support.api_operations import BODIES, OPERATIONS, WITH_BODY, name

pytestmark = pytest.mark.slow

MAY_BE_LEFT_OUT = {"logout", "cancel_order"}
EVERYTHING = {field for shape in BODIES for field in hostile_inputs.fields(shape)}
SECRET = re.compile("password|refresh")
LISTS = [op for op in OPERATIONS if op.id.startswith("list_")]
WITH_ID = [op for op in OPERATIONS if "{" in op.path and op.id != "set_image"]
SHAPES = [(operation, shape) for operation in WITH_BODY for shape in operation.shapes]


@pytest.fixture
def send(adas_app, carls_app, strangers_app, ids):
    """Make the call, take back what it did if it did anything, and give its answer."""

    def made(operation, body=None, query="", **wrong_ids):
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
        what = (operation.id, (body or "")[:80], query[:80], wrong_ids, response.content[:300])
        assert response.status_code < 500, what
        if response.status_code >= 400:
            status, code = factories.problem_code(response)
            declared = operation.about["responses"].get(str(status), {})
            assert f"`{code}`" in declared.get("description", ""), what
            assert len(response.content) < 5_000, what
        return response

    return made


def named(response):
    """The fields that a refusal names; all, where the body could not be read at all."""
    if response.status_code == 400:
        return EVERYTHING
    return {error["field"].split(".")[-1] for error in response.json().get("errors", [])}


def test_every_shape_of_a_body_has_a_good_example():
    assert {shape for _, shape in SHAPES} == BODIES.keys()
    for shape, body in BODIES.items():
        for field, value in body.items():
            assert hostile_inputs.allows(hostile_inputs.fields(shape)[field], json.dumps(value)), (
                shape,
                field,
            )


def test_what_is_no_value_anywhere_is_refused_in_every_field(send, unchanged):
    with unchanged():
        for (operation, shape), text in product(SHAPES, hostile_inputs.NEVER):
            every = set(hostile_inputs.fields(shape))
            assert named(send(operation, hostile_inputs.with_value({}, every, text))) >= every, (
                shape,
                text,
            )


def test_what_is_no_text_is_refused_in_every_field_but_secrets(send, unchanged):
    with unchanged():
        for (operation, shape), text in product(SHAPES, hostile_inputs.NEVER_BUT_SECRETS):
            every = {field for field in hostile_inputs.fields(shape) if not SECRET.search(field)}
            if every:
                response = send(operation, hostile_inputs.with_value(BODIES[shape], every, text))
                assert named(response) >= every, (shape, text)


@pytest.mark.parametrize("text", hostile_inputs.SOMETIMES, ids=lambda text: text[:12])
def test_what_the_document_forbids_is_refused_in_every_field(send, unchanged, text):
    with unchanged():
        for operation, shape in SHAPES:
            forbidden = {
                f
                for f, schema in hostile_inputs.fields(shape).items()
                if not hostile_inputs.allows(schema, text)
            }
            if forbidden:
                response = send(
                    operation, hostile_inputs.with_value(BODIES[shape], forbidden, text)
                )
                assert named(response) >= forbidden, (shape, response.content)


@pytest.mark.parametrize("text", hostile_inputs.SOMETIMES, ids=lambda text: text[:12])
def test_what_the_document_allows_breaks_nothing(send, unchanged, text):
    with unchanged():
        for operation, shape in SHAPES:
            for field, schema in hostile_inputs.fields(shape).items():
                if hostile_inputs.allows(schema, text):
                    send(operation, hostile_inputs.with_value(BODIES[shape], [field], text))


def test_a_body_that_is_no_object_is_refused(send, unchanged):
    with unchanged():
        for operation, body in product(WITH_BODY, hostile_inputs.BODIES):
            assert send(operation, body).status_code in {400, 422}, (operation.id, body[:40])


def test_only_a_body_that_may_be_left_out_may_be_empty(send, unchanged):
    with unchanged():
        for body in ("", "null"):
            taken = {
                operation.id for operation in WITH_BODY if send(operation, body).status_code < 300
            }
            assert taken == MAY_BE_LEFT_OUT, body


def test_a_field_that_is_not_known_is_refused(send, unchanged):
    with unchanged():
        for operation, shape in SHAPES:
            for field in ("role", "is_superuser", "id", "user_id", "__proto__", "", "a.b"):
                assert (
                    send(operation, json.dumps(BODIES[shape] | {field: "admin"})).status_code == 422
                ), field


def test_a_name_that_is_written_twice_does_no_harm(send, unchanged):
    with unchanged():
        for operation, shape in SHAPES:
            good = json.dumps(BODIES[shape])
            for twice in (f'{{"role": "admin", {good[1:]}', f'{good[:-1]}, "role": 1, "role": 1}}'):
                assert send(operation, twice).status_code == 422
            for field in BODIES[shape]:
                assert send(operation, f'{good[:-1]}, "{field}": {{}}}}').status_code == 422


def test_a_body_that_is_too_large_is_not_read(send, unchanged):
    with unchanged():
        for operation, shape in SHAPES:
            assert send(operation, json.dumps(BODIES[shape]) + " " * 256 * 1024).status_code == 413


def test_an_id_that_does_not_exist_is_not_found(send, unchanged):
    with unchanged():
        for operation, text in product(WITH_ID, hostile_inputs.IDS):
            (parameter,) = (one["name"] for one in operation.parameters if one["in"] == "path")
            assert send(operation, **{parameter: text}).status_code == 404, (operation.id, text)


@pytest.mark.parametrize("operation", LISTS, ids=name)
def test_no_query_breaks_a_list(operation, send, unchanged):
    with unchanged():
        for parameter in (one["name"] for one in operation.parameters):
            for text in hostile_inputs.QUERIES:
                assert send(operation, query=f"?{parameter}={text}").status_code in {200, 422}, (
                    parameter,
                    text,
                )
        for query in hostile_inputs.WHOLE_QUERIES:
            assert send(operation, query=query).status_code in {200, 422}, query


def test_no_id_in_a_body_breaks_the_cart(send, unchanged):
    (add,) = (operation for operation in OPERATIONS if operation.id == "add_to_cart")
    with unchanged():
        for product_id in (999, 2**31, 2**63 - 1):
            assert send(add, json.dumps({"product_id": product_id})).status_code == 404
        for product_id in (0, -1, 2**63, 10**400, "1", 1.5, True, None, [1], {"id": 1}):
            assert send(add, json.dumps({"product_id": product_id})).status_code == 422


NORMALISES_TO_THREE = "\ufb2c" * 1000


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/orders/create/", {"shipping_address": NORMALISES_TO_THREE}, "shipping_address"),
        ("/orders/create/", {"shipping_address": "x", "note": NORMALISES_TO_THREE}, "note"),
        ("/orders/{order_id}/cancel/", {"reason": NORMALISES_TO_THREE}, "reason"),
    ],
)
def test_a_text_is_measured_as_it_is_kept(carls_app, ids, unchanged, path, body, field):
    with unchanged():
        response = carls_app.post(path.format(**ids), body)
    assert factories.problem_code(response) == (422, "invalid")
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("price", ["1e-400", "5.000000000000000000001", "99999999.990000000001"])
def test_a_price_is_never_rounded(adas_app, unchanged, price):
    with unchanged():
        response = adas_app.post("/products/", f'{{"name": "Vase", "price": {price}}}')
    assert factories.problem_code(response) == (422, "invalid")
