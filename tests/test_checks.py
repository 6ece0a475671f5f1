from dataclasses import replace

import pytest
from django.core import checks
from django.db import models
from django.test.utils import isolate_apps

from shop.checks import check_secret_fields, check_statuses
from shop.models.order_status import ORDER_STATUSES, PAYMENT_STATUSES, OrderStatus


@pytest.fixture
def errors_for(monkeypatch):
    """Return the errors of check_secret_fields for a model with a field of this name."""

    def errors_for(name, **attributes):
        with isolate_apps("shop") as isolated:
            meta = type("Meta", (), {"app_label": "shop"})
            body = {"__module__": __name__, "Meta": meta, name: models.IntegerField(), **attributes}
            type("Thing", (models.Model,), body)
        monkeypatch.setattr("shop.exposure.apps", isolated)
        return [error.id for error in check_secret_fields()]

    return errors_for


NO_FIELDS = frozenset()


@pytest.mark.parametrize(
    "name",
    ["unit_cost", "margin", "token", "api_key", "password", "secret", "private_note", "staff_note"],
)
def test_a_field_with_a_secret_name_must_be_staff_only(errors_for, name):
    assert errors_for(name, STAFF_ONLY=NO_FIELDS) == ["shop.E001"]
    assert errors_for(name, STAFF_ONLY=frozenset({name})) == []


@pytest.mark.parametrize("name", ["name", "weight", "keyboard", "colour", "price"])
def test_other_fields_may_be_public(errors_for, name):
    assert errors_for(name, STAFF_ONLY=NO_FIELDS) == []


def test_models_that_are_not_exposed_are_not_checked(errors_for):
    assert errors_for("cost") == []


def test_staff_only_must_name_fields(errors_for):
    assert errors_for("weight", STAFF_ONLY=frozenset({"price"})) == ["shop.E001"]


def test_the_models_of_the_shop_pass():
    assert check_secret_fields in checks.registry.registry.get_checks()
    assert check_secret_fields() == []


def test_the_status_tables_of_the_shop_pass():
    assert check_statuses in checks.registry.registry.get_checks()
    assert check_statuses() == []


#: A status in the middle of the flow, and its row.
STATUS = OrderStatus.CONFIRMED
ROW = STATUS.facts
NEXT, *_ = ROW.next


@pytest.mark.parametrize(
    "row",
    [
        None,
        replace(ROW, action=""),
        replace(ROW, bulk_action=""),
        replace(ROW, waiting_for=""),
        replace(ROW, next=("no_such_status", NEXT, "cancelled")),
        replace(ROW, next=(NEXT,)),
        replace(ROW, next=("delivered", "cancelled")),
        replace(ROW, email="no_such_template"),
    ],
)
def test_an_incomplete_status_is_an_error(monkeypatch, row):
    if row is None:
        monkeypatch.delitem(ORDER_STATUSES, STATUS)
    else:
        monkeypatch.setitem(ORDER_STATUSES, STATUS, row)
    assert {error.id for error in check_statuses()} == {"shop.E002"}


def test_a_payment_status_without_a_row_is_an_error(monkeypatch):
    monkeypatch.delitem(PAYMENT_STATUSES, "paid")
    assert [error.id for error in check_statuses()] == ["shop.E002"]


def test_the_path_to_a_status_takes_the_usual_next_steps():
    assert OrderStatus.path_to("pending") == []
    assert OrderStatus.path_to("cancelled") == ["cancelled"]
    path = OrderStatus.path_to("delivered")
    assert (path[0], path[-1]) == (OrderStatus.PENDING.facts.next[0], "delivered")
