"""Changelists for large tables: pagination, counting, sorting and search at a bounded cost."""

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast
from weakref import WeakKeyDictionary

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Page, Paginator
from django.db import models
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, checkbox
from unfold.decorators import display
from unfold.views import ChangeList

from shop import exposure
from shop.admin.list_parameters import CheckedChangeList, CheckedListAdmin
from shop.db import row_search
from shop.db.capped_count import CappedCount
from shop.db.deferred_join import deferred_page
from shop.models.saved_views import TRANSIENT_PARAMETERS
from shop.money import MoneyField, format_amount

#: The highest count of a whole list; `row_search.MAX_COUNTED` is that of a searched or filtered
#: one. One action changes no more rows than were counted.
MAX_LISTED = 100_000
#: The annotation of each row of a page with the number of rows on all pages.
COUNT_ANNOTATION = "n_found"
MAX_PAGE_DIGITS = 9

#: Django's `get_search_results` can return the rows only, so `get_paginator` reads here what is
#: known about their number. An entry lives as long as its request.
_search_results: WeakKeyDictionary[HttpRequest, row_search.SearchResult[Any]] = WeakKeyDictionary()


def narrowing_parameters(request: HttpRequest) -> set[str]:
    """Return the names of the parameters that search or filter the list."""
    parameters = {name for name, value in request.GET.items() if str(value).strip()}
    return parameters - TRANSIENT_PARAMETERS - {ORDER_VAR}


def is_narrowed(request: HttpRequest) -> bool:
    """Return whether the list is searched or filtered."""
    return bool(narrowing_parameters(request))


#: Unfold's name of a column whose values and header are aligned right; lists.css gives them
#: figures of one width.
NUMBER_FORMAT = "price"
NUMBER_TYPES = (models.IntegerField, models.DecimalField, models.FloatField)


@functools.cache
def number_column(model: type[models.Model], name: str) -> Any:
    """Return a column that shows a field with numbers aligned right; None for any other field."""
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    output = getattr(field, "output_field", field)
    is_number = isinstance(output, NUMBER_TYPES) and not field.choices and not field.primary_key
    if not is_number or field.is_relation:
        return None

    @display(description=field.verbose_name, ordering=name, formatting=NUMBER_FORMAT)
    def column(record: models.Model) -> Any:
        value = getattr(record, name)
        if isinstance(output, MoneyField) and value is not None:
            return format_amount(value, getattr(record, "currency", None))
        return value

    column.__name__ = name
    return column


class DeferredPaginator(Paginator):  # type: ignore[type-arg]
    """Reads a page, the number of rows and further counts in one query.

    A deferred join finds the page, and counting stops at `max_count`, so that the last page costs
    little more than the first. Set its attributes before the first use.
    """

    template_name = "admin/shop/pagination.html"
    max_count = MAX_LISTED
    #: The number of the requested page.
    number = 1
    #: The number of rows, if a search has read it already.
    known_count: int | None = None
    #: Further counts by name, read with the page.
    also: Mapping[str, CappedCount] = MappingProxyType({})

    @cached_property
    def page_rows(self) -> "models.QuerySet[Any]":
        """The rows of the requested page, annotated with all counts."""
        start = (self.number - 1) * self.per_page
        rows = cast("models.QuerySet[models.Model]", self.object_list)
        return self._annotate_counts(deferred_page(rows, start, start + self.per_page))

    def _annotate_counts(self, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        all_rows = cast("models.QuerySet[Any]", self.object_list)
        count = (
            CappedCount(all_rows, self.max_count)
            if self.known_count is None
            else models.Value(self.known_count)
        )
        annotated: models.QuerySet[Any] = rows.annotate(**{COUNT_ANNOTATION: count}, **self.also)
        return annotated

    @cached_property
    def numbers(self) -> dict[str, int]:
        """All counts by name, each one higher than its maximum if there are more rows.

        An empty page has no row to carry them: then any row of the table does, by a second query.
        """
        any_row = self.page_rows.model._default_manager.order_by("pk")
        row = next(iter(self.page_rows), None) or self._annotate_counts(any_row).first()
        return {name: getattr(row, name, 0) or 0 for name in (COUNT_ANNOTATION, *self.also)}

    @cached_property
    def count(self) -> int:
        """The number of rows on all pages."""
        return min(self.numbers[COUNT_ANNOTATION], self.max_count)

    @property
    def has_more(self) -> bool:
        """Whether there are more rows than the pages show."""
        return self.numbers[COUNT_ANNOTATION] > self.max_count

    def page(self, number: int | str) -> "Page[Any]":
        """Return the page with this number. Raises InvalidPage if there is none."""
        number = self.validate_number(number)
        if number != self.number:
            self.number = number
            del self.page_rows
        return Page(self.page_rows, number, self)


class CappedChangeList(CheckedChangeList):
    """Sorts a very long list by indexed columns only, and also paginates a list of one page.

    Columns of numbers are aligned right.
    """

    list_display: list[Any]
    sortable_by: Sequence[Any] | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = {name: number_column(self.model, str(name)) for name in self.list_display}
        self.list_display = [numbers[name] or name for name in self.list_display]
        if self.sortable_by is not None:
            self.sortable_by = [*self.sortable_by, *filter(None, numbers.values())]

    def get_ordering(self, request: HttpRequest, queryset: "models.QuerySet[Any]") -> list[Any]:
        """Return the requested order; the default if it would sort more than MAX_LISTED rows."""
        ordering: list[Any] = super().get_ordering(request, queryset)
        name = str(ordering[0]).strip("-")
        # A foreign key sorts by what the related model's rows are sorted by.
        is_indexed = (
            name in exposure.indexed_fields(self.model)
            and not exposure.get_field(self.model, name).is_relation
        )
        if (
            ORDER_VAR not in self.params
            or is_indexed
            or not queryset.order_by()[MAX_LISTED : MAX_LISTED + 1].exists()
        ):
            return ordering

        message = _(
            "More than %(count)s rows can't be sorted by this column. Search or filter first."
        )
        messages.info(request, message % {"count": f"{MAX_LISTED:,}"})
        del self.params[ORDER_VAR]
        default_ordering: list[Any] = super().get_ordering(request, queryset)
        return default_ordering

    def read_results(self, request: HttpRequest) -> None:
        """Read the requested page. Django reads a list of one page without the paginator."""
        super().read_results(request)
        if not self.multi_page:
            self.result_list = self.paginator.page(1).object_list


#: Rendered once, with a placeholder for the key: a template per row takes longer than the rest of
#: the row.
CHECKBOX_HTML = checkbox.render(ACTION_CHECKBOX_NAME, "{}")


class LargeTableAdmin(CheckedListAdmin):
    """A model admin whose changelist stays quick with a million rows."""

    list_per_page = 25
    paginator = DeferredPaginator
    #: Django would count all rows a second time.
    show_full_result_count = False
    #: Unfold reads it twice per row, and a template that misses an attribute searches for it
    #: slowly.
    list_sections = ()

    def get_search_results(
        self, request: HttpRequest, queryset: "models.QuerySet[models.Model]", search_term: str
    ) -> "tuple[models.QuerySet[models.Model], bool]":
        """Search as Django does, by indexes; the rows contain no duplicates."""
        result = self.search_rows(request, queryset, search_term)
        _search_results[request] = result
        return result.queryset, False

    def search_rows(
        self, request: HttpRequest, queryset: "models.QuerySet[Any]", search_term: str
    ) -> row_search.SearchResult[Any]:
        """Return the rows with each word of the term in one of `search_fields`."""
        return row_search.search_rows(queryset, self.get_search_fields(request), search_term)

    @display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, row: models.Model) -> str:
        """Return the checkbox that selects the row for an action."""
        return format_html(CHECKBOX_HTML, row.pk)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CappedChangeList

    def get_paginator(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> DeferredPaginator:
        """Return a paginator that knows the requested page and what the search has counted."""
        paginator: DeferredPaginator = super().get_paginator(request, queryset, *args, **kwargs)
        page = request.GET.get(PAGE_VAR, "")
        is_number = page.isdecimal() and len(page) <= MAX_PAGE_DIGITS
        paginator.number = max(1, int(page)) if is_number else 1

        result = _search_results.get(request) or row_search.SearchResult(queryset)
        paginator.known_count = result.known_count
        paginator.max_count = result.max_count if is_narrowed(request) else MAX_LISTED
        return paginator

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Run the action; refuse it for all pages of a list with more rows than were counted."""
        if request.POST.get("select_across") == "1":
            paginator = self.get_paginator(request, queryset, self.list_per_page)
            if paginator.has_more:
                message = _("Nothing was changed. Select at most %(count)s rows at a time.")
                messages.error(request, message % {"count": f"{paginator.max_count:,}"})
                return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **kwargs)
