"""Files of further catalogue models: read as a table, imported by django-import-export, exported.

Their columns are those of `exposure.file_fields`. Rows are found by their natural key, or by their
id in a model without one. Foreign keys and many-to-many fields hold natural keys.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils.translation import gettext as _
from import_export import resources
from import_export.instance_loaders import BaseInstanceLoader
from tablib import Dataset  # type: ignore[import-untyped]

from shop import exposure, text_validation
from shop.natural_keys import NaturalKeys, natural_key_field
from shop.product_files.catalogue_columns import (
    CatalogueColumn,
    file_columns,
    key_field,
    parse_whole_number,
)
from shop.product_files.exports.columns import Column
from shop.product_files.exports.product_export import FILE_WRITERS, Format
from shop.product_files.formula_escaping import unescape_formula
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.sheets import read_table
from shop.services import crud
from shop.services.errors import FileRefused

MAX_ROWS = 2_000
MAX_BYTES = 2 * 1024 * 1024


class RecordLoader(BaseInstanceLoader):  # type: ignore[misc]
    """Finds the record that a row is about. Raises ValueError for one that a row before named."""

    def __init__(self, resource: Any, dataset: Any = None) -> None:
        super().__init__(resource, dataset)
        model = resource._meta.model
        self.field = key_field(model)
        self.records = NaturalKeys(model) if natural_key_field(model) else None
        self.seen: set[Any] = set()

    def get_instance(self, row: Any) -> Any | None:
        text = unescape_formula(row.get(str(self.field.verbose_name), "")).strip()
        if self.records is None:
            pk = parse_whole_number(text) if text else None
        else:
            pk = self._find(self.records, text)
        if pk is None and (self.records or not text):
            return None
        if pk in self.seen:
            message = _("%(text)s is in more than one row.")
            raise ValueError(message % {"text": quote_text(text)})
        self.seen.add(pk)
        try:
            return self.resource.get_queryset().get(pk=pk)
        except (self.resource._meta.model.DoesNotExist, OverflowError) as error:
            message = _("There is no record with the ID %(text)s.")
            raise ValueError(message % {"text": quote_text(text)}) from error

    def _find(self, records: NaturalKeys, text: str) -> Any | None:
        try:
            return records.find(text_validation.clean_line(text))
        except ValueError:  # the column reports the character
            return None


class CatalogueResource(resources.ModelResource):  # type: ignore[misc]
    """Imports rows by `services.crud`: all of them, or none if one has an error."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        model = self._meta.model
        self.fields = {
            field.name: CatalogueColumn(field, is_key=field == key_field(model))
            for field in file_columns(model)
        }

    def get_import_id_fields(self) -> list[str]:
        """Return the library's default, with which it doesn't look for a column itself."""
        return ["id"]

    def get_instance(self, instance_loader: Any, row: Any) -> Any | None:
        return instance_loader.get_instance(row)

    def get_import_order(self) -> list[str]:
        return list(self.fields)

    get_export_order = get_import_order

    def get_queryset(self) -> Any:
        queryset = self._meta.model._default_manager.all()
        return queryset.prefetch_related(
            *exposure.names_of(exposure.many_to_many_fields(self._meta.model))
        )

    def skip_row(self, instance: Any, original: Any, row: Any, errors: Any = None) -> bool:
        """Return whether the row changes nothing."""
        columns = [column for column in self.fields.values() if column.column_name in row]
        return (
            bool(original.pk)
            and not errors
            and all(column.get_value(instance) == column.get_value(original) for column in columns)
        )

    def validate_instance(self, _instance: Any, errors: Any = None, **_options: Any) -> None:
        """Raise the errors of the cells; the service validates the record."""
        if errors:
            raise ValidationError(self._by_column(errors))

    def save_instance(self, instance: Any, is_create: Any, row: Any, **options: Any) -> None:
        """Create or change the record, with an entry in the audit log."""
        values = {
            column.attribute: column.get_value(instance)
            for column in self.fields.values()
            if column.column_name in row and not column.readonly
        }
        try:
            if is_create:
                record = crud.create_record(self._meta.model, actor=options["user"], values=values)
                instance.pk = record.pk
            else:
                crud.update_record(
                    self._meta.model, pk=instance.pk, actor=options["user"], changes=values
                )
        except ValidationError as error:
            raise ValidationError(self._by_column(error.update_error_dict({}))) from error

    def save_m2m(self, *_args: Any, **_options: Any) -> None:
        """Do nothing: the service has written many-to-many fields with the record."""

    def _by_column(self, errors: Any) -> dict[str, Any]:
        """Return the errors by the columns' names, as the page shows them."""
        names = {column.attribute: column.column_name for column in self.fields.values()}
        names |= {name: column.column_name for name, column in self.fields.items()}
        return {names.get(name, NON_FIELD_ERRORS): error for name, error in errors.items()}


def resource_class(model: exposure.Model) -> type[CatalogueResource]:
    """Return the resource of a catalogue model."""
    options = {
        "model": model,
        "fields": (),
        "instance_loader_class": RecordLoader,
        "skip_unchanged": True,
        "report_skipped": True,
        "use_transactions": True,
    }
    meta = type("Meta", (), options)
    resource: type[CatalogueResource] = type(
        f"{model.__name__}Resource", (CatalogueResource,), {"Meta": meta}
    )
    return resource


def read_dataset(model: exposure.Model, content: bytes) -> Dataset:
    """Return the rows of a CSV or XLSX file under the columns' names.

    Raises FileRefused with a message for staff, also for an unknown column.
    """
    if len(content) > MAX_BYTES:
        message = _("The file is larger than %(limit)s MB. Split it into several files.")
        raise FileRefused(message % {"limit": MAX_BYTES // 1024 // 1024})
    rows = read_table(BytesIO(content), max_rows=MAX_ROWS)
    headers = _find_columns(model, next(rows, []))
    dataset = Dataset(headers=headers)
    for cells in rows:
        if any(cell.strip() for cell in cells[len(headers) :]):
            message = _("Row %(row)d has more cells than there are columns.")
            raise FileRefused(message % {"row": len(dataset) + 1})
        dataset.append([*cells, *[""] * len(headers)][: len(headers)])
    if not len(dataset):
        raise FileRefused(_("The file has column names but no rows below them."))
    return dataset


def _find_columns(model: exposure.Model, cells: Sequence[str]) -> list[str]:
    """Return the columns' own names for the headers of a file."""
    names = [str(field.verbose_name) for field in file_columns(model)]
    known = {_fold(name): name for name in names}
    headers = list(map(str.strip, cells))
    while headers and not headers[-1]:
        headers.pop()
    found = [known.get(_fold(header), "") for header in headers]
    values = {"columns": ", ".join(names)}
    for header, name in zip(headers, found, strict=True):
        if not name:
            message = _("The column %(header)s is unknown. There are: %(columns)s.")
            raise FileRefused(message % (values | {"header": quote_text(header)}))
        if found.count(name) > 1:
            message = _("More than one column is called %(name)s. Rename or delete all but one.")
            raise FileRefused(message % {"name": quote_text(name)})
    if natural_key_field(model) and names[0] not in found:
        message = _("The column %(name)s is missing. There are: %(columns)s.")
        raise FileRefused(message % (values | {"name": quote_text(names[0])}))
    return found


def _fold(header: str) -> str:
    return " ".join(header.replace("\ufeff", "").casefold().split())


def export_records(records: models.QuerySet[Any], *, file_format: Format) -> Iterator[bytes]:
    """Yield the file in chunks, in the order of the records' keys."""
    resource = resource_class(records.model)()
    columns = [
        Column(column.column_name, str, cell_type=column.cell_type)
        for column in resource.fields.values()
    ]
    many_to_many = exposure.names_of(exposure.many_to_many_fields(records.model))
    chunks = records.order_by("pk").prefetch_related(*many_to_many).iterator(chunk_size=500)
    rows = (
        tuple(column.export(record) for column in resource.fields.values()) for record in chunks
    )
    return FILE_WRITERS[file_format](columns, rows)
