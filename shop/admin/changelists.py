"""Lists that stay quick when they are long: how they are paged, counted and searched."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.core.paginator import Page, Paginator
from django.db import models
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.html import format_html
from unfold.admin import ModelAdmin, checkbox
from unfold.decorators import display
from unfold.views import ChangeList

from shop.admin import search
from shop.db.compiled_queries import deferred_page
from shop.models.saved_views import TRANSIENT_PARAMETERS

#: A whole list is counted so far, one that is searched or filtered up to `search.MOST`; more are not moved
#: at once.
MAX_LISTED = 100_000
FOUND = "n_found"
LONGEST_NUMBER = 9  # digits of a page's number


def is_narrowed(request: HttpRequest) -> bool:
    """Whether a list is searched or filtered."""
    asked = {name for name, value in request.GET.items() if str(value).strip()}
    return bool(asked - TRANSIENT_PARAMETERS - {ORDER_VAR})


class CappedCount(models.Subquery):
    """How many rows there are, up to one more than `most`: no more of them are read."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"

    def __init__(self, rows: "models.QuerySet[Any]", most: int) -> None:
        keys = rows.order_by().values("pk")[: most + 1]
        super().__init__(keys, output_field=models.IntegerField())


class DeferredPaginator(Paginator):  # type: ignore[type-arg]
    """Asks for a page and for how many rows there are in one query.

    It passes over the pages before by their keys alone, and it counts up to `most`: the last page costs
    little more than the first, however long the list. `has_more` tells whether there is more.
    """

    template_name = "admin/shop/pagination.html"
    most = MAX_LISTED
    number = 1  # of the page that is asked for
    also: Mapping[str, CappedCount] = MappingProxyType({})  # what else is counted, by name

    @cached_property
    def asked(self) -> "models.QuerySet[Any]":
        """The rows of the page that is asked for; each of them knows the numbers."""
        first = (self.number - 1) * self.per_page
        rows = cast("models.QuerySet[models.Model]", self.object_list)
        return self._numbered(deferred_page(rows, first, first + self.per_page))

    def _numbered(self, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        every = cast("models.QuerySet[Any]", self.object_list)
        known = search.known_count(every)
        found = CappedCount(every, self.most) if known is None else models.Value(known)
        numbered: models.QuerySet[Any] = rows.annotate(**{FOUND: found}, **self.also)
        return numbered

    @cached_property
    def numbers(self) -> dict[str, int]:
        """How many rows there are, and what is counted beside them: `most` and one where there are more."""
        anything = self.asked.model._default_manager.order_by("pk")
        row = next(iter(self.asked), None) or self._numbered(anything).first()
        return {name: getattr(row, name, 0) or 0 for name in (FOUND, *self.also)}

    @cached_property
    def count(self) -> int:
        """How many rows the pages show."""
        return min(self.numbers[FOUND], self.most)

    @property
    def has_more(self) -> bool:
        """Whether there are rows that no page shows."""
        return self.numbers[FOUND] > self.most

    def page(self, number: int | str) -> "Page[Any]":
        """The page of this number."""
        number = self.validate_number(number)
        if number != self.number:
            self.number = number
            del self.asked
        page: Page[Any] = self._get_page(self.asked, number, self)  # type: ignore[attr-defined]
        return page


class CappedChangeList(ChangeList):  # type: ignore[misc]
    """A list whose only page is asked for as any other, and which is sorted as long as that is quick."""

    def get_ordering(self, request: HttpRequest, queryset: "models.QuerySet[Any]") -> list[Any]:
        """As asked; more rows than `MANY` only by what an index knows."""
        wanted: list[Any] = super().get_ordering(request, queryset)
        is_known = str(wanted[0]).strip("-") in _known(self.model)
        if (
            ORDER_VAR not in self.params
            or is_known
            or not queryset.order_by()[MAX_LISTED : MAX_LISTED + 1].exists()
        ):
            return wanted
        messages.info(
            request, f"More than {MAX_LISTED:,} are not sorted by this: search or filter first."
        )
        del self.params[ORDER_VAR]
        usual: list[Any] = super().get_ordering(request, queryset)
        return usual

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page that is asked for."""
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.paginator.page(1).object_list


def _known(model: type[models.Model]) -> set[str]:
    """The fields by which an index knows the order of all rows, then of their keys."""
    fields = {field.name for field in model._meta.concrete_fields if field.unique}
    short = [index.fields for index in model._meta.indexes if index.condition is None]
    return fields | {
        names[0].strip("-") for names in short if [n.strip("-") for n in names[1:]] == ["id"]
    }


#: Rendered once: a template for each row takes longer than the row.
CHECKBOX = checkbox.render(ACTION_CHECKBOX_NAME, "{}")


class LargeTableAdmin(ModelAdmin):  # type: ignore[misc]
    """A list that stays quick when it is long."""

    list_per_page = 25
    paginator = DeferredPaginator
    show_full_result_count = False  # a second count, beside that of what was found
    list_sections = ()  # Unfold's rows ask for it twice each; a template looks long for what is not there

    def get_search_results(
        self, request: HttpRequest, queryset: "models.QuerySet[models.Model]", search_term: str
    ) -> "tuple[models.QuerySet[models.Model], bool]":
        """As Django's, table by table; no row twice."""
        return search.search_rows(queryset, self.get_search_fields(request), search_term), False

    @display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, row: models.Model) -> str:
        """What a row is ticked with."""
        return format_html(CHECKBOX, row.pk)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CappedChangeList

    def get_paginator(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> DeferredPaginator:
        """One that knows which page is asked for."""
        paginator: DeferredPaginator = super().get_paginator(request, queryset, *args, **kwargs)
        page = request.GET.get(PAGE_VAR, "")
        paginator.number = (
            max(1, int(page)) if page.isdecimal() and len(page) <= LONGEST_NUMBER else 1
        )
        paginator.most = search.count_limit(queryset) if is_narrowed(request) else MAX_LISTED
        return paginator

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Do it; not with all that is found where the page could not say how many that is."""
        if request.POST.get("select_across") == "1":
            paginator = self.get_paginator(request, queryset, self.list_per_page)
            if paginator.has_more:
                messages.error(
                    request, f"Nothing was done: choose at most {paginator.most:,} at a time."
                )
                return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **kwargs)
