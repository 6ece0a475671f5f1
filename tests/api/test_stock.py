import pytest
from support import factories
from support.api_bodies import ledger, product_body

FIRST = ("initial", 10, 10, None)


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
def test_units_come_and_go_with_a_reason(adas_app, mug, body, kind, stock):
    response = adjust(adas_app, mug, **body)
    assert (response.status_code, response.json()) == (200, product_body(mug))
    assert response["ETag"] == adas_app.get(f"/products/{mug.pk}/")["ETag"]
    assert ledger(mug) == [FIRST, (kind, stock - 10, stock, "Ada")]
    assert mug.movements.first().reason == body.get("reason", "")


@pytest.mark.parametrize(
    "body", [{"counted": 12, "expected": 10, "reason": "Year end"}, {"counted": 12}]
)
def test_a_count_becomes_a_difference(adas_app, mug, body):
    response = adjust(adas_app, mug, **body)
    assert (response.status_code, response.json()) == (200, product_body(mug))
    assert ledger(mug) == [FIRST, ("counted", 2, 12, "Ada")]
    assert mug.movements.first().reason == body.get("reason", "")


@pytest.mark.parametrize("body", [{"delta": 0}, {"counted": 10}, {"counted": 10, "expected": 10}])
def test_nothing_is_written_where_nothing_differs(adas_app, mug, unchanged, body):
    with unchanged():
        response = adjust(adas_app, mug, **body)
    assert (response.status_code, response.json()) == (200, product_body(mug))


def test_a_count_is_refused_when_the_stock_moved_meanwhile(adas_app, mug, unchanged):
    with unchanged():
        response = adjust(adas_app, mug, counted=12, expected=15)
    assert factories.problem_code(response) == (409, "stock-changed")
    assert response.json()["stock"] == 10


SHORT, WRONG = (409, "insufficient-stock"), (422, "invalid")


@pytest.mark.parametrize(
    ("delta", "said"),
    [(-11, SHORT), (-1_000_000_000, SHORT), (999_999_991, WRONG), (1_000_000_000, WRONG)],
)
def test_stock_stays_within_its_bounds(adas_app, mug, unchanged, delta, said):
    with unchanged():
        response = adjust(adas_app, mug, delta=delta)
    assert factories.problem_code(response) == said


def test_kinds_that_the_shop_writes_itself_are_refused(adas_app, mug, unchanged):
    with unchanged():
        for kind in ("sale", "initial", "cancellation", "counted", "", "x", None):
            response = adjust(adas_app, mug, delta=1, kind=kind)
            assert factories.problem_code(response) == (422, "invalid")
            assert "kind" in {error["field"] for error in response.json()["errors"]}


NONSENSE = [
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


def test_bodies_that_make_no_sense_are_refused(adas_app, mug, unchanged):
    with unchanged():
        for body in NONSENSE:
            assert factories.problem_code(adjust(adas_app, mug, **body)) == (422, "invalid"), body


@pytest.mark.parametrize("body", [{"delta": 1}, {"counted": 1}])
def test_an_unknown_product_has_no_stock(adas_app, unchanged, body):
    with unchanged():
        response = adas_app.post("/products/999/stock/", body)
    assert factories.problem_code(response) == (404, "not-found")
