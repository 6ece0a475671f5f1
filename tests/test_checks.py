import os
from dataclasses import replace

import pytest
from django.core import checks
from django.db import models
from django.test.utils import isolate_apps
from low_code import growth

from shop.checks import (
    check_emails,
    check_exposed_models,
    check_statuses,
    find_missing_natural_keys,
)
from shop.models.order_status import ORDER_STATUSES, PAYMENT_STATUSES, OrderStatus
from shop.models.outbox import EMAILS, EmailFacts
from shop.models.products import PictureField


@pytest.fixture
def errors_in(monkeypatch):
    """Return the ids that check_exposed_models reports for a model that is built in an app."""

    def errors_in(build):
        with isolate_apps("shop") as isolated:
            build()
            isolated.clear_cache()
            monkeypatch.setattr("shop.exposure.apps", isolated)
            return [error.id for error in check_exposed_models()]

    return errors_in


def build_model(class_name="Thing", /, **body):
    """Make a model with these fields and declarations."""
    meta = type("Meta", (), {"app_label": "shop"})
    return type(class_name, (models.Model,), {"__module__": __name__, "Meta": meta, **body})


@pytest.fixture
def errors_for(errors_in):
    """The same for a model with a field of this name."""
    return lambda name, **body: errors_in(
        lambda: build_model(**{name: models.IntegerField(), **body})
    )


NO_FIELDS = frozenset()


@pytest.mark.parametrize(
    "name",
    ["unit_cost", "margin", "token", "api_key", "password", "secret", "private_note", "staff_note"],
)
def test_a_field_with_a_secret_name_must_be_staff_only(errors_for, name):
    assert errors_for(name, STAFF_ONLY=NO_FIELDS) == ["shop.E001"]
    assert errors_for(name, STAFF_ONLY=frozenset({name})) == []


def test_a_declaration_must_be_a_set(errors_for):
    assert "shop.E009" in errors_for("weight", STAFF_ONLY="weight")


@pytest.mark.parametrize("plural", ["orders", "Orders", "auth", "物"])
def test_a_model_needs_a_path_of_its_own_in_the_api(errors_for, plural):
    meta = type("Meta", (), {"app_label": "shop", "verbose_name_plural": plural})
    assert errors_for("weight", STAFF_ONLY=NO_FIELDS, Meta=meta) == ["shop.E008"]


def test_two_models_need_two_paths(errors_in):
    meta = type("Meta", (), {"app_label": "shop", "verbose_name_plural": "things"})

    def build():
        build_model(STAFF_ONLY=NO_FIELDS)
        build_model("Other", STAFF_ONLY=NO_FIELDS, Meta=meta)

    assert errors_in(build) == ["shop.E008", "shop.E008"]


@pytest.mark.parametrize("name", ["name", "weight", "keyboard", "colour", "price"])
def test_other_fields_may_be_public(errors_for, name):
    assert errors_for(name, STAFF_ONLY=NO_FIELDS) == []


def test_models_that_are_not_exposed_are_not_checked(errors_for):
    assert errors_for("cost") == []


def test_staff_only_must_name_fields(errors_for):
    assert errors_for("weight", STAFF_ONLY=frozenset({"price"})) == ["shop.E003"]


@pytest.mark.parametrize(
    "declaration",
    [
        "READ_ONLY_FOR_CUSTOMERS",
        "AT_CHECKOUT",
        "ON_PACKING_SLIP",
        "KEPT_WHEN_ERASED",
        "SLOW_FILTERS",
    ],
)
def test_every_declaration_must_name_fields(errors_in, declaration):
    names = {"STAFF_ONLY": NO_FIELDS, declaration: frozenset({"prize"})}
    assert errors_in(lambda: build_model(**names)) == ["shop.E003"]


@pytest.mark.parametrize(
    ("field", "staff_only", "errors"),
    [
        (models.CharField(max_length=9), NO_FIELDS, []),
        (models.CharField(max_length=9), frozenset({"gift"}), ["shop.E004"]),
        (models.CharField(max_length=9, editable=False), NO_FIELDS, ["shop.E004"]),
        (models.FileField(), NO_FIELDS, ["shop.E004"]),
    ],
)
def test_a_checkout_asks_for_what_customers_can_write(errors_in, field, staff_only, errors):
    asked = frozenset({"gift"})
    build = lambda: build_model(gift=field.clone(), STAFF_ONLY=staff_only, AT_CHECKOUT=asked)  # noqa: E731
    assert errors_in(build) == errors


def test_a_checkout_asks_for_no_many_to_many(errors_in):
    def build():
        build_model("Tag", name=models.CharField(max_length=9, unique=True))
        tags = models.ManyToManyField("shop.Tag")
        build_model(tags=tags, STAFF_ONLY=NO_FIELDS, AT_CHECKOUT=frozenset({"tags"}))

    assert errors_in(build) == ["shop.E004"]


class NamedManager(models.Manager):
    def get_by_natural_key(self, name):
        return self.get(name=name)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"name": models.CharField(max_length=9, unique=True)}, []),
        ({"name": models.CharField(max_length=9)}, ["shop.E005"]),
        ({f"name{n}": models.CharField(max_length=9, unique=True) for n in "ab"}, ["shop.E005"]),
        ({"name": models.CharField(max_length=9, unique=True, null=True)}, ["shop.E005"]),
        (
            {
                "name": models.CharField(max_length=9, unique=True),
                "ean": models.CharField(max_length=9, unique=True, null=True),
            },
            [],
        ),
        (
            {
                "name": models.CharField(max_length=9),
                "natural_key": lambda self: (self.name,),
                "objects": NamedManager(),
            },
            [],
        ),
    ],
)
@pytest.mark.parametrize("kind", ["ForeignKey", "ManyToManyField"])
def test_what_a_file_points_to_needs_a_natural_key(errors_in, body, errors, kind):
    def build():
        build_model(
            "Brand", **{n: v.clone() if hasattr(v, "clone") else v for n, v in body.items()}
        )
        options = [models.PROTECT] if kind == "ForeignKey" else []
        build_model(brand=getattr(models, kind)("shop.Brand", *options), STAFF_ONLY=NO_FIELDS)

    assert errors_in(build) == errors


def test_the_mistake_names_the_texts_of_which_none_is_the_name(monkeypatch):
    with isolate_apps("shop") as isolated:
        texts = {name: models.CharField(max_length=9, unique=True) for name in ("sku", "ean")}
        build_model("Brand", **texts)
        thing = build_model(
            brand=models.ForeignKey("shop.Brand", models.PROTECT), STAFF_ONLY=NO_FIELDS
        )
        isolated.clear_cache()
        monkeypatch.setattr("shop.exposure.apps", isolated)
        [mistake] = find_missing_natural_keys(thing)
    assert "(sku, ean)" in mistake


@pytest.mark.parametrize(
    ("field", "errors"),
    [
        (models.CharField(max_length=9), []),
        (models.DateField(null=True), []),
        (models.IntegerField(default=0), []),
        (models.FileField(), []),
        (models.IntegerField(), ["shop.E006"]),
        (models.CharField(max_length=9, unique=True), ["shop.E006"]),
        (models.CharField(max_length=9, unique=True, null=True), []),
    ],
)
def test_a_personal_field_can_be_erased_or_is_kept(errors_in, field, errors):
    def build(kept=NO_FIELDS):
        build_model(thing=field.clone(), STAFF_ONLY=NO_FIELDS, KEPT_WHEN_ERASED=kept)

    assert errors_in(build) == errors
    assert errors_in(lambda: build(frozenset({"thing"}))) == []


@pytest.mark.parametrize(
    ("names", "errors"),
    [
        (("sold_at", "bought_at"), []),
        (("sold_at", "sold"), ["shop.E007"] * 2),
        (("search", "weight"), ["shop.E007"]),
        (("weight", "min_weight"), ["shop.E007"]),
        (("weight", "has_weight"), ["shop.E007"]),
    ],
)
def test_a_query_parameter_belongs_to_one_field(errors_in, names, errors):
    first, second = names
    is_date = first.endswith("_at")
    fields = {
        first: models.DateTimeField(null=True) if is_date else models.IntegerField(null=True),
        second: models.DateField() if is_date else models.BooleanField(),
    }
    if first == "search":
        fields[first] = models.BooleanField()
    assert errors_in(lambda: build_model(**fields, STAFF_ONLY=NO_FIELDS)) == errors


@pytest.mark.parametrize(
    ("field", "errors"),
    [
        (models.IntegerField(), ["shop.W001"]),
        (models.CharField(max_length=9), ["shop.W001"]),
        (models.DateField(), ["shop.W001"]),
        (models.IntegerField(db_index=True), []),
        (models.CharField(max_length=9, unique=True), []),
        (models.BooleanField(), []),
        (models.TextField(), []),
    ],
)
def test_a_large_table_is_filtered_by_an_index(errors_in, field, errors):
    def build(**declared):
        build_model(thing=field.clone(), STAFF_ONLY=NO_FIELDS, **declared)

    assert errors_in(lambda: build(SLOW_FILTERS=NO_FIELDS)) == errors
    assert errors_in(lambda: build(SLOW_FILTERS=frozenset({"thing"}))) == []
    assert errors_in(build) == []


def test_pictures_are_cleaned(errors_in):
    build = lambda field: lambda: build_model(logo=field, STAFF_ONLY=NO_FIELDS)  # noqa: E731
    assert errors_in(build(models.ImageField())) == ["shop.W002"]
    assert errors_in(build(PictureField(upload_to="logos"))) == []


def test_the_models_of_the_shop_pass():
    assert check_exposed_models in checks.registry.registry.get_checks()
    # The grown copy of the project has small tables, and filters without an index.
    is_grown = growth.GROWN in os.environ
    errors = [error for error in check_exposed_models() if error.is_serious() or not is_grown]
    assert errors == []


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
    ],
)
def test_an_incomplete_status_is_an_error(monkeypatch, row):
    if row is None:
        monkeypatch.delitem(ORDER_STATUSES, STATUS)
    else:
        monkeypatch.setitem(ORDER_STATUSES, STATUS, row)
    assert {error.id for error in check_statuses()} == {"shop.E002"}


def test_the_email_of_a_status_needs_a_template(monkeypatch):
    assert check_emails() == []
    monkeypatch.setitem(ORDER_STATUSES, STATUS, replace(ROW, email="no_such_template"))
    assert [error.id for error in check_emails()] == ["shop.E010"]


@pytest.mark.parametrize(
    ("name", "source", "errors"),
    [
        ("order_lost.txt", "Lost\n{% load i18n %}", 0),
        ("order_lost.html", "Lost", 1),  # the text is missing
        ("order_lost.txt", "Lost\n{% if %}", 1),
        ("order_lost.txt", '{% extends "emails/no_such.txt" %}', 1),
        ("order_lost.txt", '{% include "emails/no_such.txt" %}', 1),
    ],
)
def test_an_email_needs_a_template_that_can_be_read(
    monkeypatch, settings, tmp_path, name, source, errors
):
    (tmp_path / "emails").mkdir()
    (tmp_path / "emails" / name).write_text(source)
    [engine] = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], tmp_path]}]
    monkeypatch.setitem(EMAILS, "order_lost", EmailFacts("Lost", "When it is lost."))
    assert [error.id for error in check_emails()] == ["shop.E010"] * errors


def test_a_payment_status_without_a_row_is_an_error(monkeypatch):
    monkeypatch.delitem(PAYMENT_STATUSES, "paid")
    assert [error.id for error in check_statuses()] == ["shop.E002"]


def test_the_path_to_a_status_takes_the_usual_next_steps():
    assert OrderStatus.path_to("pending") == []
    assert OrderStatus.path_to("cancelled") == ["cancelled"]
    path = OrderStatus.path_to("delivered")
    assert (path[0], path[-1]) == (OrderStatus.PENDING.facts.next[0], "delivered")
