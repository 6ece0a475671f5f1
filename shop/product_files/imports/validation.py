"""What each row of a file would do to the catalogue, decided for a few thousand rows at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models.functions import Lower

from shop import text_validation
from shop.models import ImportRow, Product, ProductImport
from shop.models.products import MAX_STOCK, SkuField
from shop.product_files.formats.parsed_row import ParsedRow
from shop.product_files.imports import field_parsing
from shop.product_files.imports.field_parsing import FIELDS, RowError, field_error
from shop.product_files.imports.row_store import StoredRow
from shop.schema_factory import Body

Status = ImportRow.Status
Stock = ProductImport.Stock
#: Lines that are named where a SKU is in the file more than once.
NAMED = 5


@dataclass(frozen=True)
class ImportSettings:
    """How this file is to be understood: chosen by staff, or found by looking through it."""

    import_id: int
    point: str | None
    stock: str
    clears: bool
    #: SKU in lower case → the lines that share it.
    repeated: Mapping[str, Sequence[int]]


@dataclass(slots=True)
class Draft:
    """A row while it is judged. `product` is what the catalogue has, `values` what the row says otherwise."""

    line: ParsedRow
    sku: str
    problems: list[RowError]
    product: Mapping[str, Any] | None = None
    values: dict[str, Any] = field(default_factory=dict)
    stock: int | None = None


def validate_rows(
    lines: Iterable[ParsedRow], terms: ImportSettings
) -> list[tuple[StoredRow, Draft]]:
    """The status on each line, in their order; one query for the products, and one for each relation."""
    drafts = [_draft(line, terms) for line in lines]
    products = _products(draft.sku.lower() for draft in drafts if draft.sku)
    readers = field_parsing.build_parsers(terms.point)
    for draft in drafts:
        draft.product = products.get(draft.sku.lower())
        if not draft.line.skip:
            _read(draft, readers, terms)
            _read_stock(draft, terms)
    _hold_against_the_rules(drafts)
    return [(_row(draft, terms), draft) for draft in drafts]


def sku_key(line: ParsedRow) -> str:
    """The row's SKU as it is compared; empty where there is none."""
    return _sku(line).lower()


def _sku(line: ParsedRow) -> str:
    try:
        return "" if line.skip else text_validation.clean_line(line.values.get("sku", ""))
    except ValueError:
        return ""


def _draft(line: ParsedRow, terms: ImportSettings) -> Draft:
    problems = [field_error("", said) for said in line.problems]
    sku = _sku(line)
    if others := [
        str(number) for number in terms.repeated.get(sku.lower(), ()) if number != line.number
    ]:
        shown = ", ".join(others[:NAMED]) + (", …" if len(others) > NAMED else "")
        said = (
            f"SKU: line {shown} has the same one."
            if len(others) == 1
            else f"SKU: lines {shown} have the same one."
        )
        problems.append(field_error("sku", said, "Keep one of these lines."))
    return Draft(line, sku, problems)


def _products(skus: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    columns = [field.attname for field in FIELDS.values()]
    asked = Product.objects.annotate(key=Lower("sku")).filter(key__in=set(skus)).order_by()
    return {row["key"]: row for row in asked.values("pk", "key", "stock", *columns)}


def _read(draft: Draft, readers: Mapping[str, field_parsing.Read], terms: ImportSettings) -> None:
    """The row's values by type, without those that the product has already."""
    product = draft.product
    for name, cell in draft.line.values.items():
        if name not in FIELDS or (name == "sku" and product):
            continue
        column = FIELDS[name]
        try:
            if cell.strip():
                value = readers[name](cell)
            elif product and terms.clears:
                if not field_parsing.may_be_empty(column):
                    raise ValueError("This cannot be empty.")  # noqa: TRY301 - said like the readers' words
                value = field_parsing.empty_value(column)
            else:
                continue
        except ValueError as error:
            draft.problems.append(
                field_error(name, f"{field_parsing.field_label(column)}: {error}")
            )
            continue
        if product is None or value != product[column.attname]:
            draft.values[column.attname] = value


def _read_stock(draft: Draft, terms: ImportSettings) -> None:
    """The stock that the product would have, where the row says something of it."""
    cells, product = draft.line.values, draft.product
    cell = cells.get("stock", "").strip()
    if not cell or (product and terms.stock == Stock.LEAVE):
        draft.stock = None if product else 0
        return
    try:
        said = field_parsing.quantity(cell)
        if product is None or terms.stock == Stock.SET:
            stock = said
        elif terms.stock == Stock.ADD:
            stock = product["stock"] + said
        elif was := cells.get("stock_was", "").strip():
            stock = product["stock"] + said - field_parsing.quantity(was)
        else:
            raise ValueError("The stock at export is missing, so the difference is not known.")  # noqa: TRY301
        if not 0 <= stock <= MAX_STOCK:
            now = f"It is {product['stock']:,} now and" if product else "It"
            raise ValueError(f"{now} would become {stock:,}; possible is 0 to {MAX_STOCK:,}.")  # noqa: TRY301
    except ValueError as error:
        draft.problems.append(field_error("stock", f"Stock: {error}"))
    else:
        draft.stock = stock


def _hold_against_the_rules(drafts: Iterable[Draft]) -> None:
    live = [draft for draft in drafts if not draft.line.skip]
    unknown = field_parsing.unknown_relations([draft.values for draft in live])
    for is_new, adapter in ((True, field_parsing.NEW), (False, field_parsing.CHANGED)):
        some = [
            draft
            for draft in live
            if (draft.product is None) == is_new and (is_new or draft.values)
        ]
        found = field_parsing.validate_values(adapter, [draft.values for draft in some])
        for draft, answer in zip(some, found, strict=True):
            if isinstance(answer, Body):
                draft.values = {name: answer.__dict__[name] for name in draft.values}
            else:
                said = {one["field"] for one in draft.problems}
                draft.problems += [one for one in answer if one["field"] not in said]
    for draft in live:
        for attname in [name for name, keys in unknown.items() if draft.values.get(name) in keys]:
            column = FIELDS[field_parsing.NAMES[attname]]
            sentence = f"{field_parsing.field_label(column)}: there is no {draft.values[attname]}."
            draft.problems.append(field_error(column.name, sentence))


def _row(draft: Draft, terms: ImportSettings) -> StoredRow:
    line, product = draft.line, draft.product
    name = line.values.get("name", "").strip() or (product or {}).get("name", "")
    row = StoredRow(terms.import_id, line.number, Status.SAME.value, draft.sku, name)
    if line.skip:
        row.sku, row.status = line.values.get("sku", ""), Status.SKIPPED.value
        row.problems, row.cells = [field_error("", line.skip)], line.cells
    elif draft.problems:
        row.sku = line.values.get("sku", "").strip()
        row.status, row.problems, row.cells = Status.WRONG.value, draft.problems, line.cells
    elif product is None:
        _new(row, draft)
    else:
        _changed(row, draft, product)
    return row


def _new(row: StoredRow, draft: Draft) -> None:
    whole = field_parsing.DEFAULTS | draft.values
    whole["sku"] = row.sku = whole["sku"] or SkuField.generate()
    row.status, row.delta = Status.NEW.value, draft.stock
    row.after = {name: whole[attname] for attname, name in field_parsing.NAMES.items()}
    row.after |= {
        name: field_parsing.to_stored_value(f, whole[f.attname])
        for name, f in field_parsing.CONVERTED.items()
    }


def _changed(row: StoredRow, draft: Draft, product: Mapping[str, Any]) -> None:
    row.product_id, row.sku = product["pk"], product["sku"]
    for attname, value in draft.values.items():
        column = FIELDS[field_parsing.NAMES[attname]]
        if value != product[attname]:
            row.after[column.name] = field_parsing.to_stored_value(column, value)
            row.before[column.name] = field_parsing.to_stored_value(column, product[attname])
    if draft.stock is not None and draft.stock != product["stock"]:
        row.after["stock"], row.before["stock"] = draft.stock, product["stock"]
        row.delta = draft.stock - product["stock"]
    if row.after:
        row.status = Status.CHANGED.value
