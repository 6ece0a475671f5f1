"""The base class of models whose texts are normalised, and the generator of codes."""

import secrets
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext as _

from shop import exposure, text_validation

#: Crockford's base 32, https://www.crockford.com/base32.html: no I, L, O or U, so that a code can
#: be read aloud.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def generate_code(length: int) -> str:
    """Return a random code of `length` characters with 5 bits each."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))


class CleanTextModel(models.Model):
    """A model whose `clean_fields` normalises every text field with `text_validation`."""

    class Meta:
        abstract = True

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Normalise the texts in place, then validate all fields.

        An empty text becomes null where the field may be null.
        Raises ValidationError with the errors of all fields; a field gets either a text's error or
        its own.
        """
        errors: dict[str, Any] = {}
        for field in self._meta.concrete_fields:
            value = self.__dict__.get(field.attname)
            if not isinstance(value, str) or field.name in (exclude or ()):
                continue
            try:
                setattr(self, field.attname, _clean_field_text(field, value))
            except ValidationError as error:
                errors[field.name] = error

        try:
            super().clean_fields(exclude=[*(exclude or ()), *errors])
        except ValidationError as error:
            errors |= {
                name: [_unknown_record(found) or found for found in field_errors]
                for name, field_errors in error.error_dict.items()
            }
        if errors:
            raise ValidationError(errors)


def _unknown_record(error: ValidationError) -> ValidationError | None:
    """Return the error of a key of no record, in words for people; None for another error."""
    params = error.params or {}
    if not {"model", "value"} <= params.keys():
        return None
    return ValidationError(
        _("%(key)s does not exist."), code=error.code, params={"key": params["value"]}
    )


def _clean_field_text(field: exposure.Field, value: str) -> str | None:
    """Return the normalised text of a field. Raises ValidationError for a forbidden character.

    Django checks `max_length` of a TextField in forms only, so it is checked here.
    """
    try:
        text = text_validation.cleaner_of(field)(value)
    except ValueError as error:
        raise ValidationError(str(error), code="characters") from error

    if isinstance(field, models.TextField) and field.max_length:
        MaxLengthValidator(field.max_length)(text)
    return None if field.null and not text else text
