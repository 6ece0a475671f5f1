"""Forms of the import pages: the upload, and how to read the file."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from django import forms
from django.apps import apps
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from shop.models import ChangeRow, ChangeSet
from shop.product_files.imports.error_report import REPORT_HEADERS
from shop.product_files.imports.preview import FILE_FORMATS, QUESTIONS
from shop.product_files.imports.relations import list_names
from shop.product_files.reading import archives, limits
from shop.product_files.reading.encodings import UTF_8, UTF_16, WINDOWS
from shop.services.change_sets.missing import add_permission, known_entries
from shop.services.errors import FileRefused

DELIMITER_LABELS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
    "|": gettext_lazy("vertical bar"),
}
NUMBER_FORMATS = {".": "1,234.50", ",": "1.234,50"}
DETECT = gettext_lazy("Detect")
CHOOSE = gettext_lazy("Choose")
#: Prefix of the fields that assign a column, before its index.
COLUMN_PREFIX = "column_"


class UploadForm(forms.Form):
    """Asks for a product file and, optionally, a ZIP of pictures."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV, TSV, XLSX, or a ZIP of one of these with its pictures. Exports of Shopify and"
            " WooCommerce work as they are. At most 200,000 rows and 50 MB."
        ),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.zip"}),
    )
    pictures = forms.FileField(
        label=gettext_lazy("Pictures"),
        required=False,
        help_text=gettext_lazy(
            "Optional. A ZIP of pictures, named like the SKU (MUG-1.jpg) or as in the file's"
            " picture column."
        ),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".zip"}),
    )

    def clean(self) -> dict[str, Any]:
        """Add `content`: the file, packed with the pictures if there are any."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("file"):
            for name in ("file", "pictures"):
                if values.get(name) and values[name].size > limits.MAX_BYTES:
                    self.add_error(name, limits.TOO_LARGE)
                    return values
            values["content"] = values["file"].read()
            if values.get("pictures"):
                values["content"] = self._pack(values)
        return values

    def _pack(self, values: dict[str, Any]) -> bytes:
        content = io.BytesIO(values["pictures"].read())
        try:
            archives.open_archive(content)
            with zipfile.ZipFile(content, "a") as archive:
                archive.writestr(values["file"].name, values["content"])
        except FileRefused as error:
            self.add_error("pictures", str(error))
        return content.getvalue()


def _select_field(label: Any, choices: dict[str, Any], *, blank: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=[*([("", blank)] if blank else []), *choices.items()],
        widget=UnfoldAdminSelectWidget,
    )


def _open_questions(change_set: ChangeSet) -> list[str]:
    """Return the questions to answer. New products start with the file's stock without asking."""
    questions: list[str] = change_set.detected.get("questions", [])
    statuses = (ChangeRow.Status.CHANGED, ChangeRow.Status.UNCHANGED)
    has_existing = any(change_set.counts.get(status) for status in statuses)
    return [name for name in questions if name != "stock_mode" or has_existing]


def _offered_records(change_set: ChangeSet, user: Any) -> list[Mapping[str, Any]]:
    """Return the missing records that the user may create and that are errors now."""
    creates = change_set.options.get("create_missing", [])
    missing = known_entries(change_set, "missing")
    models = {entry["model"] for entry in missing} - {*creates}
    allowed = {label for label in models if user.has_perm(add_permission(apps.get_model(label)))}
    return [entry for entry in missing if entry["model"] in allowed]


class ReadingOptionsForm(forms.Form):
    """How to read a file, where this was not detected or was detected wrongly."""

    def __init__(self, data: Any = None, *, change_set: ChangeSet, user: Any) -> None:
        options, detected = change_set.options, change_set.detected
        initial = {name: value for name, value in options.items() if isinstance(value, str)}
        self.creates: list[str] = options.get("create_missing", [])
        initial["create_missing"] = "create" if self.creates else ""
        super().__init__(data, initial=initial)
        self.open_questions = _open_questions(change_set)
        self._add_question_fields(options, detected)
        if detected.get("file_type") != "XLSX":
            encodings = {label: label for label in (UTF_8, WINDOWS, UTF_16)}
            self.fields["encoding"] = _select_field(_("Encoding"), encodings, blank=DETECT)
            self.fields["delimiter"] = _select_field(_("Separator"), DELIMITER_LABELS, blank=DETECT)
        labels = {file_format.name: file_format.label for file_format in FILE_FORMATS.values()}
        self.fields["file_format"] = _select_field(_("Format"), labels, blank=DETECT)
        blank_cells = dict(ChangeSet.BlankCells.choices)
        self.fields["blank_cells"] = _select_field(_("Blank cells"), blank_cells)
        self.missing = _offered_records(change_set, user)
        self.fields["create_missing"] = _select_field(
            _("Names that don't exist"),
            {"create": _("Create them when the import is applied")},
            blank=_("Report them as errors"),
        )
        self._add_column_fields(change_set)

    def _add_question_fields(self, options: dict[str, Any], detected: dict[str, Any]) -> None:
        questions = {*detected.get("questions", []), *options}
        if "decimal_mark" in questions:
            self.fields["decimal_mark"] = _select_field(
                _("Number format"), NUMBER_FORMATS, blank=CHOOSE
            )
        if "stock_mode" in questions:
            modes = dict(ChangeSet.StockMode.choices)
            del modes[ChangeSet.StockMode.DIFFERENCE]
            self.fields["stock_mode"] = _select_field(_("Stock in the file"), modes, blank=CHOOSE)

    def _add_column_fields(self, change_set: ChangeSet) -> None:
        """Add a field for each column that is not read, and for those assigned before."""
        options, detected = change_set.options, change_set.detected
        self.column_headers: dict[str, str] = dict(options.get("column_headers", {}))
        for header in detected.get("unknown_headers", []):
            if header not in REPORT_HEADERS:
                self.column_headers.setdefault(str(change_set.headers.index(header)), header)

        known = FILE_FORMATS[detected.get("file_format", "own")].known()
        choices = {name: aliases[0] for name, aliases in known.items()}
        assigned = {str(index): name for name, index in options.get("columns", {}).items()}
        for index, header in sorted(self.column_headers.items(), key=lambda item: int(item[0])):
            label = _("“%(header)s” is") % {"header": header}
            column = _select_field(label, choices, blank=_("Not imported"))
            column.initial = assigned.get(index, "")
            self.fields[f"{COLUMN_PREFIX}{index}"] = column

    @property
    def questions(self) -> list[tuple[Any, forms.BoundField]]:
        """The open questions, each with the field that answers it."""
        return [
            (QUESTIONS[name], self[name]) for name in self.open_questions if name in self.fields
        ]

    @property
    def file_fields(self) -> list[forms.BoundField]:
        """The fields about the whole file, without open questions."""
        return [
            field
            for field in self
            if not field.name.startswith(COLUMN_PREFIX)
            and field.name not in self.open_questions
            and (field.name != "create_missing" or self.creates)
        ]

    @property
    def missing_names(self) -> list[str]:
        """The names that can be created, a line per model."""
        return list(list_names(self.missing))

    @property
    def column_fields(self) -> list[forms.BoundField]:
        """The fields that assign columns."""
        return [field for field in self if field.name.startswith(COLUMN_PREFIX)]

    def clean(self) -> dict[str, Any]:
        """Refuse two columns for the same field."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [value for name, value in values.items() if name.startswith(COLUMN_PREFIX)]
        chosen = [value for value in chosen if value]
        if len(chosen) != len(set(chosen)):
            raise forms.ValidationError(
                _("Two columns can't be the same field."), code="duplicate_column"
            )
        return values

    def options(self) -> dict[str, Any]:
        """Return the import's options, without those to be detected."""
        values = {name: value for name, value in self.cleaned_data.items() if value}
        columns = {
            values.pop(name): int(name.removeprefix(COLUMN_PREFIX))
            for name in list(values)
            if name.startswith(COLUMN_PREFIX)
        }
        if values.pop("create_missing", ""):
            offered = {str(entry["model"]) for entry in self.missing}
            values["create_missing"] = sorted({*self.creates, *offered})
        if columns:
            headers = {str(index): self.column_headers[str(index)] for index in columns.values()}
            values |= {"columns": columns, "column_headers": headers}
        return values
