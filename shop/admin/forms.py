"""Form fields and forms that several admin pages use."""

from typing import Any

from django import forms

from shop import text_validation


class TextField(forms.CharField):
    """A text field with the validation of the models' text fields, see `shop.text_validation`."""

    def to_python(self, value: Any) -> str:
        try:
            return text_validation.clean_text(super().to_python(value) or "")
        except ValueError as error:
            raise forms.ValidationError(str(error), code="characters") from error


class ConfirmForm(forms.Form):
    """A form without fields, for an action that only needs a confirmation."""
