"""How an answer leaves: rows through one compiled serializer, never through model instances."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel

from shop.api.schemas import Page, Paging
from shop.db.deferred_join import deferred_page

type Headers = dict[str, str]


def serialize(shape: type[BaseModel], data: dict[str, Any]) -> str:
    """The JSON of what was given: keys that are not in `data` are left out."""
    return shape.model_validate(data).model_dump_json(exclude_unset=True)


def respond(
    shape: type[BaseModel],
    data: dict[str, Any],
    *,
    status: int = 200,
    headers: Headers | None = None,
) -> HttpResponse:
    """One JSON answer."""
    return json_response(serialize(shape, data), status=status, headers=headers)


def json_response(
    body: str | bytes, *, status: int = 200, headers: Headers | None = None
) -> HttpResponse:
    """The same from JSON that is there already."""
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def paginated_response[Row](
    request: HttpRequest,
    paging: Paging,
    shape: type[Page[Any]],
    rows: QuerySet[Any, Row] | list[Row],
    *,
    count: int,
    finish: Callable[[list[Row]], list[dict[str, Any]]],
) -> HttpResponse:
    """One page of a list, or the page's own `rows`. `finish` completes the page's rows, all at once."""
    items = finish(rows if isinstance(rows, list) else list(page_body(rows, paging)))
    return respond(shape, {"items": items, "count": count, **page_links(request, paging, count)})


def page_body[M: Model, Row](rows: QuerySet[M, Row], paging: Paging) -> QuerySet[M, Row]:
    """The rows of one page: those of the pages before are passed over by their keys."""
    return deferred_page(rows, paging.start, paging.stop) if paging.start else rows[: paging.stop]


def count_rows(paging: Paging, on_page: int, count: Callable[[], int]) -> int:
    """How many there are on all pages: the last page's number tells, else somebody has to `count`."""
    is_last = on_page < paging.page_size and (on_page or paging.page == 1)
    return paging.start + on_page if is_last else count()


def page_links(request: HttpRequest, paging: Paging, count: int) -> dict[str, str | None]:
    """The addresses of the next page and of the one before."""
    is_last = paging.stop >= count
    return {
        "next": None if is_last else _address(request, paging.page + 1),
        "previous": _address(request, paging.page - 1) if paging.page > 1 else None,
    }


def _address(request: HttpRequest, number: int) -> str:
    query = urlencode(request.GET.dict() | {"page": number})
    return request.build_absolute_uri(f"{request.path}?{query}")
