"""Shapes read from a model for a body or a row: its types, choices, validators, limits and texts."""

import datetime
import json
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator, MaxLengthValidator
from django.db import models
from ninja.orm.fields import TYPES
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from shop import exposure, text_validation

NOT_COERCED = (int, bool)  # so that neither "3" nor true passes for a number
BOUNDS = {"min_value": "ge", "max_value": "le"}
# No default in the document: a generated client that sent it along would overwrite what it left out.
OPTIONAL: dict[str, Any] = {"default_factory": lambda: None}


class Body(BaseModel):
    """A body that refuses unknown names: a typing mistake is an error, not silence."""

    model_config = ConfigDict(extra="forbid")


def response_schema[M: BaseModel](
    model: exposure.Model, names: Iterable[str]
) -> Callable[[type[M]], type[M]]:
    """Fill a class with what is answered: every name always present."""
    return lambda shape: _filled(shape, {n: _outgoing(exposure.get_field(model, n)) for n in names})


def request_schema[M: BaseModel](
    model: exposure.Model, names: Iterable[str], *, partial: bool = False
) -> Callable[[type[M]], type[M]]:
    """Fill a class with what may be sent: required is what the model requires (nothing, if partial)."""
    return lambda shape: _filled(
        shape, {n: _incoming(exposure.get_field(model, n), partial=partial) for n in names}
    )


def _filled[M: BaseModel](shape: type[M], found: dict[str, tuple[str, Any, FieldInfo]]) -> type[M]:
    fields: dict[str, Any] = {key: (type_, about) for key, type_, about in found.values()}
    return create_model(
        shape.__name__, __base__=shape, __module__=shape.__module__, __doc__=shape.__doc__, **fields
    )


def _outgoing(field: exposure.Field) -> tuple[str, Any, FieldInfo]:
    type_ = _python_type(field)
    if field.null or isinstance(field, models.FileField):
        type_ = type_ | None
    return field.attname, type_, _about(field)


def _incoming(field: exposure.Field, *, partial: bool) -> tuple[str, Any, FieldInfo]:
    type_ = _python_type(field)
    if field.choices:
        blank = ("",) if field.blank else ()
        type_ = Literal[tuple(value for value, _ in field.flatchoices) + blank]
    else:
        for limit in _limits(field, type_):
            type_ = Annotated[type_, limit]
    if field.null:
        type_ = type_ | None
    required = not (partial or field.null or field.blank or field.has_default())
    return field.attname, type_, _about(field, **({} if required else OPTIONAL))


def _python_type(field: exposure.Field) -> Any:
    target = getattr(field, "target_field" if field.is_relation else "output_field", field)
    type_ = TYPES[target.get_internal_type()]
    return AwareDatetime if type_ is datetime.datetime else type_


def _limits(field: exposure.Field, type_: Any) -> Iterator[Any]:
    """The limits that pydantic and the document know, then what the field's validators say besides."""
    if type_ in NOT_COERCED:
        yield Strict()
    if type_ is str:
        yield AfterValidator(
            text_validation.clean_text
            if isinstance(field, models.TextField)
            else text_validation.clean_line
        )
        yield Field(min_length=None if field.blank else 1, max_length=field.max_length)
    if isinstance(field, models.JSONField):
        yield AfterValidator(lambda value: json.loads(json.dumps(value, default=float)))
    if type_ is Decimal:
        yield Field(
            max_digits=getattr(field, "max_digits", None),
            decimal_places=getattr(field, "decimal_places", None),
        )
    said_above: list[Any] = [MaxLengthValidator(field.max_length)]
    if isinstance(field, models.DecimalField):
        said_above.append(DecimalValidator(field.max_digits, field.decimal_places))
    more = []
    for validator in field.validators:
        if bound := _bound(validator):
            yield Field(**bound)
        elif validator not in said_above:
            more.append(validator)
    if more:
        yield AfterValidator(_checked_by(field, more))


def _bound(validator: Any) -> dict[str, Any]:
    name = BOUNDS.get(getattr(validator, "code", ""))
    return {name: validator.limit_value} if name and not callable(validator.limit_value) else {}


def _checked_by(
    field: exposure.Field, validators: Iterable[Callable[[Any], None]]
) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value in field.empty_values:
            return value
        try:
            for validator in validators:
                validator(value)
        except ValidationError as error:
            found = error.error_list[0]
            raise PydanticCustomError(
                str(found.code or "invalid"), "{m}", {"m": found.messages[0]}
            ) from error
        return value

    return check


def _about(field: exposure.Field, **more: Any) -> FieldInfo:
    title = str(field.verbose_name)
    info: FieldInfo = Field(
        title=title[:1].upper() + title[1:], description=str(field.help_text) or None, **more
    )
    return info
