"""Pydantic schemas generated from models, for API bodies and for rows of product files.

`response_schema` and `request_schema` are class decorators that add a pydantic field for each
model field: type, choices, limits and validators, and the verbose name and help text as title and
description. The field lists come from `shop.exposure`::

    @request_schema(Product, exposure.api_writable_fields(Product))
    class ProductIn(Body):
        stock: int = 0
"""

import datetime
import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator, MaxLengthValidator
from django.db import models
from django.utils.translation import gettext as _
from ninja.orm.fields import TYPES
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from shop import exposure, text_validation
from shop.db.nullable_values import may_be_null

#: Types that don't accept other types: neither "3" nor true is a number.
STRICT_TYPES = (int, bool)
#: Records that one many-to-many field of a request body may name.
MAX_RELATED = 1000
#: The key of a related record in a request body. A larger number fits in no column.
RECORD_KEY = Annotated[int, Strict(), Field(ge=1, le=2**63 - 1)]
#: Types that pydantic would also read from a Unix timestamp.
DATE_TYPES = (datetime.date, AwareDatetime, datetime.time)
#: Model field -> Python type. JSON is any value: ninja would document an object without properties.
PYTHON_TYPES: dict[str, Any] = TYPES | {"JSONField": Any}
TIMESTAMP = re.compile(r"\s*[-+]?[\d.]+\s*")
#: Codes of Django's validators -> pydantic's names for the same limits.
LIMIT_NAMES = {"min_value": "ge", "max_value": "le"}
#: Optional fields have no default in the OpenAPI document: a generated client would send it, and
#: overwrite a value that its caller left out.
OPTIONAL: dict[str, Any] = {"default_factory": lambda: None}

#: Name, type and metadata of a pydantic field.
type FieldDefinition = tuple[str, Any, FieldInfo]


class Body(BaseModel):
    """Base class of request bodies. Unknown field names are an error."""

    model_config = ConfigDict(extra="forbid")


def response_schema[M: BaseModel](
    model: exposure.Model, names: Iterable[str], *, expandable: bool = False
) -> Callable[[type[M]], type[M]]:
    """Return a class decorator that adds the named model fields as a response has them.

    Every field is required: a response always contains all of them. A foreign key is added under
    its column's name (`supplier_id`), a many-to-many field as a list of keys (`tag_ids`), and an
    uploaded file as its URL or null. With `expandable`, a relation to a model of the catalogue is
    also added under its own name, as an optional field with the related records (`supplier`,
    `tags`), which refers to the schema `SupplierOut`: that may be made later.
    """

    def decorate(schema: type[M]) -> type[M]:
        fields = [exposure.get_field(model, name) for name in names]
        relations = exposure.expandable_fields(model) if expandable else []
        expanded = [field for field in fields if field.name in relations]
        definitions = (*map(_response_field, fields), *map(_expanded_field, expanded))
        return _complete(add_fields(schema, definitions))

    return decorate


#: Name -> response schema. Each may refer to others by name.
_responses: dict[str, type[BaseModel]] = {}


def response_name(model: exposure.Model) -> str:
    """Return the name of a model's response schema: `SupplierOut`."""
    return f"{model.__name__}Out"


def generate_response(model: exposure.Model) -> type[BaseModel]:
    """Generate the response schema of a model without one of its own."""
    schema = type(
        response_name(model), (BaseModel,), {"__doc__": model.__doc__, "__module__": __name__}
    )
    names = exposure.api_readable_fields(model)
    return response_schema(model, names, expandable=True)(schema)


def _complete[M: BaseModel](schema: type[M]) -> type[M]:
    """Register a response schema, and resolve what it and earlier ones refer to, if that exists."""
    _responses[schema.__name__] = schema
    for each in _responses.values():
        each.model_rebuild(raise_errors=False, _types_namespace=_responses)
    return schema


def request_schema[M: BaseModel](
    model: exposure.Model,
    names: Iterable[str],
    *,
    partial: bool = False,
    with_defaults: bool = False,
) -> Callable[[type[M]], type[M]]:
    """Return a class decorator that adds the named model fields as a request body has them.

    A field is required if the model requires a value: it has no default, and is neither null nor
    blank. With `partial`, as for PATCH, no field is required. Read a body with
    `model_dump(exclude_unset=True)`: fields that were not sent are then left out.

    `with_defaults` gives optional fields the model's defaults, for a body that always states a
    whole record, such as an order's.
    """
    return lambda schema: add_fields(
        schema,
        (
            _request_field(exposure.get_field(model, name), partial=partial, defaults=with_defaults)
            for name in names
        ),
    )


def add_fields[M: BaseModel](schema: type[M], definitions: Iterable[FieldDefinition]) -> type[M]:
    """Add the fields that the schema doesn't declare itself, with a type of its own."""
    fields: dict[str, Any] = {
        name: (type_, info) for name, type_, info in definitions if name not in schema.model_fields
    }
    return create_model(
        schema.__name__,
        __base__=schema,
        __module__=schema.__module__,
        __doc__=schema.__doc__,
        **fields,
    )


def _response_field(field: exposure.Field) -> FieldDefinition:
    type_ = _python_type(field)
    if may_be_null(field) or isinstance(field, models.FileField):
        type_ = type_ | None
    return exposure.api_name(field), type_, field_info(field)


def _expanded_field(field: exposure.Field) -> FieldDefinition:
    """Return the optional field of the related records, each with its model's response schema."""
    related = response_name(field.related_model)  # type: ignore[arg-type]
    type_ = f"list[{related}]" if field.many_to_many else f"{related} | None"
    description = f"Only with `expand={field.name}`."
    return field.name, type_, field_info(field, description=description, **OPTIONAL)


def _request_field(
    field: exposure.Field, *, partial: bool, defaults: bool = False
) -> FieldDefinition:
    type_ = _python_type(field)
    if field.many_to_many:
        key_type: Any = RECORD_KEY if type_ == list[int] else type_.__args__[0]
        type_ = Annotated[
            list[key_type], Field(max_length=MAX_RELATED), AfterValidator(_unique_values)
        ]
    elif field.is_relation and type_ is int:
        type_ = RECORD_KEY
    elif field.choices:
        type_ = Literal[choice_values(field)]
    else:
        for constraint in (*_type_constraints(field, type_), *_field_validators(field)):
            type_ = Annotated[type_, constraint]
    if field.null:
        type_ = type_ | None

    required = not (partial or field.null or field.blank or field.has_default())
    optional = _default_of(field) if defaults else OPTIONAL
    return exposure.api_name(field), type_, field_info(field, **({} if required else optional))


def _default_of(field: exposure.Field) -> dict[str, Any]:
    """Return the model's default as pydantic's; one that is computed is not in the document."""
    if field.has_default() and callable(field.default):
        return {"default_factory": field.get_default}
    default = [] if field.many_to_many else field.get_default()
    return {"default": getattr(default, "value", default)}


def _python_type(field: exposure.Field) -> Any:
    """Return the field's Python type; date-times must have a time zone.

    A foreign key has the type of its target, a many-to-many field a list of these, and a generated
    field the type of its output.
    """
    target = getattr(field, "target_field" if field.is_relation else "output_field", field)
    type_: Any = PYTHON_TYPES[target.get_internal_type()]
    if field.many_to_many:
        return list[type_]
    return AwareDatetime if type_ is datetime.datetime else type_


def _unique_values(values: list[Any]) -> list[Any]:
    """Return the values in their order, each once."""
    return list(dict.fromkeys(values))


def _type_constraints(field: exposure.Field, type_: Any) -> Iterator[Any]:
    """Yield pydantic metadata for the limits and conversions that depend on the field's type."""
    if type_ in STRICT_TYPES:
        yield Strict()
    if type_ in DATE_TYPES:
        yield BeforeValidator(_reject_timestamp)
    if type_ is str:
        yield AfterValidator(text_validation.cleaner_of(field))
        yield Field(min_length=None if field.blank else 1, max_length=field.max_length)
    if isinstance(field, models.JSONField):
        yield AfterValidator(_clean_json)
        if not field.null:
            yield AfterValidator(_refuse_null)
    if type_ is Decimal:
        yield Field(
            max_digits=getattr(field, "max_digits", None),
            decimal_places=getattr(field, "decimal_places", None),
        )


def _field_validators(field: exposure.Field) -> Iterator[Any]:
    """Yield the field's validators as pydantic metadata: limits first, then all others together.

    Limits appear in the OpenAPI document; other validators don't.
    """
    covered: list[Any] = [MaxLengthValidator(field.max_length)]
    if isinstance(field, models.DecimalField):
        covered.append(DecimalValidator(field.max_digits, field.decimal_places))
    others = []
    for validator in field.validators:
        if limit := _numeric_limit(validator):
            yield Field(**limit)
        elif validator not in covered:
            others.append(validator)
    if others:
        yield AfterValidator(_run_validators(field, others))


def _clean_json(value: Any) -> Any:
    """Return a value that every database stores. Its texts follow the rules of other texts."""
    plain = json.loads(json.dumps(value, default=float, allow_nan=False))
    unread = [plain]
    while unread:
        part = unread.pop()
        if isinstance(part, str):
            text_validation.clean_text(part)
        elif isinstance(part, dict):
            unread += [*part, *part.values()]
        elif isinstance(part, list):
            unread += part
        elif isinstance(part, int) and abs(part) >= 2**63:
            raise ValueError(_("This number is too large."))
    return plain


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("null", "{message}", {"message": _("This field cannot be null.")})
    return value


def _reject_timestamp(value: Any) -> Any:
    """Refuse numbers: dates are ISO 8601 only."""
    text = value if isinstance(value, str) else ""
    if isinstance(value, (int, float, Decimal)) or TIMESTAMP.fullmatch(text):
        raise PydanticCustomError(
            "date_parsing", "{message}", {"message": _("Use the ISO 8601 format.")}
        )
    return value


def choice_values(field: exposure.Field) -> tuple[Any, ...]:
    """Return the values of a field with choices; a text that may be empty has that choice too."""
    blank = ("",) if field.blank and field.empty_strings_allowed else ()
    return tuple(value for value, _label in field.flatchoices) + blank


def numeric_limits(field: exposure.Field) -> dict[str, Any]:
    """Return the field's minimum and maximum as pydantic names them: `{"ge": 0}`."""
    limits: dict[str, Any] = {}
    for limit in map(_numeric_limit, field.validators):
        limits |= limit
    return limits


def _numeric_limit(validator: Any) -> dict[str, Any]:
    """Return a minimum or maximum as pydantic names it (`{"ge": 0}`), else an empty dict."""
    name = LIMIT_NAMES.get(getattr(validator, "code", ""))
    return {name: validator.limit_value} if name and not callable(validator.limit_value) else {}


def _run_validators(
    field: exposure.Field, validators: Iterable[Callable[[Any], None]]
) -> Callable[[Any], Any]:
    """Return a pydantic validator that runs Django's and keeps the code of the first error."""

    def validate(value: Any) -> Any:
        if value in field.empty_values:
            return value
        try:
            for validator in validators:
                validator(value)
        except ValidationError as error:
            first = error.error_list[0]
            raise PydanticCustomError(
                str(first.code or "invalid"), "{message}", {"message": first.messages[0]}
            ) from error
        return value

    return validate


def field_info(field: exposure.Field, **options: Any) -> FieldInfo:
    """Return a pydantic field with the field's name and help text as title and description."""
    title = str(field.verbose_name)
    texts = {"title": title[:1].upper() + title[1:], "description": str(field.help_text) or None}
    info: FieldInfo = Field(**texts | options)
    return info
