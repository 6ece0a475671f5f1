"""The rules of `Product.clean()` and of its constraints, checked before rows are applied."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection, models

from shop import exposure
from shop.models import Product
from shop.product_files.imports.field_parsing import (
    DEFAULTS,
    FIELDS,
    RowProblem,
    cell_problem,
    row_problem,
)
from shop.services.change_sets.missing import build_record, is_token, token_index

#: Constraints that the validation of the fields covers already.
COVERED_CONSTRAINTS = frozenset(
    {"product_sku_is_unique", "product_stock_in_bounds", "product_price_in_bounds"}
)
VALUE_COLUMNS = [field.attname for field in FIELDS.values() if not field.is_relation]

type Record = Mapping[str, Any]


def has_rules() -> bool:
    """Return whether products have rules that a field can't say. Without any, none are checked."""
    return Product.clean is not models.Model.clean or bool(_constraints())


def _constraints() -> list[models.BaseConstraint]:
    return [c for c in Product._meta.constraints if c.name not in COVERED_CONSTRAINTS]


def needed_columns() -> list[str]:
    """Return the columns that a product is built of."""
    return [field.attname for field in exposure.concrete_fields(Product)]


class RuleCheck:
    """Checks rows in their products; one query per relation reads the records they refer to.

    Each row is its product's current columns, None for a new product, and its values by column.
    """

    def __init__(
        self, rows: Sequence[tuple[Record | None, Record]], missing: Sequence[Mapping[str, str]]
    ) -> None:
        self.rows = rows
        self.missing = missing
        self._relations: list[Any] = [
            field for field in exposure.concrete_fields(Product) if field.is_relation
        ]
        self._related = {field.name: self._fetch_related(field) for field in self._relations}

    def results(self) -> Iterator[tuple[list[RowProblem], dict[str, Any]]]:
        """Yield each row's problems, and the values that `clean()` changed."""
        for current, values in self.rows:
            product = self._build_product(current, values)
            before = {name: getattr(product, name) for name in VALUE_COLUMNS}
            problems = list(_find_problems(product))
            after = {name: getattr(product, name) for name in VALUE_COLUMNS}
            yield problems, {name: v for name, v in after.items() if v != before[name]}

    def _build_product(self, current: Record | None, values: Record) -> Product:
        columns = dict(values)
        if current is None:
            concrete = {field.attname for field in exposure.concrete_fields(Product)}
            defaults = {name: v for name, v in DEFAULTS.items() if name in concrete}
            product = Product(**(defaults | {k: v for k, v in columns.items() if not is_token(v)}))
        else:
            names = needed_columns()
            product = Product.from_db(connection.alias, names, [current[name] for name in names])
            for name, value in columns.items():
                setattr(product, name, value)
        for field in self._relations:
            key = columns.get(field.attname, getattr(product, field.attname))
            if is_token(key):
                entry = self.missing[token_index(key)]
                setattr(product, field.name, build_record(field.related_model, entry["name"]))
            elif key is not None and key in self._related[field.name]:
                setattr(product, field.name, self._related[field.name][key])
        return product

    def _fetch_related(self, field: Any) -> dict[Any, models.Model]:
        keys = {
            values.get(field.attname, (current or {}).get(field.attname))
            for current, values in self.rows
        }
        keys = {key for key in keys if key is not None and not is_token(key)}
        target = field.target_field.attname
        records = field.related_model._base_manager.filter(**{f"{target}__in": keys})
        return {getattr(record, target): record for record in records} if keys else {}


def _find_problems(product: Product) -> Iterator[RowProblem]:
    try:
        product.clean()
    except ValidationError as error:
        yield from _to_problems(error)
        return
    for constraint in _constraints():
        try:
            constraint.validate(Product, product)
        except ValidationError as error:
            yield from _to_problems(error)


def _to_problems(error: ValidationError) -> Iterator[RowProblem]:
    errors: Mapping[str, Iterable[Any]] = getattr(error, "error_dict", {NON_FIELD_ERRORS: [error]})
    for name, items in errors.items():
        for message in ValidationError(list(items)).messages:
            if name in FIELDS:
                yield cell_problem(FIELDS[name], message)
            else:
                yield row_problem("", message)
