"""What every table of the shop shares."""

import secrets
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models

from shop import exposure, text_validation

# Crockford's base 32: no I, L, O or U, so that a code survives the telephone.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def generate_code(length: int) -> str:
    """A random code of 5 bits a character that can be read aloud."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))


class CleanTextModel(models.Model):
    """A row whose texts are clean: `clean_fields` trims and normalises them, or says what is wrong."""

    class Meta:
        abstract = True

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        wrong: dict[str, Any] = {}
        for field in self._meta.concrete_fields:
            value = self.__dict__.get(field.attname)
            if not isinstance(value, str) or field.name in (exclude or ()):
                continue
            try:
                setattr(self, field.attname, _clean(field, value))
            except ValidationError as error:
                wrong[field.name] = error
        try:
            super().clean_fields(exclude=[*(exclude or ()), *wrong])
        except ValidationError as error:
            wrong |= error.error_dict
        if wrong:
            raise ValidationError(wrong)


def _clean(field: exposure.Field, value: str) -> str:
    """The text as it is stored. Also refuses one that is too long, which Django does for lines only."""
    try:
        clean = (
            text_validation.clean_text(value)
            if isinstance(field, models.TextField)
            else text_validation.clean_line(value)
        )
    except ValueError as error:
        raise ValidationError(str(error), code="characters") from error
    if isinstance(field, models.TextField) and field.max_length:
        MaxLengthValidator(field.max_length)(clean)
    return clean
