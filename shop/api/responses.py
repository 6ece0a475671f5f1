"""Responses: rows are serialised by pydantic directly, without model instances."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel

from shop.api.schemas import Page, Paging
from shop.db.deferred_join import deferred_page

type Headers = dict[str, str]


def serialize(schema: type[BaseModel], data: dict[str, Any]) -> str:
    """Return the data as JSON in the schema's form, without the fields that are not in `data`."""
    return schema.model_validate(data).model_dump_json(exclude_unset=True)


def respond(
    schema: type[BaseModel],
    data: dict[str, Any],
    *,
    status: int = 200,
    headers: Headers | None = None,
) -> HttpResponse:
    """Serialise the data and return it as a response."""
    return json_response(serialize(schema, data), status=status, headers=headers)


def json_response(
    body: str | bytes, *, status: int = 200, headers: Headers | None = None
) -> HttpResponse:
    """Return a response with a body that is JSON already."""
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


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
    """Return the number of rows on all pages; runs `count` only if this isn't the last page."""
    is_last = read < paging.page_size and (read or paging.page == 1)
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
    query = urlencode(request.GET.dict() | {"page": number})
    return request.build_absolute_uri(f"{request.path}?{query}")
