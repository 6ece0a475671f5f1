"""The values of a model's fields as text for people, on packing slips, summaries and pages."""

import datetime
import json
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from shop import exposure, money


def field_label(field: exposure.Field) -> str:
    """Return the field's verbose name with a capital."""
    return str(capfirst(str(field.verbose_name)))


def field_lines(record: models.Model, fields: Iterable[exposure.Field]) -> list[tuple[str, str]]:
    """Return label and text of each of these fields of a record that is not empty."""
    lines = [
        (field_label(field), field_text(field, field_value(record, field))) for field in fields
    ]
    return [(label, text) for label, text in lines if text]


def field_value(record: models.Model, field: exposure.Field) -> Any:
    """Return a field's value; the related record, or a list of them, of a relation."""
    value = getattr(record, field.name)
    return list(value.all()) if field.many_to_many else value


def field_text(field: exposure.Field, value: Any) -> str:
    """Return a value as text: choices by label, relations by name, dates in local time."""
    if value is None or value in ("", [], {}):
        return ""
    text = value
    if field.many_to_many:
        text = ", ".join(sorted(map(str, value)))
    elif field.choices:
        text = dict(field.flatchoices).get(value, value)
    elif isinstance(value, bool):
        text = _("yes") if value else _("no")
    elif isinstance(field, money.MoneyField):
        text = money.format_money(value)
    elif isinstance(value, datetime.datetime):
        text = formats.localize(timezone.localtime(value))
    elif isinstance(value, datetime.date | datetime.time):
        text = formats.localize(value)
    elif isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False)
    return str(text)
