"""A column with several fields' texts, folded for searching, that the database maintains.

    class Product(models.Model):
        search_text = SearchTextField(fields=("name", "sku", "description"))

    Product.objects.filter(search_text__icontains="creme")  # finds "Crème"

Only conditions of queries use it. Django neither selects nor returns it, so it is in no instance,
form, response, file or export, and costs nothing where nobody searches.

Undocumented in Django: `Field.concrete` decides what is selected, and may be set; `db_returning`
decides what an insert returns; migrations record a field as its `deconstruct` says, here as an
ordinary GeneratedField; `Lookup.get_prep_lookup`.
"""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Func, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Contains, StartsWith

from shop.db.text_folding import (
    DROPPED_RANGES,
    NAME_COLLATION,
    REPLACED_CHARACTERS,
    REPLACED_LETTERS,
    fold_search_text,
)

#: The name of `fold_search_text` in SQLite.
SQLITE_FUNCTION = "shop_fold"


def _quote(text: str) -> str:
    return "'{}'".format(text.replace("'", "''"))


def _postgresql_folding() -> str:
    """Return SQL that folds `{text}` as `fold_search_text` does, with the same fast path."""
    dropped = "".join(f"\\U{first:08X}-\\U{last:08X}" for first, last in DROPPED_RANGES)
    sql = f"regexp_replace(normalize({{text}}, NFKD), '[{dropped}]', '', 'g')"
    sql = f"lower({sql} COLLATE {NAME_COLLATION})"
    old, new = map("".join, zip(*REPLACED_CHARACTERS.items(), strict=True))
    sql = f"translate({sql}, {_quote(old)}, {_quote(new)})"
    for letter, replacement in REPLACED_LETTERS.items():
        sql = f"replace({sql}, {_quote(letter)}, {_quote(replacement)})"
    # Both branches need the same collation.
    sql = f'normalize({sql} COLLATE "C", NFC)'
    is_ascii = "octet_length({text}) = length({text})"
    return f'CASE WHEN {is_ascii} THEN lower({{text}} COLLATE "C") ELSE {sql} END'


POSTGRESQL_FOLDING = _postgresql_folding()


class FoldedTextField(models.TextField):  # type: ignore[type-arg]
    """Folded text. The lookups `icontains` and `istartswith` fold what is looked up."""


class FoldedContains(Contains):
    """Looks for a folded text anywhere in the column."""

    def get_prep_lookup(self) -> Any:
        return fold_search_text(str(self.rhs))


class FoldedStartsWith(StartsWith):
    """Looks for a folded text at the start of the column."""

    def get_prep_lookup(self) -> Any:
        return fold_search_text(str(self.rhs))


FoldedTextField.register_lookup(FoldedContains, "icontains")
FoldedTextField.register_lookup(FoldedStartsWith, "istartswith")


class FoldedText(Func):
    """The fields' texts, a line each, folded as `fold_search_text` does."""

    function = SQLITE_FUNCTION
    arg_joiner = " || '\n' || "

    def __init__(self, *names: str | Func) -> None:
        texts = [Coalesce(name, Value(""), output_field=models.TextField()) for name in names]
        super().__init__(*texts, output_field=FoldedTextField())

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        """Return the SQL, which repeats the text and its parameters."""
        text, params = self.as_sql(compiler, connection, template="%(expressions)s")
        sql = POSTGRESQL_FOLDING.replace("{text}", f"({text})")
        return sql, [*params] * POSTGRESQL_FOLDING.count("{text}")


class SearchTextField(models.GeneratedField):
    """A stored generated column with the folded text of the named fields."""

    db_returning = False  # type: ignore[assignment]

    def __init__(self, *, fields: Sequence[str | Func] = (), **options: Any) -> None:
        if fields:
            options = {
                "expression": FoldedText(*fields),
                "output_field": FoldedTextField(),
            } | options
        super().__init__(**{"db_persist": True, "serialize": False} | options)

    def deconstruct(self) -> Any:
        """Return an ordinary GeneratedField: migrations create, copy and drop it as such."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.GeneratedField", args, kwargs

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's
        """Add the field to the model's fields, but not to those that are selected."""
        super().contribute_to_class(cls, name, private_only)
        self.concrete = False
        delattr(cls, name)  # would query the database for a value that is not selected
