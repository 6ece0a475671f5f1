"""Barcodes of products: GTIN-8, 12, 13 and 14, of which EAN, UPC and ISBN-13 are kinds.

A GTIN is stored as 8, 13 or 14 digits: a UPC of 12 digits is the EAN of 13 that starts with 0, and
scanners send either. Source: https://ref.gs1.org/standards/genspecs/, 7.9.1 for the check digit.
"""

import re
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

#: The numbers of digits that a GTIN is written with.
GTIN_LENGTHS = (8, 12, 13, 14)
#: The same of one that is stored.
STORED_LENGTHS = (8, 13, 14)
#: Characters of a field in a form, with separators: `978-3-16-148410-0`.
MAX_TYPED_LENGTH = 40
#: What is written between the digits: spaces, hyphens and dashes.
_SEPARATORS = re.compile(r"[\s\u2010-\u2015\u2212-]")
#: What spreadsheets and other shops write around digits that are no number: `'0123` and `="0123"`.
_TEXT_MARKS = "='\""
#: How a spreadsheet shows a long number: `4.00638E+12`.
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)


def normalize_gtin(text: str) -> str:
    """Return a GTIN's digits as they are stored; another text as it is, or without separators."""
    digits = _SEPARATORS.sub("", text.strip(_TEXT_MARKS))
    if not (digits.isascii() and digits.isdigit()):
        return text
    if len(digits) not in GTIN_LENGTHS:
        return digits
    significant = digits.lstrip("0")
    return significant.zfill(next(n for n in STORED_LENGTHS if len(significant) <= n))


def is_gtin(text: str) -> bool:
    """Return whether the text, once normalised, is a valid GTIN."""
    try:
        validate_gtin(normalize_gtin(text))
    except ValidationError:
        return False
    return True


def validate_gtin(digits: str) -> None:
    """Raise ValidationError for what is no GTIN."""
    if _SHORTENED.fullmatch(digits):
        message = _(
            "%(value)s was shortened by a spreadsheet. Format the column as text, enter the"
            " barcodes again and save the file."
        )
        raise ValidationError(message % {"value": digits}, code="barcode_shortened")
    if not (digits.isascii() and digits.isdigit()):
        raise ValidationError(_("Use digits only."), code="barcode_digits")
    if len(digits) not in GTIN_LENGTHS:
        message = _(
            "A barcode has 8, 12, 13 or 14 digits, this one has %(count)d. A spreadsheet drops"
            " zeros in front unless the column is formatted as text."
        )
        raise ValidationError(message % {"count": len(digits)}, code="barcode_length")
    if not int(digits) or _check_digit(digits[:-1]) != int(digits[-1]):
        message = _("A digit of %(value)s is wrong or missing. Compare it with the barcode.")
        raise ValidationError(message % {"value": digits}, code="barcode_check_digit")


def _check_digit(payload: str) -> int:
    """Return the digit that follows: from the right, digits count three times and once in turn."""
    total = sum(int(digit) * (1 if n % 2 else 3) for n, digit in enumerate(reversed(payload)))
    return -total % 10


class BarcodeField(models.CharField):  # type: ignore[type-arg]
    """A GTIN that no other record has; null for none. Any spelling is stored and found alike."""

    default_validators: ClassVar[list[Any]] = [validate_gtin]  # type: ignore[misc]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs = {"max_length": 14, "unique": True, "null": True, "blank": True} | kwargs
        super().__init__(*args, **kwargs)

    @staticmethod
    def normalize_text(text: str) -> str:
        """Return the text as it is stored; see `text_validation.cleaner_of`."""
        return normalize_gtin(text)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return normalize_gtin(text) if isinstance(text, str) else text

    def formfield(self, **options: Any) -> Any:
        """Return a form field with room for separators."""
        return super().formfield(**{"max_length": MAX_TYPED_LENGTH} | options)
