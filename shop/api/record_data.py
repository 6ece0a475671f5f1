"""The values of records in responses, and the names of their fields in errors."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

from shop import exposure
from shop.api.media_urls import site_root, with_media_urls


def record_data(request: HttpRequest, record: Model) -> dict[str, Any]:
    """Return the values of a record for the response schema of its model."""
    model = type(record)
    columns, relations = _response_names(model)
    data = {name: getattr(record, name) for name in columns}
    for name, attribute in relations:
        data[name] = sorted(related.pk for related in getattr(record, attribute).all())
    if files := exposure.media_fields(model):
        data |= {name: data[name].name for name in files}
        with_media_urls(site_root(request), model, [data])
    return data


@functools.cache
def readable_relations(model: exposure.Model) -> list[str]:
    """Return the many-to-many fields that `record_data` reads: prefetch them for a list."""
    return [attribute for _name, attribute in _response_names(model)[1]]


@functools.cache
def _response_names(model: exposure.Model) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the columns of a response, then name and field of its many-to-many fields."""
    fields = [exposure.get_field(model, name) for name in exposure.api_readable_fields(model)]
    columns = [field.attname for field in fields if not field.many_to_many]
    return columns, [(exposure.api_name(f), f.name) for f in fields if f.many_to_many]


@contextmanager
def errors_by_api_name(model: exposure.Model) -> Iterator[None]:
    """Let a ValidationError name fields as the API does: `brand_id` instead of `brand`."""
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        names = {field.name: exposure.api_name(field) for field in exposure.all_fields(model)}
        by_name = {names.get(name, name): errors for name, errors in error.error_dict.items()}
        raise ValidationError(by_name) from error
