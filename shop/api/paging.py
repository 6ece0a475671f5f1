"""Pages of lists: their query parameters, rows and links."""

from collections.abc import Callable
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from shop.api.request_values import PlainInteger
from shop.api.responses import respond
from shop.db.deferred_join import deferred_page


class Page[Item](BaseModel):
    """One page of a list."""

    items: list[Item]
    count: int = Field(description="Number of items on all pages.")
    next: str | None = Field(description="URL of the next page.")
    previous: str | None = Field(description="URL of the previous page.")


class Paging(BaseModel):
    """Query parameters that select a page of a list. Hashable, as a key of caches."""

    model_config = ConfigDict(frozen=True)

    page: PlainInteger = Field(1, ge=1, le=1_000_000)
    page_size: PlainInteger = Field(20, ge=1, le=100)

    @property
    def start(self) -> int:
        """Offset of the page's first row."""
        return (self.page - 1) * self.page_size

    @property
    def stop(self) -> int:
        """Offset after the last row to read: one beyond the page tells if there is a next page."""
        return self.start + self.page_size + 1


def paginated_response[R](
    request: HttpRequest,
    paging: Paging,
    schema: type[Page[Any]],
    rows: QuerySet[Any, R] | list[R],
    *,
    count: int,
    to_items: Callable[[list[R]], list[dict[str, Any]]],
) -> HttpResponse:
    """Respond with one page of a list.

    `rows` are all rows as a queryset, or what `select_page` reads as a list. `to_items` converts
    the page's rows to items, in one call so that it can load related rows in one query.
    """
    read = rows if isinstance(rows, list) else list(select_page(rows, paging))
    shown, links = split_page(request, paging, read, count)
    return respond(schema, {"items": to_items(shown), **links})


def select_page[M: Model, R](rows: QuerySet[M, R], paging: Paging) -> QuerySet[M, R]:
    """Return the rows of one page and the row after it. From page 2, OFFSET runs over keys only."""
    return deferred_page(rows, paging.start, paging.stop) if paging.start else rows[: paging.stop]


def count_rows(paging: Paging, read: int, count: Callable[[], int]) -> int:
    """Return the number of rows on all pages; runs `count` only if this isn't the last page.

    `read` is the number of rows of the page and the one after it.
    """
    is_last = read <= paging.page_size and (read or paging.page == 1)
    return paging.start + read if is_last else count()


def split_page[R](
    request: HttpRequest, paging: Paging, read: list[R], count: int
) -> tuple[list[R], dict[str, Any]]:
    """Return the rows to show, and `count`, `next` and `previous` of the page.

    `next` depends on the row after the page and not on `count`, which may be older than the rows.
    """
    has_next = len(read) > paging.page_size
    return read[: paging.page_size], {
        "count": max(count, paging.start + len(read) if read else 0),
        "next": _page_url(request, paging.page + 1) if has_next else None,
        "previous": _page_url(request, paging.page - 1) if paging.page > 1 else None,
    }


def _page_url(request: HttpRequest, number: int) -> str:
    query = request.GET.copy()  # with its repeated parameters
    query["page"] = str(number)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
