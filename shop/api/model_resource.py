"""Reads the rows of an exposed model, and responds with them: lists, pages and single records.

Hand-written and generated endpoints share it. A row is a tuple of the model's readable columns,
with the keys of its many-to-many records, read by one statement. With `?expand=brand` the columns
of the related record are joined to it; many-to-many records take one more statement per page.
"""

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from django.db.models import F, Model, QuerySet, Subquery
from django.http import HttpResponse
from pydantic import BaseModel

from shop import caching, exposure
from shop.api import etags
from shop.api.auth import ApiRequest, Caller
from shop.api.media_urls import site_root, with_media_urls
from shop.api.model_filters import UNFILTERED_PARAMETERS, build_condition, is_filtered
from shop.api.paging import Page, Paging, count_rows, select_page, split_page
from shop.api.responses import json_response, serialize
from shop.db.compiled_queries import (
    MAX_COUNTED_HITS,
    CompiledQuery,
    CompiledSearch,
    Placeholder,
)
from shop.db.key_lists import key_list, linked_from
from shop.services.errors import NotFound, RecordChanged

COUNT_CACHE_SECONDS = 30
#: Either permits staff to see hidden records, as in the admin.
READING_ACTIONS = ("view", "change")

type Row = tuple[Any, ...]
#: Names of the relations to expand, each with whether the caller sees the hidden records of it.
type Expansions = tuple[tuple[str, bool], ...]
#: Name of a many-to-many field -> rows of the related records.
type RelatedRows = tuple[tuple[str, tuple[Row, ...]], ...]


def expanded_names(parameters: Any) -> tuple[str, ...]:
    """Return the relations that `?expand=` names; the parameter exists where there are some."""
    names: tuple[str, ...] = getattr(parameters, "expand", ())
    return names


#: Model -> its resource: of every model of the catalogue, once its endpoints are imported.
RESOURCES: dict[exposure.Model, "ModelResource"] = {}


class ModelResource:
    """The records of a model as the API shows them.

    `public` are the values of the records that everybody sees; of others, such as inactive
    products, only staff with a permission for the model know.
    """

    def __init__(
        self,
        model: exposure.Model,
        response: type[BaseModel],
        *,
        public: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.model, self.response, self.public = model, response, public
        self.fields = [
            exposure.get_field(model, name) for name in exposure.api_readable_fields(model)
        ]
        #: Names of the values of a row.
        self.names = [exposure.api_name(field) for field in self.fields]
        self.key = str(model._meta.pk.attname)
        RESOURCES[model] = self

        self._page_query = functools.lru_cache(256)(self._compile_page)
        self._search = functools.lru_cache(256)(self._compile_search)
        self._search_pages = functools.lru_cache(256)(self._compile_search_pages)
        self._record_query = functools.lru_cache(16)(self._compile_record)
        self._record_body = etags.cached_body(self._serialize_record)
        self._page_body = etags.cached_body(self._serialize_page)

    # What the caller sees

    def sees_all(self, request: ApiRequest) -> bool:
        """Return whether the caller sees hidden records too.

        The permissions are read here, so that the session's query stays as fast for customers.
        """
        if not self.public:
            return True
        if not isinstance(request.auth, Caller) or not request.auth.user.is_staff:
            return False
        name = self.model._meta.model_name
        return any(request.auth.user.has_perm(f"shop.{verb}_{name}") for verb in READING_ACTIONS)

    def visible(self, *, sees_all: bool) -> QuerySet[Any]:
        """Return the records that the caller sees, unordered."""
        records = self.model._default_manager.order_by()
        return records if sees_all else records.filter(**self.public)

    def expansions(self, request: ApiRequest, parameters: BaseModel) -> Expansions:
        """Return what `?expand=` names."""
        names = expanded_names(parameters)
        return tuple((name, self._related(name).sees_all(request)) for name in names)

    def _related(self, name: str) -> "ModelResource":
        return RESOURCES[exposure.get_field(self.model, name).related_model]  # type: ignore[index]

    # Reading

    def columns(self, prefix: str = "") -> list[str | Subquery]:
        """Return what to select for a row; `prefix` leads to the model, such as `brand__`."""
        return [
            key_list(field, prefix) if field.many_to_many else f"{prefix}{field.attname}"
            for field in self.fields
        ]

    def joined_columns(self, names: Iterable[str]) -> list[str | Subquery]:
        """Return what to select for the foreign keys among these relations."""
        return [
            column
            for name in names
            if not exposure.get_field(self.model, name).many_to_many
            for column in self._related(name).columns(f"{name}__")
        ]

    def with_joined(self, records: QuerySet[Any], names: Iterable[str]) -> QuerySet[Any]:
        """Return instances with the values of `joined_columns`, which `joined_values` reads."""
        columns = enumerate(self.joined_columns(names))
        joined = {f"joined_{n}": F(c) if isinstance(c, str) else c for n, c in columns}
        annotated: QuerySet[Any] = records.annotate(**joined)
        return annotated

    def joined_values(self, record: Any, names: Iterable[str]) -> Row:
        """Return the values of `joined_columns` of an instance."""
        count = len(self.joined_columns(names))
        return tuple(getattr(record, f"joined_{number}") for number in range(count))

    def select(self, records: QuerySet[Any], names: Iterable[str] = ()) -> QuerySet[Any, Row]:
        """Return the rows of these records, followed by those of the named foreign keys."""
        rows: QuerySet[Any, Row] = records.values_list(*self.columns(), *self.joined_columns(names))
        return rows

    def _ordered(
        self, records: QuerySet[Any], ordering: str, names: Iterable[str]
    ) -> QuerySet[Any, Row]:
        tie_breaker = f"-{self.key}" if ordering.startswith("-") else self.key
        return self.select(records.order_by(*dict.fromkeys((ordering, tie_breaker))), names)

    def _matches(self, filters: Paging, *, sees_all: bool) -> QuerySet[Any]:
        return self.visible(sees_all=sees_all).filter(build_condition(self.model, filters))

    def _compile_page(self, filters: Any, *, sees_all: bool) -> CompiledQuery[Row]:
        """Return the compiled query of a page: apps request the same ones again and again."""
        matches = self._matches(filters, sees_all=sees_all)
        rows = self._ordered(matches, filters.ordering, expanded_names(filters))
        return CompiledQuery(select_page(rows, filters))

    def _compile_search(
        self, filters: Any, *, sees_all: bool
    ) -> Callable[[int, int], tuple[list[Row], int] | None]:
        """Return the compiled search of one set of filters, which is read page by page."""
        search = self._search_pages(filters.ordering, expanded_names(filters))
        return search.prepare(self._matches(filters, sees_all=sees_all))

    def _compile_search_pages(self, ordering: str, names: tuple[str, ...]) -> CompiledSearch[Row]:
        return CompiledSearch(self._ordered(self.visible(sees_all=True), ordering, names))

    def _compile_record(self, names: tuple[str, ...], *, sees_all: bool) -> CompiledQuery[Row]:
        records = self.visible(sees_all=sees_all).filter(pk=Placeholder("pk", self.model._meta.pk))
        return CompiledQuery(self.select(records, names))

    def read_page(self, filters: Any, *, sees_all: bool) -> tuple[list[Row], int]:
        """Return the rows of a page and the next one, and the number of rows on all pages.

        Up to a thousand matches are counted with the page, by one statement. The number of more is
        cached for 30 seconds, but where the page is the last one: counting takes longest.
        """
        matches = functools.partial(self._matches, filters, sees_all=sees_all)
        key, is_counted = self._count_key(filters, sees_all=sees_all), not is_filtered(filters)
        known = 0
        if not is_counted:
            known = caching.get_or_compute(key, lambda: 0, 0, is_worth_caching=bool)
            if not known:
                search = self._search(filters, sees_all=sees_all)
                if result := search(filters.start, filters.stop):
                    return result
        rows = self._page_query(filters, sees_all=sees_all)()

        def count() -> int:
            return known or caching.get_or_compute(
                key,
                lambda: matches().count(),
                COUNT_CACHE_SECONDS,
                is_worth_caching=lambda number: is_counted or number > MAX_COUNTED_HITS,
            )

        return rows, count_rows(filters, len(rows), count)

    def _count_key(self, filters: Paging, *, sees_all: bool) -> str:
        text = filters.model_dump_json(exclude=set(UNFILTERED_PARAMETERS), exclude_defaults=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        return f"count:{self.model._meta.model_name}:{int(sees_all)}:{digest}"

    def read_record(self, pk: int, names: tuple[str, ...] = (), *, sees_all: bool = True) -> Row:
        """Return the row of one record. Raises NotFound."""
        rows = self._record_query(names, sees_all=sees_all)(pk=pk)
        if not rows:
            raise NotFound
        return rows[0]

    def related_rows(self, keys: Iterable[Any], expansions: Expansions) -> RelatedRows:
        """Read the many-to-many records of the rows with these keys, by one statement a field."""
        return tuple(
            (name, tuple(other.select(records)))
            for name, sees_all in expansions
            if (field := exposure.get_field(self.model, name)).many_to_many
            for other in [self._related(name)]
            for records in [
                other.visible(sees_all=sees_all).filter(pk__in=linked_from(field, keys))
            ]
        )

    # Converting

    def items(
        self,
        root: str,
        rows: Iterable[Row],
        expansions: Expansions = (),
        related_rows: RelatedRows = (),
    ) -> list[dict[str, Any]]:
        """Return the values of the response schema for each row."""
        rows = list(rows)
        items = [dict(zip(self.names, row, strict=False)) for row in rows]
        joined = [row[len(self.names) :] for row in rows]
        self.expand(root, items, joined, expansions, related_rows)
        return with_media_urls(root, self.model, items)

    def expand(
        self,
        root: str,
        items: list[dict[str, Any]],
        joined: list[Row],
        expansions: Expansions,
        related_rows: RelatedRows,
    ) -> None:
        """Add the related records to the items. `joined` are the values of `joined_columns`."""
        start = 0
        for name, sees_all in expansions:
            field, other = exposure.get_field(self.model, name), self._related(name)
            column = exposure.api_name(field)
            if field.many_to_many:
                records = other.by_key(root, dict(related_rows)[name], sees_all=sees_all)
                for item in items:
                    item[name] = [records[key] for key in item[column] if key in records]
            else:
                stop = start + len(other.names)
                rows = [row[start:stop] for row in joined]
                records = other.by_key(root, rows, sees_all=sees_all)
                for item in items:
                    item[name] = records.get(item[column])
                start = stop

    def by_key(
        self, root: str, rows: Iterable[Row], *, sees_all: bool
    ) -> dict[Any, dict[str, Any]]:
        """Return the items by primary key, without hidden ones and rows of no record."""
        return {
            item[self.key]: item
            for item in self.items(root, rows)
            if item[self.key] is not None
            and (sees_all or all(item[name] == value for name, value in self.public.items()))
        }

    def _serialize_record(
        self, root: str, row: Row, expansions: Expansions, related_rows: RelatedRows
    ) -> str:
        return serialize(self.response, *self.items(root, [row], expansions, related_rows))

    def _serialize_page(
        self,
        root: str,
        rows: tuple[Row, ...],
        expansions: Expansions,
        related_rows: RelatedRows,
        **links: Any,
    ) -> str:
        items = self.items(root, rows, expansions, related_rows)
        return serialize(Page[self.response], {"items": items, **links})  # type: ignore[name-defined]

    # Responding

    def list_response(
        self, request: ApiRequest, filters: Any, if_none_match: str = ""
    ) -> HttpResponse:
        """Respond with one page of the list, or 304."""
        read, count = self.read_page(filters, sees_all=self.sees_all(request))
        shown, links = split_page(request, filters, read, count)
        expansions = self.expansions(request, filters)
        key = self.names.index(self.key)
        related = self.related_rows([row[key] for row in shown], expansions)
        body = self._page_body(site_root(request), tuple(shown), expansions, related, **links)
        return etags.conditional_response(body, if_none_match)

    def get_response(
        self, request: ApiRequest, pk: int, parameters: BaseModel, if_none_match: str = ""
    ) -> HttpResponse:
        """Respond with one record, or 304. Raises NotFound."""
        expansions = self.expansions(request, parameters)
        names = tuple(name for name, _ in expansions)
        row = self.read_record(pk, names, sees_all=self.sees_all(request))
        related = self.related_rows([pk], expansions)
        body, etag = self._record_body(site_root(request), row, expansions, related)
        if expansions:
            plain = self._record_body(site_root(request), row[: len(self.names)], (), ())
            etag = etags.expanded_etag(plain[1], etag)
        return etags.conditional_response((body, etag), if_none_match)

    def saved_response(self, request: ApiRequest, pk: int, *, status: int = 200) -> HttpResponse:
        """Respond with a record as a GET would return it now, with its ETag. Raises NotFound."""
        body, etag = self._record_body(site_root(request), self.read_record(pk), (), ())
        return json_response(body, status=status, headers={"ETag": etag})

    def precondition(self, request: ApiRequest, if_match: str) -> Callable[[Model], None]:
        """Return what refuses a change if the record's ETag doesn't match, under its lock."""

        def check(record: Model) -> None:
            if not if_match:
                return
            row = self.read_record(record.pk)
            _body, etag = self._record_body(site_root(request), row, (), ())
            if not etags.etag_matches(etag, etags.plain_etags(if_match)):
                raise RecordChanged

        return check
