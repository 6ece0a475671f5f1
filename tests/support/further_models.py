"""Example records of the catalogue's models other than Product, whatever fields they have."""

import datetime
from typing import Any

from django.db import models

from shop import exposure
from shop.models import Product
from shop.models.products import PictureField
from shop.services.groups import further_models

#: Field class -> an example of its values. The first match counts.
EXAMPLES: tuple[tuple[type[models.Field], Any], ...] = (
    (models.EmailField, "mail@example.com"),
    (models.URLField, "https://example.com/"),
    (models.CharField, "Example"),
    (models.TextField, "Example"),
    (models.BooleanField, True),
    (models.IntegerField, 1),
    (models.DecimalField, 1),
    (models.FloatField, 1.5),
    (models.DateTimeField, datetime.datetime(2026, 3, 1, 9, 30, tzinfo=datetime.UTC)),
    (models.DateField, datetime.date(2026, 3, 1)),
    (models.JSONField, {"example": True}),
)
#: The key of records that are named by it in a URL, the same for all models, and so high that no
#: sequence reaches it.
KNOWN_KEY = 1_000_001


def operation_names(verb: str) -> set[str]:
    """Return the ids of the generated operations with this verb, such as `list`."""
    return {f"{verb}_{model._meta.model_name}" for model in further_models()}


def added_pictures() -> dict[str, str]:
    """Return the ids of the operations on pictures other than a product's, with their model."""
    return {
        f"{verb}_{model._meta.model_name}_{name}": str(model._meta.model_name)
        for model in exposure.catalogue_models()
        for name in picture_fields(model)
        for verb in ("set", "remove")
    }


def picture_fields(model: exposure.Model) -> list[str]:
    """Return the picture fields that have generated operations: all but a product's `image`."""
    fields = [exposure.get_field(model, name) for name in exposure.media_fields(model)]
    return [
        field.name
        for field in fields
        if isinstance(field, PictureField) and field.editable
        if (model, field.name) != (Product, "image")
    ]


def is_required(field: exposure.Field) -> bool:
    optional = field.null or field.blank or field.has_default() or field.primary_key
    automatic = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    return not (optional or automatic or field.generated)


def example_value(field: exposure.Field) -> Any:
    """Return a valid value; of a foreign key, a new record."""
    if field.is_relation:
        return create_record(field.related_model)
    if field.choices:
        return field.flatchoices[0][0]
    value = next(value for class_, value in EXAMPLES if isinstance(field, class_))
    return value[: field.max_length] if isinstance(value, str) else value


def create_record(model: exposure.Model, **values: Any) -> Any:
    """Create a record with example values for the fields that need one and are not given."""
    for field in exposure.concrete_fields(model):
        if is_required(field) and field.name not in values:
            values[field.name] = example_value(field)
    return model._default_manager.create(**values)


def create_records(**values: Any) -> None:
    """Create a record of each further model."""
    for model in further_models():
        create_record(model, **values)


def example_values(model: exposure.Model, names: list[str]) -> dict[str, Any]:
    """Return another valid value for each of these fields that needs one. Creates no record."""
    fields = [exposure.get_field(model, name) for name in names]
    values = {
        field.name: example_value(field)
        for field in fields
        if is_required(field) and not field.is_relation
    }
    return {
        name: f"Another {value}" if isinstance(value, str) else str(value)
        for name, value in values.items()
    }
