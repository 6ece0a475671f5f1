"""What the pages of an import ask: the file, and how it is to be understood."""

import io
import zipfile
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from shop.models import ProductImport
from shop.product_files.imports.error_report import EXPLAINED
from shop.product_files.imports.preview import DIALECTS
from shop.product_files.reading import archives, limits
from shop.product_files.reading.encodings import UTF_8, UTF_16, WINDOWS
from shop.services.errors import FileRefused

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
POINTS = {".": "1,234.50 (a point)", ",": "1.234,50 (a comma)"}
COLUMN = "column_"
NOT_READ = "not read"


class UploadForm(forms.Form):
    """The file, and pictures beside it."""

    file = forms.FileField(
        help_text="CSV, TSV, XLSX, or a ZIP of one of these with its pictures. From your spreadsheet, from"
        " Shopify or from WooCommerce, as it is. At most 200,000 rows and 50 MB.",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.zip"}),
    )
    pictures = forms.FileField(
        required=False,
        help_text="Optional: a ZIP of pictures, named like the SKU (MUG-1.jpg) or like the file's picture"
        " column.",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".zip"}),
    )

    def clean(self) -> dict[str, Any]:
        """The upload as one file: pictures that came beside it are packed with it."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("file"):
            for name in ("file", "pictures"):
                if values.get(name) and values[name].size > limits.MAX_BYTES:
                    self.add_error(name, limits.TOO_LARGE)
                    return values
            values["content"] = values["file"].read()
            if values.get("pictures"):
                values["content"] = self._packed(values)
        return values

    def _packed(self, values: dict[str, Any]) -> bytes:
        both = io.BytesIO(values["pictures"].read())
        try:
            archives.open_archive(both)
            with zipfile.ZipFile(both, "a") as archive:
                archive.writestr(values["file"].name, values["content"])
        except FileRefused as error:
            self.add_error("pictures", str(error))
        return both.getvalue()


def _choice(label: str, choices: dict[str, str], *, first: str = "", help_text: str = "") -> Any:
    listed = [("", first)] if first else []
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=[*listed, *choices.items()],
        widget=UnfoldAdminSelectWidget,
        help_text=help_text,
    )


def _open(product_import: ProductImport) -> dict[str, str]:
    """What is to be answered. The stock is no question where every product is new: it starts with that."""
    asked: dict[str, str] = product_import.found.get("questions", {})
    is_new_only = not any(product_import.counts.get(kind) for kind in ("changed", "same"))
    return {name: said for name, said in asked.items() if name != "stock" or not is_new_only}


class TermsForm(forms.Form):
    """How a file is to be understood, where that could not be found, or was found wrongly."""

    def __init__(self, data: Any = None, *, product_import: ProductImport) -> None:
        chosen, found = product_import.options, product_import.found
        initial = {name: value for name, value in chosen.items() if isinstance(value, str)}
        super().__init__(data, initial=initial)
        self.open = _open(product_import)
        self._ask_what_is_open(chosen, found)
        if found.get("format") != "XLSX":
            encodings = {label: label for label in (UTF_8, WINDOWS, UTF_16)}
            self.fields["encoding"] = _choice("Encoding", encodings, first="found by itself")
            self.fields["delimiter"] = _choice(
                "Columns are parted by", DELIMITERS, first="found by itself"
            )
        kinds = {dialect.name: dialect.label for dialect in DIALECTS.values()}
        self.fields["dialect"] = _choice("Columns are those of", kinds, first="found by itself")
        blanks = {value: label.capitalize() for value, label in ProductImport.Blank.choices}
        self.fields["blank"] = _choice("A blank cell", blanks)
        self._ask_for_columns(product_import)

    def _ask_what_is_open(self, chosen: dict[str, Any], found: dict[str, Any]) -> None:
        questions = found.get("questions", {})
        if "point" in questions or "point" in chosen:
            self.fields["point"] = _choice("Prices are written like", POINTS, first="Choose")
        if "stock" in questions or "stock" in chosen:
            ways = {
                value: label.capitalize()
                for value, label in ProductImport.Stock.choices
                if value != ProductImport.Stock.DIFFERENCE
            }
            self.fields["stock"] = _choice("The stock in the file", ways, first="Choose")

    def _ask_for_columns(self, product_import: ProductImport) -> None:
        """Which field each column is that none was found for; of other shops' files only on demand."""
        known = DIALECTS[product_import.found.get("dialect", "own")].known()
        named: dict[str, str] = dict(product_import.options.get("named", {}))
        for header in product_import.found.get("unknown", []):
            if header not in EXPLAINED:
                named.setdefault(str(product_import.headers.index(header)), header)
        fields = {name: headers[0] for name, headers in known.items()}
        now = {
            str(place): name for name, place in product_import.options.get("columns", {}).items()
        }
        for place, header in sorted(named.items(), key=lambda one: int(one[0])):
            column = _choice(f"“{header}” is", fields, first=NOT_READ)
            column.initial = now.get(place, "")
            self.fields[f"{COLUMN}{place}"] = column
        self.named = named

    @property
    def questions(self) -> list[tuple[str, forms.BoundField]]:
        """What is open, in words, and the field that answers it."""
        return [(said, self[name]) for name, said in self.open.items() if name in self.fields]

    @property
    def about_file(self) -> list[forms.BoundField]:
        """All but what is open and the columns."""
        return [
            bound
            for bound in self
            if not bound.name.startswith(COLUMN) and bound.name not in self.open
        ]

    @property
    def about_columns(self) -> list[forms.BoundField]:
        """The columns."""
        return [bound for bound in self if bound.name.startswith(COLUMN)]

    def clean(self) -> dict[str, Any]:
        """One column for a field."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [value for name, value in values.items() if name.startswith(COLUMN) and value]
        if len(chosen) != len(set(chosen)):
            raise forms.ValidationError("Two columns cannot be the same field.")
        return values

    def options(self) -> dict[str, Any]:
        """What is kept of it; what is found by itself is left out."""
        values = {name: value for name, value in self.cleaned_data.items() if value}
        columns = {
            value: int(name.removeprefix(COLUMN))
            for name, value in values.items()
            if COLUMN in name
        }
        options: dict[str, Any] = {
            name: value for name, value in values.items() if COLUMN not in name
        }
        if columns:
            named = {str(place): self.named[str(place)] for place in columns.values()}
            options |= {"columns": columns, "named": named}
        return options
