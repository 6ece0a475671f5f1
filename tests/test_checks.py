import pytest
from django.core import checks
from django.db import models
from django.test.utils import isolate_apps

from shop.checks import check_secret_fields


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
    message = "Thing: STAFF_ONLY names 'price', which is not a field."
    assert told("weight", STAFF_ONLY=frozenset({"price"})) == [("shop.E001", message)]


def test_the_shop_itself_has_nothing_to_say():
    assert check_secret_fields in checks.registry.registry.get_checks()
    assert check_secret_fields() == []
