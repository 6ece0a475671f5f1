from dataclasses import replace

import pytest
from django.core import checks
from django.db import models
from django.test.utils import isolate_apps

from shop.checks import check_secret_fields, check_statuses
from shop.models.order_status import ORDER_STATUSES, PAYMENT_STATUSES, OrderStatus


@pytest.fixture
def told(monkeypatch):
    """What the check says of a model with one more field of this name."""

    def told(name, **attributes):
        with isolate_apps("shop") as isolated:
            meta = type("Meta", (), {"app_label": "shop"})
            body = {"__module__": __name__, "Meta": meta, name: models.IntegerField(), **attributes}
            type("Thing", (models.Model,), body)
        monkeypatch.setattr("shop.exposure.apps", isolated)
        return [(error.id, error.msg) for error in check_secret_fields()]

    return told


NOBODY = frozenset()


@pytest.mark.parametrize(
    "name",
    ["unit_cost", "margin", "token", "api_key", "password", "secret", "private_note", "staff_note"],
)
def test_a_field_that_sounds_secret_must_be_for_staff(told, name):
    message = (
        f"Thing: '{name}' sounds secret and would be public: add it to STAFF_ONLY or rename it."
    )
    assert told(name, STAFF_ONLY=NOBODY) == [("shop.E001", message)]
    assert told(name, STAFF_ONLY=frozenset({name})) == []


@pytest.mark.parametrize("name", ["name", "weight", "keyboard", "colour", "price"])
def test_a_field_that_sounds_harmless_may_be_public(told, name):
    assert told(name, STAFF_ONLY=NOBODY) == []


def test_a_model_that_shows_nothing_is_not_looked_at(told):
    assert told("cost") == []


def test_a_name_for_staff_must_be_a_field(told):
    message = "Thing: STAFF_ONLY names 'price', which is no field."
    assert told("weight", STAFF_ONLY=frozenset({"price"})) == [("shop.E001", message)]


def test_the_shop_itself_has_nothing_to_say():
    assert check_secret_fields in checks.registry.registry.get_checks()
    assert check_secret_fields() == []


def test_the_status_tables_are_complete():
    assert check_statuses in checks.registry.registry.get_checks()
    assert check_statuses() == []


CONFIRMED = ORDER_STATUSES[OrderStatus.CONFIRMED]


@pytest.mark.parametrize(
    "row",
    [
        None,
        replace(CONFIRMED, action=""),
        replace(CONFIRMED, bulk_action=""),
        replace(CONFIRMED, waiting_for=""),
        replace(CONFIRMED, next=("packed", "cancelled")),
        replace(CONFIRMED, next=("shipped",)),
        replace(CONFIRMED, next=("delivered", "cancelled")),
        replace(CONFIRMED, email="no_such_template"),
    ],
)
def test_an_incomplete_status_is_refused_at_start(monkeypatch, row):
    if row is None:
        monkeypatch.delitem(ORDER_STATUSES, OrderStatus.CONFIRMED)
    else:
        monkeypatch.setitem(ORDER_STATUSES, OrderStatus.CONFIRMED, row)
    assert {error.id for error in check_statuses()} == {"shop.E002"}


def test_a_payment_status_without_a_row_is_refused_at_start(monkeypatch):
    monkeypatch.delitem(PAYMENT_STATUSES, "paid")
    assert [error.id for error in check_statuses()] == ["shop.E002"]


def test_the_way_to_a_status_is_the_shortest_of_the_flow():
    assert OrderStatus.path_to("pending") == []
    assert OrderStatus.path_to("cancelled") == ["cancelled"]
    way = OrderStatus.path_to("delivered")
    assert (way[0], way[-1]) == (OrderStatus.PENDING.facts.next[0], "delivered")
