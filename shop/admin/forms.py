"""Form fields and forms that several admin pages use."""

from collections.abc import Mapping
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
