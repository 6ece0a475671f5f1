"""The page on which selected products are edited in a table, cell by cell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from pydantic import Field, TypeAdapter
from pydantic import ValidationError as MalformedCells
from unfold.admin import ModelAdmin

from shop.admin.action_form import add_service_error, render_action_form
from shop.admin.base import form_key, run_form_once, staff_user
from shop.admin.change_sets.messages import result_message
from shop.admin.forms import is_key
from shop.admin.products.table_columns import TableColumn, describe_conflict, table_columns
from shop.admin.rendering import render_thumbnail
from shop.models import Product
from shop.services.bulk_edit import CellEdit, CellProblem, edit_products
from shop.services.errors import CellsRefused, ShopError

#: The most products of a table.
MAX_ROWS = 200
#: Columns that are shown until the user chooses others, which the browser remembers.
SHOWN_COLUMNS = frozenset({"name", "price", "is_active", "low_stock_threshold"})
IDS_PARAMETER, LIST_PARAMETER = "ids", "list"
MAX_KEY = 2**63 - 1

#: Product id -> field name -> the text that was shown, and the new one.
type Cells = dict[Annotated[int, Field(ge=1, le=MAX_KEY)], dict[str, tuple[str, str]]]
CELLS: TypeAdapter[Cells] = TypeAdapter(Cells)


class TableForm(forms.Form):
    """The changed cells of the table, as JSON."""

    cells = forms.CharField(widget=forms.HiddenInput, strip=False)

    def clean_cells(self) -> Cells:
        """Return the cells. Refuse fields that the table doesn't edit."""
        try:
            cells = CELLS.validate_json(self.cleaned_data["cells"])
        except MalformedCells as error:
            message = gettext("The table can't be read. Open it again.")
            raise forms.ValidationError(message, code="malformed") from error
        if {name for row in cells.values() for name in row} - table_columns().keys():
            message = gettext("The table has changed. Open it again.")
            raise forms.ValidationError(message, code="unknown_field")
        return cells


class ProductTable(ModelAdmin):  # type: ignore[misc]
    """Adds the page."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.table_view)
        return [path("table/", view, name="shop_product_edit_in_table"), *super().get_urls()]

    def table_view(self, request: HttpRequest) -> HttpResponse:
        """Show the table; on POST save its changed cells and go back to the list."""
        if not self.has_action_permission(request):
            raise PermissionDenied
        back_url = reverse("admin:shop_product_changelist")
        if query := request.GET.get(LIST_PARAMETER, ""):
            back_url = f"{back_url}?{query}"
        form = TableForm(request.POST if request.method == "POST" else None)
        problems: Sequence[CellProblem] = ()
        if form.is_valid():
            try:
                run_form_once(request, partial(save_cells, request, form), is_html=True)
                return HttpResponseRedirect(back_url)
            except (ShopError, ValidationError) as error:
                add_service_error(form, error)
                if isinstance(error, CellsRefused):
                    problems = error.details["problems"]
        table = Table(_product_ids(request), getattr(form, "cleaned_data", {}), problems)
        if request.method == "GET" and not table.rows:
            messages.info(request, gettext("Select the products that you want to edit."))
            return HttpResponseRedirect(back_url)
        return self._table_page(request, form, table, back_url)

    def _table_page(
        self, request: HttpRequest, form: TableForm, table: "Table", back_url: str
    ) -> HttpResponse:
        title = ngettext("Edit %(count)s product", "Edit %(count)s products", len(table.rows))
        return render_action_form(
            request,
            self,
            form=form,
            title=title % {"count": len(table.rows)},
            button=gettext("Save changes"),
            back_url=back_url,
            hidden=[form_key()],
            table=table,
            template="admin/shop/product/table.html",
        )


def table_url(pks: Iterable[int], query: str) -> str:
    """Return the URL of the table of these products, which leads back to the list's query."""
    parameters = {IDS_PARAMETER: ",".join(map(str, pks)), LIST_PARAMETER: query}
    return f"{reverse('admin:shop_product_edit_in_table')}?{urlencode(parameters)}"


def _product_ids(request: HttpRequest) -> list[int]:
    texts = request.GET.get(IDS_PARAMETER, "").split(",")[:MAX_ROWS]
    return list(dict.fromkeys(int(text) for text in texts if is_key(text)))


def save_cells(request: HttpRequest, form: TableForm) -> str:
    """Save the cells of a valid form; return the success message."""
    columns, edits, problems = table_columns(), [], []
    for pk, row in form.cleaned_data["cells"].items():
        for name, (shown, typed) in row.items():
            try:
                value = columns[name].parse(typed)
            except ValidationError as error:
                message = " ".join(error.messages)
                problems.append(CellProblem(pk, name, "invalid", message))
            else:
                edits.append(CellEdit(pk, name, value, _showed(columns[name], shown)))
    change_set = edit_products(edits=edits, actor=staff_user(request), problems=problems)
    return result_message(change_set)


def _showed(column: TableColumn, shown: str) -> Any:
    return lambda value: column.format(value) == shown


class Table:
    """Columns and rows of the page: the products, what was typed, and what is wrong with it."""

    shown_columns = SHOWN_COLUMNS

    def __init__(
        self,
        product_ids: Sequence[int],
        submitted: Mapping[str, Any],
        problems: Iterable[CellProblem],
    ) -> None:
        columns = table_columns().values()
        self.columns = [column for column in columns if not column.has_too_many_choices]
        #: Relations to more records than a cell can be chosen from.
        self.left_out = [column.label for column in columns if column.has_too_many_choices]
        self.submitted: Cells = submitted.get("cells", {})
        self._problems = defaultdict[tuple[int, str], list[CellProblem]](list)
        names = {column.name for column in self.columns}
        for problem in problems:
            name = problem.name if problem.name in names else ""
            self._problems[problem.product_id, name].append(problem)
        keys = list(dict.fromkeys([*product_ids, *self.submitted]))[:MAX_ROWS]
        products = Product.objects.in_bulk(keys)
        self.rows = [self._row(products[pk]) for pk in keys if pk in products]
        #: Problems of products that are gone, and so have no row.
        self.lost = [
            problem.message
            for (pk, _name), found in self._problems.items()
            for problem in found
            if pk not in products
        ]

    @property
    def choosing_columns(self) -> list[TableColumn]:
        """The columns whose cells are chosen from a list."""
        return [column for column in self.columns if column.control == "select"]

    def _row(self, product: Product) -> dict[str, Any]:
        return {
            "product": product,
            "picture": render_thumbnail(product),
            "errors": [problem.message for problem in self._problems[product.pk, ""]],
            "cells": [self._cell(column, product) for column in self.columns],
        }

    def _cell(self, column: TableColumn, product: Product) -> dict[str, Any]:
        """Return a cell. One that was edited keeps what was typed and, if no conflict, shown."""
        problems = self._problems[product.pk, column.name]
        text = column.format(column.field.value_from_object(product))
        shown, typed = self.submitted.get(product.pk, {}).get(column.name, (text, None))
        conflict = next((problem for problem in problems if problem.kind == "changed"), None)
        if conflict:
            shown = column.format(conflict.current)
        return {
            "column": column,
            "shown": shown,
            "label": column.choices.get(shown, shown) if column.control == "select" else "",
            "typed": typed,
            "errors": [_message(column, problem) for problem in problems],
            "theirs": column.describe(conflict.current) if conflict else "",
        }


def _message(column: TableColumn, problem: CellProblem) -> str:
    if problem.kind == "changed":
        return describe_conflict(column, current=problem.current, editor=problem.editor)
    return problem.message
