"""Form fields and forms that several admin pages use."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from shop import text_validation


class TextField(forms.CharField):
    """A text field with the validation of the models' text fields, see `shop.text_validation`."""

    def to_python(self, value: Any) -> str:
        try:
            return text_validation.clean_text(super().to_python(value) or "")
        except ValueError as error:
            raise forms.ValidationError(str(error), code="characters") from error


#: Digits of a record's key: more may not fit into a 64-bit integer.
MAX_KEY_DIGITS = 18
#: A comma before one or two digits is a decimal mark; 1,234 could mean two numbers.
_NUMBER = re.compile(r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+|[0-9]+,[0-9]{1,2})")


def is_key(text: str) -> bool:
    """Return whether a text from outside can be the key of a record."""
    return text.isascii() and text.isdecimal() and len(text) <= MAX_KEY_DIGITS


#: Longer numbers are not typed by people, and take long to convert.
_MAX_NUMBER_LENGTH = 30


def parse_decimal(text: str) -> Decimal:
    """Return the number that a person typed, such as `12.50` or `12,50`. Raises ValueError."""
    if len(text) > _MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Decimal(text.replace(",", "."))


class AmountField(forms.DecimalField):
    """A decimal field for an amount of money, with either decimal mark.

    Its input is one of text: number inputs drop a comma, or a point, by the browser's language.
    """

    default_error_messages = {"invalid": _("Enter an amount such as 12.50.")}  # noqa: RUF012

    def __init__(self, *, attrs: Mapping[str, Any] | None = None, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", **(attrs or {})}
        super().__init__(**{"widget": UnfoldAdminTextInputWidget(attrs=attrs), **options})

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return parse_decimal(str(value).strip())
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error


def add_model_error(
    form: forms.BaseForm, error: forms.ValidationError, names: Mapping[str, str] | None = None
) -> None:
    """Show a model's error at its fields, or above the form where it has no such field.

    `names` maps names of the model's fields to those of the form's, where these differ.
    """
    by_field = error.error_dict if hasattr(error, "error_dict") else {None: error.error_list}
    for field, errors in by_field.items():
        name = (names or {}).get(field or "", field)
        form.add_error(name if name in form.fields else None, errors)


class ModelErrorsForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose model's `clean()` may name fields that the form doesn't have."""

    def add_error(self, field: str | None, error: Any) -> None:
        if field is None and hasattr(error, "error_dict"):
            add_model_error(self, error)
        else:
            super().add_error(field, error)


class ConfirmForm(forms.Form):
    """A form without fields, for an action that only needs a confirmation."""
