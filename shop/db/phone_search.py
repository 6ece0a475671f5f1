"""Phone numbers, found in whatever way they were written down or are typed.

`+49 170 1234567`, `0049 170 1234567`, `+49 (0)170 1234567`, `0170-1234567` and `(0170) 123 4567`
are the same number. A user's search text ends with a line of the phone's digits, without zeros in
front. A number that is looked up with a country code is also found where it was stored without.
"""

import re
from collections.abc import Sequence
from typing import Any

from django.db.models import F, Func, TextField
from django.db.models.expressions import Value
from django.db.models.functions import Coalesce

from shop.db.search_text import FoldedContains, FoldedStartsWith, FoldedTextField, SearchTextField

#: The name of `phone_digits` in SQLite.
SQLITE_PHONE_FUNCTION = "shop_phone_digits"
#: Fewer digits are searched as they are typed: a house number or a postal code is in many phones.
MIN_PHONE_DIGITS = 6
#: The same between words, where fewer are a postal code and a house number.
MIN_PHONE_DIGITS_BETWEEN_WORDS = 8
MAX_PHONE_LENGTH = 40
#: The number of digits of a country code: https://www.itu.int/rec/T-REC-E.164
COUNTRY_CODE_LENGTHS = (1, 2, 3)

_PHONE_NUMBER = re.compile(r"[+(]?[0-9() +./-]+")
_PHONE_BETWEEN_WORDS = re.compile(r"(?<!\S)(\+|\(?0)[0-9() +./-]*[0-9](?![^\s,;])")
_INTERNATIONAL_PREFIX = re.compile(r"\s*\(?(\+|00)")


def phone_digits(text: str) -> str:
    """Return the digits of a phone number without `(0)` and without zeros in front."""
    return re.sub(r"[^0-9]", "", text.replace("(0)", "")).lstrip("0")


def is_phone_number(text: str) -> bool:
    """Return whether the text looks like a phone number, or a longer part of one."""
    text = text.strip()
    return (
        len(text) <= MAX_PHONE_LENGTH
        and bool(_PHONE_NUMBER.fullmatch(text))
        and len(phone_digits(text)) >= MIN_PHONE_DIGITS
    )


def take_phone_number(term: str) -> tuple[list[str], str]:
    """Return the phone number that a search term is or contains, if any, and the rest of it."""
    if is_phone_number(term):
        return [term.strip()], ""
    match = _PHONE_BETWEEN_WORDS.search(term)
    if match is None or len(phone_digits(match[0])) < MIN_PHONE_DIGITS_BETWEEN_WORDS:
        return [], term
    return [match[0]], f"{term[: match.start()]} {term[match.end() :]}"


def phone_patterns(text: str) -> list[str]:
    """Return the texts of which a search text contains one if it has this phone number."""
    if not is_phone_number(text):
        return []
    digits = phone_digits(text)
    lengths = COUNTRY_CODE_LENGTHS if _INTERNATIONAL_PREFIX.match(text) else ()
    national = [digits[length:].lstrip("0") for length in lengths]
    return [digits, *(f"\n{rest}" for rest in national if len(rest) >= MIN_PHONE_DIGITS)]


class PhoneDigits(Func):
    """The `phone_digits` of a field, computed by the database."""

    function = SQLITE_PHONE_FUNCTION
    output_field = TextField()

    def __init__(self, name: str) -> None:
        super().__init__(Coalesce(F(name), Value(""), output_field=TextField()))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the SQL with PostgreSQL's own functions."""
        template = (
            "ltrim(regexp_replace(replace(%(expressions)s, '(0)', ''), '[^0-9]', '', 'g'), '0')"
        )
        return self.as_sql(compiler, connection, template=template, **context)


class ContactTextField(FoldedTextField):
    """Folded text that ends with a phone's digits. Its `icontains` knows all spellings."""


class _ContactContains(FoldedContains):
    def as_sql(self, compiler: Any, connection: Any) -> Any:
        parts: list[str] = []
        params: list[Any] = []
        for text in (self.rhs, *phone_patterns(str(self.rhs))):
            sql, values = FoldedContains(self.lhs, text).as_sql(compiler, connection)
            parts.append(sql)
            params += values
        return f"({' OR '.join(parts)})", params


ContactTextField.register_lookup(_ContactContains, "icontains")
ContactTextField.register_lookup(FoldedStartsWith, "istartswith")


class ContactSearchField(SearchTextField):
    """A SearchTextField of the named fields and of the digits of the field `phone`."""

    def __init__(self, *, fields: Sequence[str] = (), phone: str = "", **options: Any) -> None:
        if phone:
            options |= {"output_field": ContactTextField()}
        super().__init__(fields=(*fields, *([PhoneDigits(phone)] if phone else [])), **options)
