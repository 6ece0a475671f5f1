"""Files of further catalogue models: read as a table, imported by django-import-export, exported.

Their columns are those of `natural_keys.file_fields`, with the cells of product files. Rows are
found by their natural key, or by their id in a model without one. A key that
the model declares as Django does is computed from the cells.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db import models
from django.utils.translation import gettext as _
from import_export import fields, resources
from import_export.instance_loaders import BaseInstanceLoader
from tablib import Dataset  # type: ignore[import-untyped]

from shop import exposure, natural_keys, text_validation
from shop.natural_keys import NaturalKeys, has_natural_key, natural_key_field
from shop.product_files.exports.columns import table_rows
from shop.product_files.exports.field_columns import cell_format, field_column
from shop.product_files.exports.product_export import FILE_WRITERS, Format
from shop.product_files.formats.column_matching import match_columns
from shop.product_files.formula_escaping import unescape_formula
from shop.product_files.imports.field_parsing import (
    CellError,
    CellParser,
    may_be_empty,
    validating_parser,
)
from shop.product_files.imports.relations import RelatedNames
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.number_parsing import parse_quantity
from shop.product_files.reading.sheets import read_table
from shop.services import crud
from shop.services.errors import FileRefused

MAX_ROWS = 2_000
MAX_BYTES = 2 * 1024 * 1024


def key_field(model: exposure.Model) -> exposure.Field | None:
    """Return the field whose value says which record a row is about; None if several fields do."""
    if field := natural_key_field(model):
        return field
    return None if has_natural_key(model) else exposure.get_field(model, model._meta.pk.name)


def file_columns(model: exposure.Model) -> list[exposure.Field]:
    """Return the fields that are columns, the key first."""
    key, fields = key_field(model), natural_keys.file_fields(model)
    return list(dict.fromkeys([key, *fields] if key else fields))


class CatalogueColumn(fields.Field):  # type: ignore[misc]
    """A column of a file: parses and formats the cells of one model field."""

    def __init__(self, field: exposure.Field, parser: CellParser) -> None:
        super().__init__(field.attname, str(field.verbose_name), readonly=field.primary_key)
        self.field, self.parser = field, parser
        _cell_type, self.formatter = cell_format(field)

    def get_value(self, instance: Any) -> Any:
        """Return the stored or, during an import, the imported value; keys of related records."""
        if not self.field.many_to_many:
            return getattr(instance, self.field.attname)
        imported = instance.__dict__.get(f"_imported_{self.field.name}")
        if imported is not None or not instance.pk:
            return imported or ()
        return tuple(sorted(record.pk for record in getattr(instance, self.field.name).all()))

    def export(self, instance: Any, **_kwargs: Any) -> str:
        """Return the value as the text of a cell of the preview."""
        value = self.get_value(instance)
        return "" if value is None else self.formatter(value)

    def save(self, instance: Any, row: Any, *_args: Any, **_kwargs: Any) -> None:
        """Set the value of a row's cell. Raises ValueError with a message for staff."""
        text = unescape_formula(row[self.column_name]).strip()
        is_default = instance._state.adding and self.field.has_default()
        if self.readonly or (not text and is_default):
            return
        value = self._parse(text)
        if self.field.many_to_many:
            instance.__dict__[f"_imported_{self.field.name}"] = tuple(value)
        else:
            setattr(instance, self.field.attname, value)

    def _parse(self, text: str) -> Any:
        if not text and may_be_empty(self.field):
            return exposure.empty_value(self.field)
        if not text:
            raise ValueError(_("This can't be empty."))
        try:
            return self.parser(text)
        except CellError as error:
            raise ValueError(f"{error} {error.suggestion}".rstrip()) from error


class RecordLoader(BaseInstanceLoader):  # type: ignore[misc]
    """Finds the record that a row is about. Raises ValueError for one that a row before named."""

    def __init__(self, resource: Any, dataset: Any = None) -> None:
        super().__init__(resource, dataset)
        model = resource._meta.model
        self.field = key_field(model)
        self.records = NaturalKeys(model) if has_natural_key(model) else None
        self.seen: set[Any] = set()

    def get_instance(self, row: Any) -> Any | None:
        text = self._key_text(row)
        if self.records is None:
            pk = self._parse_pk(text) if text else None
        else:
            pk = self._find(self.records, text)
        if pk is None:
            return None
        if pk in self.seen:
            message = _("%(text)s is in more than one row.")
            raise ValueError(message % {"text": quote_text(text)})
        self.seen.add(pk)
        try:
            return self.resource.get_queryset().get(pk=pk)
        except self.resource._meta.model.DoesNotExist as error:
            raise _unknown_id(text) from error

    def _key_text(self, row: Any) -> str:
        """Return the cell of the key or, if the model declares several fields, their text."""
        if self.field:
            return unescape_formula(row.get(str(self.field.verbose_name), "")).strip()
        record = self.resource._meta.model()
        try:
            for column in self.resource.fields.values():
                if column.column_name in row and not column.field.many_to_many:
                    column.save(record, row)
            return natural_keys.key_text(record)
        except (ValueError, TypeError, AttributeError, ObjectDoesNotExist):
            return ""  # a part is missing or wrong, which the column reports

    def _parse_pk(self, text: str) -> Any:
        pk = self.resource._meta.model._meta.pk
        if isinstance(pk, models.IntegerField):
            return parse_quantity(text)
        try:
            return pk.to_python(text)
        except ValidationError as error:
            raise _unknown_id(text) from error

    def _find(self, records: NaturalKeys, text: str) -> Any | None:
        try:
            return records.find(text_validation.clean_line(text))
        except ValueError:  # the column reports the character
            return None


def _unknown_id(text: str) -> ValueError:
    message = _("There is no record with the ID %(text)s.")
    return ValueError(message % {"text": quote_text(text)})


class CatalogueResource(resources.ModelResource):  # type: ignore[misc]
    """Imports rows by `services.crud`: all of them, or none if one has an error."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        columns = file_columns(self._meta.model)
        parsers = RelatedNames(field for field in columns if field.is_relation).parsers
        self.fields = {
            field.name: CatalogueColumn(field, parsers.get(field.name) or validating_parser(field))
            for field in columns
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
        relations = exposure.names_of(exposure.many_to_many_fields(self._meta.model))
        return self._meta.model._default_manager.prefetch_related(*relations)

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
        model, actor = self._meta.model, options["user"]
        values = {
            column.attribute: column.get_value(instance)
            for column in self.fields.values()
            if column.column_name in row and not column.readonly
        }
        try:
            if is_create:
                instance.pk = crud.create_record(model, actor=actor, values=values).pk
            else:
                crud.update_record(model, pk=instance.pk, actor=actor, changes=values)
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
    rows = read_table(BytesIO(content), max_rows=MAX_ROWS)
    headers = next(rows, [])
    columns = {field.name: str(field.verbose_name) for field in file_columns(model)}
    match = match_columns(headers, {name: (header,) for name, header in columns.items()})
    values = {"columns": ", ".join(columns.values())}
    if match.unknown:
        message = _("The column %(header)s is unknown. There are: %(columns)s.")
        raise FileRefused(message % (values | {"header": quote_text(match.unknown[0])}))
    key = natural_key_field(model)
    if key and key.name not in match.places:
        message = _("The column %(name)s is missing. There are: %(columns)s.")
        raise FileRefused(message % (values | {"name": quote_text(columns[key.name])}))

    dataset = Dataset(headers=[columns[name] for name in match.places])
    for cells in rows:
        if any(cell.strip() for cell in cells[len(headers) :]):
            message = _("Row %(row)d has more cells than there are columns.")
            raise FileRefused(message % {"row": len(dataset) + 1})
        padded = [*cells, *[""] * len(headers)]
        dataset.append([padded[index] for index in match.places.values()])
    if not len(dataset):
        raise FileRefused(_("The file has column names but no rows below them."))
    return dataset


def export_records(records: models.QuerySet[Any], *, file_format: Format) -> Iterator[bytes]:
    """Yield the file in chunks, in the order of the records' keys."""
    columns = list(map(field_column, file_columns(records.model)))
    return FILE_WRITERS[file_format](columns, table_rows(columns, records.order_by("pk")))
