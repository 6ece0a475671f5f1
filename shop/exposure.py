"""Which fields of a model appear where, and what can be filtered, sorted and searched by them.

A field declares what it allows where it is declared: `editable`, `choices`, `null`, `blank`, an
index. The model declares the little that a field can't, each a frozenset of field names:

- `STAFF_ONLY`: never in the API. A model that has the attribute, even empty, is exposed.
- `READ_ONLY_FOR_CUSTOMERS`, of a user: shown to the customer, changed by staff.
- `AT_CHECKOUT`, of an order: sent with the checkout and asked in a phone order.
- `ON_PACKING_SLIP`, of an order: printed on the packing slip.
- `KEPT_WHEN_ERASED`: not personal. All other fields of a model that has it are erased.
- `SLOW_FILTERS`: filtered without an index, on purpose.

API, admin, product files, exports and erasure take their lists of fields from this module, so that
a new field appears in each of them without further code.
"""

import enum
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.text import slugify

type Model = type[models.Model]
type Field = models.Field[Any, Any]

#: What an erasure leaves in a text that may not be empty.
ERASED = "[erased]"
#: Field types whose values don't fit in a column of a list.
NON_COLUMN_TYPES = (models.TextField, models.JSONField, models.FileField, models.BinaryField)
DECLARATIONS = (
    "STAFF_ONLY",
    "READ_ONLY_FOR_CUSTOMERS",
    "AT_CHECKOUT",
    "ON_PACKING_SLIP",
    "KEPT_WHEN_ERASED",
    "SLOW_FILTERS",
)


class FilterKind(enum.Enum):
    """How the values of a field are compared when a list is filtered by it."""

    BOOLEAN = enum.auto()
    CHOICE = enum.auto()  # one or more of the choices
    RELATION = enum.auto()  # one or more records, by their keys
    EXACT = enum.auto()  # one or more texts or keys, exactly
    NUMBER = enum.auto()  # from a lowest to a highest one
    DATE = enum.auto()  # from a first to a last day or moment
    FILE = enum.auto()  # whether there is one


#: Field class -> how it is filtered. The first match counts; other fields are not filtered.
FILTER_KINDS: tuple[tuple[type[models.Field[Any, Any]], FilterKind | None], ...] = (
    (models.FileField, FilterKind.FILE),
    (models.TextField, None),
    (models.AutoField, FilterKind.EXACT),
    (models.BooleanField, FilterKind.BOOLEAN),
    (models.CharField, FilterKind.EXACT),
    (models.UUIDField, FilterKind.EXACT),
    (models.IntegerField, FilterKind.NUMBER),
    (models.DecimalField, FilterKind.NUMBER),
    (models.FloatField, FilterKind.NUMBER),
    (models.DateField, FilterKind.DATE),
)


def concrete_fields(model: Model) -> list[Field]:
    """Return the fields that have a column in the model's table, in declaration order."""
    return list(model._meta.concrete_fields)


def many_to_many_fields(model: Model) -> list[Field]:
    """Return the many-to-many fields without a through model of their own."""
    return [f for f in model._meta.many_to_many if f.remote_field.through._meta.auto_created]  # type: ignore[union-attr]


def all_fields(model: Model) -> list[Field]:
    """Return the fields with a column, then the many-to-many fields."""
    return concrete_fields(model) + many_to_many_fields(model)


def get_field(model: Model, name: str) -> Field:
    """Return the field with this name. Raises FieldDoesNotExist."""
    field: Field = model._meta.get_field(name)  # type: ignore[assignment]
    return field


def api_name(field: Field) -> str:
    """Return the field's name in the API: `brand_id`, `tag_ids`, or its own."""
    return f"{singular(field.name)}_ids" if field.many_to_many else field.attname


def singular(name: str) -> str:
    """Return the English singular of a field's name: `tags` -> `tag`, `categories` -> `category`.

    >>> singular("boxes"), singular("address")
    ('box', 'address')
    """
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    if name.endswith(("ses", "xes", "zes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def declared_names(model: Model, declaration: str) -> frozenset[str]:
    """Return the field names in one of the model's DECLARATIONS; empty if it has none."""
    names: frozenset[str] = getattr(model, declaration, frozenset())
    return names


def staff_only_fields(model: Model) -> frozenset[str]:
    """Return the names of the fields that only the admin and product files contain."""
    return declared_names(model, "STAFF_ONLY")


def api_readable_fields(model: Model) -> list[str]:
    """Return the names of the fields in an API response."""
    return [f.name for f in all_fields(model) if f.name not in staff_only_fields(model)]


def api_writable_fields(model: Model) -> list[str]:
    """Return the names of the fields in a JSON request body. Files have endpoints of their own."""
    return [name for name in file_fields(model) if name not in staff_only_fields(model)]


def customer_writable_fields(user_model: Model) -> list[str]:
    """Return the names of the fields that customers fill in about themselves."""
    read_only = declared_names(user_model, "READ_ONLY_FOR_CUSTOMERS")
    return [name for name in api_writable_fields(user_model) if name not in read_only]


def checkout_fields(order_model: Model) -> list[str]:
    """Return the names of the order's fields that customers send with the checkout."""
    asked = declared_names(order_model, "AT_CHECKOUT")
    return [name for name in api_writable_fields(order_model) if name in asked]


def staff_writable_fields(order_model: Model) -> list[str]:
    """Return the names of the order's editable fields that are not asked at checkout."""
    asked = declared_names(order_model, "AT_CHECKOUT")
    return [name for name in editable_fields(order_model) if name not in asked]


def personal_fields(model: Model) -> list[Field]:
    """Return the fields that an erasure clears: all that are not in `KEPT_WHEN_ERASED`."""
    kept = declared_names(model, "KEPT_WHEN_ERASED")
    return [
        field
        for field in all_fields(model)
        if field.name not in kept and not field.primary_key and not field.generated
    ]


def empty_value(field: Field) -> Any:
    """Return the value of a cleared field: null, else the default, else an empty list or text."""
    if field.null:
        return None
    if field.has_default():
        return field.get_default()
    return [] if field.many_to_many else ""


def erased_value(field: Field) -> Any:
    """Return the value of an erased field: the empty one, but for a text that may not be empty."""
    needs_text = _is_text(field) and not (field.blank or field.null or field.has_default())
    return ERASED[: field.max_length] if needs_text else empty_value(field)


def can_be_erased(field: Field) -> bool:
    """Return whether `erased_value` can be stored in any number of rows."""
    if field.many_to_many or field.null:
        return True
    has_value = field.has_default() or _is_text(field) or isinstance(field, models.FileField)
    return has_value and not field.unique


def _is_text(field: Field) -> bool:
    return isinstance(field, (models.CharField, models.TextField))


def editable_fields(model: Model) -> list[str]:
    """Return the names of the fields that staff edit in the admin's form."""
    return [f.name for f in all_fields(model) if f.editable and not f.primary_key]


def file_fields(model: Model) -> list[str]:
    """Return the names of the fields that are columns of a product file: editable, not uploads."""
    return [
        name
        for name in editable_fields(model)
        if not isinstance(get_field(model, name), models.FileField)
    ]


def read_only_fields(model: Model) -> list[str]:
    """Return the names of the fields that the admin shows but nobody edits."""
    return [f.name for f in all_fields(model) if not f.editable]


def list_columns(model: Model) -> list[str]:
    """Return the names of the fields whose values fit in a column of the admin's list."""
    return [
        f.name
        for f in concrete_fields(model)
        if not isinstance(f, NON_COLUMN_TYPES) and not f.primary_key
    ]


@functools.cache
def media_fields(model: Model) -> list[str]:
    """Return the names of the uploaded files in an API response, which are rendered as URLs."""
    return [
        name
        for name in api_readable_fields(model)
        if isinstance(get_field(model, name), models.FileField)
    ]


def filter_kind(field: Field) -> FilterKind | None:
    """Return how lists are filtered by the field, or None if they are not."""
    if field.is_relation:
        return FilterKind.RELATION
    if field.choices:
        return FilterKind.CHOICE
    output = getattr(field, "output_field", field)
    return next((kind for class_, kind in FILTER_KINDS if isinstance(output, class_)), None)


def sortable_fields(model: Model) -> list[str]:
    """Return the names of the fields that a list can be sorted by: indexed ones, and timestamps.

    A timestamp that Django maintains is sortable without an index, for those who read what changed.
    """
    indexed = indexed_fields(model)
    return [
        f.name
        for f in concrete_fields(model)
        if f.name in indexed or getattr(f, "auto_now", False) or getattr(f, "auto_now_add", False)
    ]


def indexed_fields(model: Model) -> set[str]:
    """Return the names of the fields that an index of the whole table sorts by, then by key."""
    return _fields_with_an_index(model) | {
        names[0]
        for names in _index_columns(model)
        if names[1:] in ([], ["id"], [model._meta.pk.name])
    }


def leading_index_fields(model: Model) -> set[str]:
    """Return the names of the fields that an index of the whole table starts with."""
    expressions = {
        name
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.condition is None
        for name in _first_names(constraint)
    }
    leading = {names[0] for names in _index_columns(model)}
    return _fields_with_an_index(model) | expressions | leading


def _fields_with_an_index(model: Model) -> set[str]:
    fields = concrete_fields(model)
    return {f.name for f in fields if f.unique or getattr(f, "db_index", False)}


def _index_columns(model: Model) -> Iterator[list[str]]:
    for index in model._meta.indexes:
        if index.fields and index.condition is None:
            yield [name.strip("-") for name in index.fields]


def _first_names(constraint: models.UniqueConstraint) -> Iterator[str]:
    """Yield the field that the constraint's index starts with, also inside an expression."""
    if constraint.fields:
        yield constraint.fields[0]
    elif constraint.expressions:
        expression: Any = constraint.expressions[0]
        for part in expression.flatten():
            if isinstance(part, models.F):
                yield str(part.name)  # type: ignore[attr-defined]


def unique_text_fields(model: Model) -> list[Field]:
    """Return the single texts, never null, whose value identifies a row, perhaps in any case."""
    unique = unique_fields(model, partly=False)
    fields = [field for field in concrete_fields(model) if field.name in unique]
    return [field for field in fields if isinstance(field, models.CharField) and not field.null]


def unique_fields(model: Model, *, partly: bool = True) -> set[str]:
    """Return the names of the fields of which no two rows, or `partly` some, share a value."""
    constraints = [c for c in model._meta.constraints if isinstance(c, models.UniqueConstraint)]
    return {field.name for field in concrete_fields(model) if field.unique} | {
        name
        for constraint in constraints
        if len(constraint.fields or constraint.expressions) == 1
        and (partly or constraint.condition is None)
        for name in _first_names(constraint)
    }


def search_fields(model: Model) -> list[str]:
    """Return the names of the fields that a search reads: the search column, else short texts."""
    names = [f.name for f in model._meta.get_fields() if f.name == "search_text"]
    return names or [
        f.name for f in concrete_fields(model) if isinstance(f, models.CharField) and not f.choices
    ]


def expandable_fields(model: Model) -> list[str]:
    """Return the names of the readable relations to models of the catalogue."""
    catalogue = catalogue_models()
    return [
        name
        for name in api_readable_fields(model)
        if get_field(model, name).related_model in catalogue
    ]


def url_segment(model: Model) -> str:
    """Return the segment of an API path for a model, from its plural name: `suppliers`."""
    return slugify(str(model._meta.verbose_name_plural))


def exposed_models() -> list[Model]:
    """Return the exposed models: those with a `STAFF_ONLY` attribute, which may be empty."""
    return [m for m in apps.get_app_config("shop").get_models() if hasattr(m, "STAFF_ONLY")]


def catalogue_models() -> list[Model]:
    """Return the exposed models without personal data, which everybody with the catalogue reads."""
    return [m for m in exposed_models() if not hasattr(m, "KEPT_WHEN_ERASED")]


def rename_api_names(model: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a request body by field name: `tag_ids` becomes `tags`."""
    names = {api_name(field): field.name for field in many_to_many_fields(model)}
    return {names.get(name, name): value for name, value in values.items()}


def names_of(fields: Iterable[Field]) -> list[str]:
    """Return the names of these fields."""
    return [field.name for field in fields]
