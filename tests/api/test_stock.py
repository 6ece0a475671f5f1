import pytest
from support import factories
from support.api_bodies import ledger, product_body

INITIAL = ("initial", 10, 10, None)


def adjust(app, product, **body):
    return app.post(f"/products/{product.pk}/stock/", body)


@pytest.mark.parametrize(
    ("body", "kind", "stock"),
    [
        ({"delta": -3, "kind": "damaged", "reason": "Fell"}, "damaged", 7),
        ({"delta": 5, "kind": "received"}, "received", 15),
        ({"delta": 1, "kind": "returned"}, "returned", 11),
        ({"delta": -10}, "correction", 0),
        ({"delta": 999_999_990, "kind": "correction"}, "correction", 1_000_000_000),
    ],
)
def test_adjusting_the_stock_writes_the_ledger(adas_app, mug, body, kind, stock):
    response = adjust(adas_app, mug, **body)
    assert (response.status_code, response.json()) == (200, product_body(mug))
    assert response["ETag"] == adas_app.get(f"/products/{mug.pk}/")["ETag"]
    assert ledger(mug) == [INITIAL, (kind, stock - 10, stock, "Ada")]
    assert mug.movements.first().reason == body.get("reason", "")


@pytest.mark.parametrize(
    "body", [{"counted": 12, "expected": 10, "reason": "Year end"}, {"counted": 12}]
)
def test_a_stocktake_writes_the_difference_to_the_ledger(adas_app, mug, body):
    response = adjust(adas_app, mug, **body)
    assert (response.status_code, response.json()) == (200, product_body(mug))
    assert ledger(mug) == [INITIAL, ("counted", 2, 12, "Ada")]
    assert mug.movements.first().reason == body.get("reason", "")


@pytest.mark.parametrize("body", [{"delta": 0}, {"counted": 10}, {"counted": 10, "expected": 10}])
def test_an_adjustment_of_zero_writes_nothing(adas_app, mug, unchanged, body):
    with unchanged():
        response = adjust(adas_app, mug, **body)
    assert (response.status_code, response.json()) == (200, product_body(mug))


def test_a_stocktake_is_refused_if_the_stock_is_not_as_expected(adas_app, mug, unchanged):
    with unchanged():
        response = adjust(adas_app, mug, counted=12, expected=15)
    assert factories.problem_code(response) == (409, "stock-changed")
    assert response.json()["stock"] == 10


INSUFFICIENT, INVALID = (409, "insufficient-stock"), (422, "invalid")


@pytest.mark.parametrize(
    ("delta", "error"),
    [
        (-11, INSUFFICIENT),
        (-1_000_000_000, INSUFFICIENT),
        (999_999_991, INVALID),
        (1_000_000_000, INVALID),
    ],
)
def test_the_stock_cannot_leave_its_limits(adas_app, mug, unchanged, delta, error):
    with unchanged():
        response = adjust(adas_app, mug, delta=delta)
    assert factories.problem_code(response) == error


def test_movement_kinds_of_the_system_are_refused(adas_app, mug, unchanged):
    with unchanged():
        for kind in ("sale", "initial", "cancellation", "counted", "", "x", None):
            response = adjust(adas_app, mug, delta=1, kind=kind)
            assert factories.problem_code(response) == (422, "invalid")
            assert "kind" in {error["field"] for error in response.json()["errors"]}


INVALID_BODIES = [
    {},
    {"reason": "x"},
    {"delta": 1, "counted": 2},
    {"delta": 1, "expected": 10},
    {"counted": 1, "kind": "damaged"},
    {"expected": 10},
    {"delta": None},
    {"delta": "1"},
    {"delta": 1.5},
    {"delta": True},
    {"delta": 1_000_000_001},
    {"counted": -1},
    {"counted": 1_000_000_001},
    {"counted": 1, "expected": -1},
    {"delta": 1, "reason": "x" * 201},
    {"delta": 1, "reason": "a\nb"},
    {"delta": 1, "actor": 1},
]


def test_invalid_bodies_are_refused(adas_app, mug, unchanged):
    with unchanged():
        for body in INVALID_BODIES:
            assert factories.problem_code(adjust(adas_app, mug, **body)) == (422, "invalid"), body


@pytest.mark.parametrize("body", [{"delta": 1}, {"counted": 1}])
def test_adjusting_an_unknown_product_is_not_found(adas_app, unchanged, body):
    with unchanged():
        response = adas_app.post("/products/999/stock/", body)
    assert factories.problem_code(response) == (404, "not-found")
