"""Lists that stay quick when they are long: how they are paged, counted and searched."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.paginator import Page, Paginator
from django.db import models
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from shop.admin import search
from shop.queries import window


def is_search(request: HttpRequest) -> bool:
    """Whether something is looked for in a list."""
    return bool(request.GET.get(SEARCH_VAR, "").strip())


class LatePaginator(Paginator):  # type: ignore[type-arg]
    """Passes over the pages before by their keys alone: the last page of a long list costs little more.

    What a search finds is counted up to `search.MOST`, and `has_more` tells whether there is more.
    """

    template_name = "admin/shop/pagination.html"
    is_search = has_more = False

    @cached_property
    def count(self) -> int:
        """How many rows the pages show."""
        rows = cast("models.QuerySet[models.Model]", self.object_list)
        if not self.is_search:
            return rows.count()
        found = rows.order_by().values("pk")[: search.MOST + 1].count()
        self.has_more = found > search.MOST
        return min(found, search.MOST)

    def page(self, number: int | str) -> "Page[Any]":
        """The page of this number, in one query."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows = cast("models.QuerySet[models.Model]", self.object_list)
        shown = window(rows, first, first + self.per_page)
        page: Page[Any] = self._get_page(shown, number, self)  # type: ignore[attr-defined]
        return page


class LongList(ModelAdmin):  # type: ignore[misc]
    """A list that stays quick when it is long."""

    list_per_page = 25
    paginator = LatePaginator
    show_full_result_count = False  # a second count, beside that of what was found

    def get_search_results(
        self, request: HttpRequest, queryset: "models.QuerySet[models.Model]", search_term: str
    ) -> "tuple[models.QuerySet[models.Model], bool]":
        """As Django's, table by table; no row twice."""
        return search.found(queryset, self.get_search_fields(request), search_term), False

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> LatePaginator:
        """One that knows whether it was searched."""
        paginator: LatePaginator = super().get_paginator(request, *args, **kwargs)
        paginator.is_search = is_search(request)
        return paginator

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        """Do it; not with all that a search finds where the page could not say how many that is."""
        if request.POST.get("select_across") == "1" and is_search(request):
            paginator = self.get_paginator(request, queryset, self.list_per_page)
            if paginator.count and paginator.has_more:
                messages.error(request, f"Nothing was done: choose at most {search.MOST:,} at a time.")
                return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **kwargs)
