"""Validate rows against the catalogue, a few thousand at a time, and compute what they change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from shop import exposure, text_validation
from shop.models import ChangeRow, ChangeSet, Product
from shop.models.products import MAX_STOCK, SkuField
from shop.product_files.formats.parsed_row import ParsedRow
from shop.product_files.imports import field_parsing, model_rules, unique_values
from shop.product_files.imports.field_parsing import (
    FIELDS,
    MANY_TO_MANY,
    RELATIONS,
    RowProblem,
    cell_problem,
    row_problem,
)
from shop.product_files.imports.relations import RelatedNames
from shop.product_files.imports.unique_values import RepeatedValues, clean_value
from shop.schema_factory import Body
from shop.services.change_sets.row_store import RowRecord, to_stored_value

Status = ChangeRow.Status
StockMode = ChangeSet.StockMode


@dataclass(frozen=True)
class ImportSettings:
    """How to read a file: chosen by staff or detected."""

    change_set_id: int
    decimal_mark: str | None
    stock_mode: str
    clear_blanks: bool
    repeated: RepeatedValues
    names: RelatedNames


@dataclass(slots=True)
class RowDraft:
    """A row during validation: the matching product, and the values that differ from it.

    `values` and `related`, which has the keys of records, are by the names of columns.
    """

    parsed: ParsedRow
    sku: str
    problems: list[RowProblem]
    product: Mapping[str, Any] | None = None
    values: dict[str, Any] = field(default_factory=dict)
    related: dict[str, Any] = field(default_factory=dict)
    stock: int | None = None


def validate_rows(
    parsed_rows: Iterable[ParsedRow], settings: ImportSettings
) -> list[tuple[RowRecord, RowDraft]]:
    """Validate the rows in their order.

    One query for the products, one per many-to-many and unique field in the file, and if products
    have rules of their own, one per relation.
    """
    drafts = [_create_draft(parsed, settings) for parsed in parsed_rows]
    products = _fetch_products(drafts)
    parsers = field_parsing.build_parsers(settings.decimal_mark) | dict(settings.names.parsers)
    for draft in drafts:
        draft.product = products.get(draft.sku.lower())
        if not draft.parsed.skip:
            _parse_cells(draft, parsers, settings)
            _parse_stock_cells(draft, settings)
    _validate_drafts([draft for draft in drafts if not draft.parsed.skip])
    if model_rules.has_rules():
        _check_rules(drafts, settings.names.missing)
    return [(_to_record(draft, settings), draft) for draft in drafts]


def _create_draft(parsed: ParsedRow, settings: ImportSettings) -> RowDraft:
    """Start a row's draft: its clean SKU and its problems, repeated values included."""
    sku = "" if parsed.skip else clean_value(parsed.values.get("sku", ""))
    problems = [row_problem("", message) for message in parsed.problems]
    if settings.repeated:
        problems += settings.repeated.problems(parsed)
    return RowDraft(parsed, sku, problems)


def _fetch_products(drafts: Sequence[RowDraft]) -> dict[str, dict[str, Any]]:
    """Return the products of these rows by SKU in lower case."""
    skus = {draft.sku.lower() for draft in drafts if draft.sku}
    columns = [field.attname for field in FIELDS.values() if not field.many_to_many]
    if model_rules.has_rules():
        columns = sorted({*columns, *model_rules.needed_columns()} - {"stock"})
    products = Product.objects.annotate(key=Lower("sku")).filter(key__in=skus).order_by()
    found = {row["key"]: row for row in products.values("pk", "key", "stock", *columns)}
    for name, column in MANY_TO_MANY.items():
        if any(name in draft.parsed.values for draft in drafts):
            _add_links(column, found.values())
    return found


def _add_links(column: Any, products: Iterable[dict[str, Any]]) -> None:
    """Add the sorted keys that each product is linked to by a many-to-many field."""
    links = {product["pk"]: product.setdefault(column.name, []) for product in products}
    source, target = column.m2m_field_name(), column.m2m_reverse_field_name()
    joins = column.remote_field.through._base_manager.filter(**{f"{source}__in": links})
    for pk, key in joins.order_by(target).values_list(f"{source}_id", f"{target}_id"):
        links[pk].append(key)


def _parse_cells(
    draft: RowDraft,
    parsers: Mapping[str, field_parsing.CellParser],
    settings: ImportSettings,
) -> None:
    """Parse the row's cells and keep the values that differ from the product's."""
    product = draft.product
    for name, cell in draft.parsed.values.items():
        if name not in FIELDS or (name == "sku" and product):
            continue
        column = FIELDS[name]
        if text_validation.is_visible(cell):
            try:
                value = parsers[name](cell)
            except ValueError as error:
                draft.problems.append(cell_problem(column, error))
                continue
        elif not (product and settings.clear_blanks):
            continue
        elif field_parsing.may_be_empty(column):
            value = exposure.empty_value(column)
        else:
            draft.problems.append(cell_problem(column, _("This can't be empty.")))
            continue
        if product is None or value != product[column.attname]:
            changed = draft.related if column.is_relation else draft.values
            changed[column.attname] = value


def _parse_stock_cells(draft: RowDraft, settings: ImportSettings) -> None:
    """Compute the product's new stock, if the row sets it."""
    product, cell = draft.product, draft.parsed.values.get("stock", "").strip()
    if not cell or (product and settings.stock_mode == StockMode.LEAVE):
        draft.stock = None if product else 0
        return
    try:
        stock = _new_stock(draft, cell, settings.stock_mode)
    except ValueError as error:
        message = _("Stock: %(error)s") % {"error": error}
        draft.problems.append(row_problem("stock", message))
        return
    if 0 <= stock <= MAX_STOCK:
        draft.stock = stock
        return
    message = _("Stock: it would become %(stock)s. Allowed is 0 to %(max)s.")
    if product:
        message = _("Stock: it is %(now)s and would become %(stock)s. Allowed is 0 to %(max)s.")
    values = {"stock": f"{stock:,}", "max": f"{MAX_STOCK:,}"}
    if product:
        values["now"] = f"{product['stock']:,}"
    draft.problems.append(row_problem("stock", message % values))


def _new_stock(draft: RowDraft, cell: str, mode: str) -> int:
    """Return the new stock; raises ValueError if a number cannot be read or is missing."""
    quantity = field_parsing.parse_stock(cell)
    product = draft.product
    if product is None or mode == StockMode.SET:
        return quantity
    current: int = product["stock"]
    if mode == StockMode.ADD:
        return current + quantity
    exported = draft.parsed.values.get("stock_was", "").strip()
    if not exported:
        raise ValueError(_("The stock at export is missing, so the difference is unknown."))
    return current + quantity - field_parsing.parse_stock(exported)


def _validate_drafts(drafts: Sequence[RowDraft]) -> None:
    """Validate the parsed values: required fields, limits, choices, and what must be unique."""
    new = [draft for draft in drafts if draft.product is None]
    changed = [draft for draft in drafts if draft.product is not None and draft.values]
    _validate_fields(new, field_parsing.NEW_PRODUCTS)
    _validate_fields(changed, field_parsing.CHANGED_PRODUCTS)
    for column in filter(field_parsing.is_required, RELATIONS):
        for draft in new:
            reported = (problem["field"] for problem in draft.problems)
            if not draft.related.get(column.attname) and column.name not in reported:
                draft.problems.append(field_parsing.missing_problem(column))
    taken = unique_values.taken_values(draft.values | draft.related for draft in drafts)
    if taken:
        for draft in drafts:
            draft.problems += unique_values.taken_problems(draft.values | draft.related, taken)


def _validate_fields(drafts: Sequence[RowDraft], adapter: Any) -> None:
    results = field_parsing.validate_values(adapter, [draft.values for draft in drafts])
    for draft, result in zip(drafts, results, strict=True):
        if isinstance(result, Body):
            draft.values = {name: result.__dict__[name] for name in draft.values}
        else:
            reported = {problem["field"] for problem in draft.problems}
            draft.problems += [problem for problem in result if problem["field"] not in reported]


def _check_rules(drafts: Iterable[RowDraft], missing: Sequence[Mapping[str, str]]) -> None:
    """Check the rules of the model in rows without other problems that change something."""
    checked = [
        draft
        for draft in drafts
        if not draft.parsed.skip
        and not draft.problems
        and (draft.product is None or draft.values or draft.related or draft.stock is not None)
    ]
    rows = []
    for draft in checked:
        stock = {} if draft.stock is None else {"stock": draft.stock}
        foreign_keys = {k: v for k, v in draft.related.items() if k not in MANY_TO_MANY}
        rows.append((draft.product, draft.values | foreign_keys | stock))
    results = model_rules.RuleCheck(rows, missing).results()
    for draft, (problems, cleaned) in zip(checked, results, strict=True):
        draft.problems += problems
        draft.values |= cleaned


def _to_record(draft: RowDraft, settings: ImportSettings) -> RowRecord:
    parsed, product = draft.parsed, draft.product
    name = parsed.values.get("name", "").strip() or (product or {}).get("name", "")
    record = RowRecord(
        settings.change_set_id, parsed.number, Status.UNCHANGED.value, draft.sku, name
    )
    if parsed.skip:
        record.sku, record.status = parsed.values.get("sku", ""), Status.SKIPPED.value
        record.problems, record.cells = [row_problem("", parsed.skip)], parsed.cells
    elif draft.problems:
        record.sku, record.status = parsed.values.get("sku", "").strip(), Status.ERROR.value
        record.problems, record.cells = draft.problems, parsed.cells
    elif product is None:
        _fill_new(record, draft)
    else:
        _fill_changed(record, draft, product)
    return record


def _fill_new(record: RowRecord, draft: RowDraft) -> None:
    values = field_parsing.DEFAULTS | draft.values | draft.related
    values["sku"] = record.sku = values["sku"] or SkuField.generate()
    record.status, record.delta = Status.NEW.value, draft.stock
    record.after = {
        name: values[attname] for attname, name in field_parsing.NAMES_BY_ATTNAME.items()
    }
    record.after |= {
        name: to_stored_value(column, values[column.attname])
        for name, column in field_parsing.CONVERTED_FIELDS.items()
    }


def _fill_changed(record: RowRecord, draft: RowDraft, product: Mapping[str, Any]) -> None:
    record.product_id, record.sku = product["pk"], product["sku"]
    for attname, value in (draft.values | draft.related).items():
        column = FIELDS[field_parsing.NAMES_BY_ATTNAME[attname]]
        if value != product[attname]:
            record.after[column.name] = to_stored_value(column, value)
            record.before[column.name] = to_stored_value(column, product[attname])
    if draft.stock is not None and draft.stock != product["stock"]:
        record.after["stock"], record.before["stock"] = draft.stock, product["stock"]
        record.delta = draft.stock - product["stock"]
    if record.after:
        record.status = Status.CHANGED.value
