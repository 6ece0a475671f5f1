"""Validate rows against the catalogue, a few thousand at a time, and compute what they change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop import text_validation
from shop.models import ImportRow, Product, ProductImport
from shop.models.products import MAX_STOCK, SkuField
from shop.product_files.formats.parsed_row import ParsedRow
from shop.product_files.imports import field_parsing
from shop.product_files.imports.field_parsing import FIELDS, RowProblem, cell_problem, row_problem
from shop.product_files.imports.row_store import RowRecord
from shop.schema_factory import Body

Status = ImportRow.Status
StockMode = ProductImport.StockMode
#: Line numbers that are listed if several rows have the same SKU.
MAX_LISTED_LINES = 5


@dataclass(frozen=True)
class ImportSettings:
    """How to read a file: chosen by staff or detected."""

    import_id: int
    decimal_mark: str | None
    stock_mode: str
    clear_blanks: bool
    #: SKU in lower case -> the numbers of the lines that have it.
    repeated_skus: Mapping[str, Sequence[int]]


@dataclass(slots=True)
class RowDraft:
    """A row during validation: the matching product, and the values that differ from it."""

    parsed: ParsedRow
    sku: str
    problems: list[RowProblem]
    product: Mapping[str, Any] | None = None
    values: dict[str, Any] = field(default_factory=dict)
    stock: int | None = None


def validate_rows(
    parsed_rows: Iterable[ParsedRow], settings: ImportSettings
) -> list[tuple[RowRecord, RowDraft]]:
    """Validate the rows in their order; one query for the products, and one per relation."""
    drafts = [_create_draft(parsed, settings) for parsed in parsed_rows]
    products = _fetch_products(draft.sku.lower() for draft in drafts if draft.sku)
    parsers = field_parsing.build_parsers(settings.decimal_mark)
    for draft in drafts:
        draft.product = products.get(draft.sku.lower())
        if not draft.parsed.skip:
            _parse_cells(draft, parsers, settings)
            _parse_stock_cells(draft, settings)
    _validate_drafts([draft for draft in drafts if not draft.parsed.skip])
    return [(_to_record(draft, settings), draft) for draft in drafts]


def sku_key(parsed: ParsedRow) -> str:
    """Return the row's SKU in lower case for comparison, or "" if it has none."""
    return _clean_sku(parsed).lower()


def _clean_sku(parsed: ParsedRow) -> str:
    try:
        return "" if parsed.skip else text_validation.clean_line(parsed.values.get("sku", ""))
    except ValueError:
        return ""


def _create_draft(parsed: ParsedRow, settings: ImportSettings) -> RowDraft:
    """Start a row's draft: its clean SKU and its problems, a repeated SKU included."""
    problems = [row_problem("", message) for message in parsed.problems]
    sku = _clean_sku(parsed)
    lines = settings.repeated_skus.get(sku.lower(), ())
    if others := [str(number) for number in lines if number != parsed.number]:
        shown = ", ".join(others[:MAX_LISTED_LINES])
        shown += ", …" if len(others) > MAX_LISTED_LINES else ""
        message = ngettext(
            "SKU: line %(lines)s has the same SKU.",
            "SKU: lines %(lines)s have the same SKU.",
            len(others),
        )
        suggestion = _("Keep one of these lines.")
        problems.append(row_problem("sku", message % {"lines": shown}, suggestion))
    return RowDraft(parsed, sku, problems)


def _fetch_products(skus: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    columns = [field.attname for field in FIELDS.values()]
    products = Product.objects.annotate(key=Lower("sku")).filter(key__in=set(skus)).order_by()
    return {row["key"]: row for row in products.values("pk", "key", "stock", *columns)}


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
            value = field_parsing.empty_value(column)
        else:
            draft.problems.append(cell_problem(column, _("This can't be empty.")))
            continue
        if product is None or value != product[column.attname]:
            draft.values[column.attname] = value


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
    """Validate the parsed values: required fields, limits, choices and relations."""
    unknown = field_parsing.unknown_relations([draft.values for draft in drafts])
    new = [draft for draft in drafts if draft.product is None]
    changed = [draft for draft in drafts if draft.product is not None and draft.values]
    _validate_fields(new, field_parsing.NEW_PRODUCTS)
    _validate_fields(changed, field_parsing.CHANGED_PRODUCTS)
    for draft in drafts:
        for attname in [name for name, keys in unknown.items() if draft.values.get(name) in keys]:
            column = FIELDS[field_parsing.NAMES_BY_ATTNAME[attname]]
            message = _("%(key)s does not exist.") % {"key": draft.values[attname]}
            draft.problems.append(cell_problem(column, message))


def _validate_fields(drafts: Sequence[RowDraft], adapter: Any) -> None:
    results = field_parsing.validate_values(adapter, [draft.values for draft in drafts])
    for draft, result in zip(drafts, results, strict=True):
        if isinstance(result, Body):
            draft.values = {name: result.__dict__[name] for name in draft.values}
        else:
            reported = {problem["field"] for problem in draft.problems}
            draft.problems += [problem for problem in result if problem["field"] not in reported]


def _to_record(draft: RowDraft, settings: ImportSettings) -> RowRecord:
    parsed, product = draft.parsed, draft.product
    name = parsed.values.get("name", "").strip() or (product or {}).get("name", "")
    record = RowRecord(settings.import_id, parsed.number, Status.UNCHANGED.value, draft.sku, name)
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
    values = field_parsing.DEFAULTS | draft.values
    values["sku"] = record.sku = values["sku"] or SkuField.generate()
    record.status, record.delta = Status.NEW.value, draft.stock
    record.after = {
        name: values[attname] for attname, name in field_parsing.NAMES_BY_ATTNAME.items()
    }
    record.after |= {
        name: field_parsing.to_stored_value(column, values[column.attname])
        for name, column in field_parsing.CONVERTED_FIELDS.items()
    }


def _fill_changed(record: RowRecord, draft: RowDraft, product: Mapping[str, Any]) -> None:
    record.product_id, record.sku = product["pk"], product["sku"]
    for attname, value in draft.values.items():
        column = FIELDS[field_parsing.NAMES_BY_ATTNAME[attname]]
        if value != product[attname]:
            record.after[column.name] = field_parsing.to_stored_value(column, value)
            record.before[column.name] = field_parsing.to_stored_value(column, product[attname])
    if draft.stock is not None and draft.stock != product["stock"]:
        record.after["stock"], record.before["stock"] = draft.stock, product["stock"]
        record.delta = draft.stock - product["stock"]
    if record.after:
        record.status = Status.CHANGED.value
