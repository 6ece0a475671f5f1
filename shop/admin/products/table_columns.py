"""The columns of the table in which products are edited: how a field's value is shown and read."""

from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any

from django import forms
from django.utils.choices import flatten_choices
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop import exposure
from shop.admin.concurrent_form import value_if_cleared
from shop.admin.forms import parse_decimal
from shop.services import audit
from shop.services.bulk_edit import table_fields

#: Form field -> the control of its cells. The first match counts; others are one line of text.
CONTROLS: tuple[tuple[type[forms.Field], str], ...] = (
    (forms.NullBooleanField, "select"),
    (forms.BooleanField, "checkbox"),
    (forms.ChoiceField, "select"),
    (forms.ModelChoiceField, "select"),
    (forms.DateTimeField, "datetime-local"),
    (forms.DateField, "date"),
    (forms.TimeField, "time"),
    (forms.JSONField, "long"),
    (forms.IntegerField, "number"),
    (forms.FloatField, "number"),
    (forms.DecimalField, "number"),
)
#: Records that a cell can be chosen from. A relation to more of them has no column.
MAX_CHOICES = 1000
UNKNOWN, YES, NO = "", "true", "false"


class TableColumn:
    """A field of the table. It shows and reads values as texts, as the field's form field does."""

    def __init__(self, field: exposure.Field) -> None:
        self.field = field
        self.name = field.name
        self.label = capfirst(str(field.verbose_name))
        self.form_field: Any = field.formfield()
        self.control = self._control()

    def _control(self) -> str:
        if isinstance(self.form_field.widget, forms.Textarea):
            return "long"
        matches = (name for class_, name in CONTROLS if isinstance(self.form_field, class_))
        return next(matches, "text")

    @property
    def input_type(self) -> str:
        """The type of the cell's input element."""
        return "text" if self.control == "number" else self.control

    @property
    def input_mode(self) -> str:
        """Which keyboard a phone shows; empty for that of letters."""
        if self.control != "number":
            return ""
        return "numeric" if type(self.form_field) is forms.IntegerField else "decimal"

    @cached_property
    def choices(self) -> dict[str, str]:
        """The texts of a choice's values, with their labels; of a relation, from one query."""
        if isinstance(self.form_field, forms.NullBooleanField):
            return {UNKNOWN: str(_("Unknown")), YES: str(_("Yes")), NO: str(_("No"))}
        if not isinstance(self.form_field, forms.ModelChoiceField):
            choices: Any = flatten_choices(self.form_field.choices)
            return {str(value): str(label) for value, label in choices}
        queryset: Any = self.form_field.queryset
        records = queryset[: MAX_CHOICES + 1]
        empty = {} if self.form_field.required else {"": str(self.form_field.empty_label)}
        return empty | {str(record.pk): str(record) for record in records}

    @property
    def has_too_many_choices(self) -> bool:
        """Whether it refers to more records than a cell can be chosen from."""
        is_relation = isinstance(self.form_field, forms.ModelChoiceField)
        return is_relation and len(self.choices) > MAX_CHOICES

    def format(self, value: Any) -> str:
        """Return the text of a value, which `parse` reads."""
        if isinstance(self.form_field, forms.NullBooleanField):
            return {True: YES, False: NO}.get(value, UNKNOWN)
        if self.control == "checkbox":
            return "1" if value else ""
        prepared = self.form_field.prepare_value(value)
        if isinstance(prepared, datetime):
            return prepared.replace(tzinfo=None).isoformat(timespec="seconds")
        if isinstance(prepared, date | time):
            return prepared.isoformat()
        return "" if prepared is None else str(prepared)

    def parse(self, text: str) -> Any:
        """Return the value of a text, of a relation a key. Raises ValidationError."""
        if isinstance(self.form_field, forms.ModelChoiceField):
            return self._parse_key(text)
        if isinstance(self.form_field, forms.DecimalField | forms.FloatField):
            with suppress(ValueError):  # the form field says what is wrong
                text = str(parse_decimal(text.strip()))
        value = value_if_cleared(self.field, self.form_field.clean(text))
        if isinstance(value, Decimal):
            return round(value, self.field.decimal_places)  # type: ignore[attr-defined]
        return value

    def _parse_key(self, text: str) -> Any:
        if text and text not in self.choices:
            messages = self.form_field.error_messages
            raise forms.ValidationError(messages["invalid_choice"], code="invalid_choice")
        if not text:
            self.form_field.validate(None)
            return None
        return self.field.related_model._meta.pk.to_python(text)  # type: ignore[union-attr]

    def describe(self, value: Any) -> str:
        """Return a value as a person reads it: of a choice its label."""
        if self.control == "checkbox":
            return audit.format_value(bool(value))
        text = self.format(value)
        return audit.format_value(
            self.choices.get(text, text) if self.control == "select" else text
        )


def describe_conflict(column: TableColumn, *, current: Any, editor: str) -> str:
    """Return what a cell says whose value was changed after it was shown, if known by whom."""
    names = {"value": column.describe(current), "user": editor}
    if editor:
        return gettext("Now %(value)s, by %(user)s. Save again to keep yours.") % names
    return gettext("Now %(value)s. Save again to keep yours.") % names


def table_columns() -> dict[str, TableColumn]:
    """Return the table's columns by name."""
    return {field.name: TableColumn(field) for field in table_fields()}
