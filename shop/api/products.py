"""Product endpoints. Bodies and responses follow the model's fields (see `shop.exposure`)."""

import functools
from collections.abc import Iterable
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpResponse
from ninja import Body as JsonBody
from ninja import File, Path, Query, Router, Status, UploadedFile

from shop import caching, exposure
from shop.api import etags
from shop.api.auth import ApiRequest, Caller, catalogue_reader, staff_with
from shop.api.etags import IfMatch, IfNoneMatch
from shop.api.idempotency import idempotent
from shop.api.media_urls import site_root, with_media_urls
from shop.api.openapi import documents_errors
from shop.api.paging import Page, Paging, count_rows, select_page, split_page
from shop.api.request_values import Id
from shop.api.responses import json_response, serialize
from shop.api.schemas import (
    ProductFilters,
    ProductIn,
    ProductOut,
    ProductPatch,
    StockDelta,
    StockIn,
)
from shop.api.strict_requests import Body
from shop.db.compiled_queries import CompiledQuery, CompiledSearch, Placeholder
from shop.db.text_folding import is_searchable
from shop.models import Product, StockMovement
from shop.services import errors, products, stock

router = Router()
PRODUCT_COLUMNS = [
    exposure.get_field(Product, name).attname for name in exposure.api_readable_fields(Product)
]
_ALL_PRODUCTS = (
    Product.objects.order_by()
    .filter(pk=Placeholder("pk", Product._meta.pk))
    .values_list(*PRODUCT_COLUMNS)
)
#: Query of one product, by whether the caller may see inactive products.
PRODUCT_QUERIES = {
    False: CompiledQuery(_ALL_PRODUCTS.filter(is_active=True)),
    True: CompiledQuery(_ALL_PRODUCTS),
}
#: Parameters of the product list that don't filter it.
UNFILTERED_PARAMETERS = {"page", "page_size", "ordering"}
#: Either permits staff to see inactive products, as in the admin.
READING_ACTIONS = ("view", "change")
COUNT_CACHE_SECONDS = 30  # for the unfiltered list

ProductId = Annotated[Id, Path()]
type ProductRow = tuple[Any, ...]


@router.get(
    "/", response=Page[ProductOut], auth=catalogue_reader, openapi_extra=etags.NOT_MODIFIED_DOCS
)
def list_products(
    request: ApiRequest, filters: Query[ProductFilters], if_none_match: IfNoneMatch = ""
) -> HttpResponse:
    """List active products. Staff who may view products also see inactive ones.

    Images are at most 1600 pixels wide and high. Replace `.webp` at the end of an image's URL with
    `.small.webp` for a version of at most 400 pixels. Send the `ETag` of a page as `If-None-Match`
    to get 304 if nothing has changed.
    """
    sees_all = _sees_all(request)
    if filters.model_fields_set <= UNFILTERED_PARAMETERS:
        query = _page_query(filters.ordering, filters.page, filters.page_size, sees_all=sees_all)
        rows = query()
        count = _cached_count(sees_all=sees_all)
    else:
        rows, count = _search_products(filters, sees_all=sees_all)
    shown, links = split_page(request, filters, rows, count)
    page = _page_body(site_root(request), tuple(shown), **links)
    return etags.conditional_response(page, if_none_match)


@router.post("/", response={201: ProductOut}, auth=staff_with("add_product"))
@idempotent
def create_product(request: ApiRequest, body: ProductIn) -> HttpResponse:
    """Create a product."""
    values = body.model_dump(exclude_unset=True, exclude={"stock"})
    product = products.create_product(actor=request.auth.user, values=values, stock=body.stock)
    return _product_response(request, product.pk, status=201)


@router.get(
    "/{product_id}/",
    response=ProductOut,
    auth=catalogue_reader,
    openapi_extra=etags.NOT_MODIFIED_DOCS,
)
def get_product(
    request: ApiRequest, product_id: ProductId, if_none_match: IfNoneMatch = ""
) -> HttpResponse:
    """Get a product. Send its `ETag` as `If-None-Match` to get 304 if nothing has changed."""
    product = _get_body(request, product_id, sees_all=_sees_all(request))
    return etags.conditional_response(product, if_none_match)


@router.put("/{product_id}/", response=ProductOut, auth=staff_with("change_product"))
@documents_errors(errors.ProductChanged)
def replace_product(
    request: ApiRequest, product_id: ProductId, body: ProductIn, if_match: IfMatch = ""
) -> HttpResponse:
    """Replace a product. A `stock` is a stocktake: the difference is added to the stock ledger."""
    return _update_product(request, product_id, body, if_match)


@router.patch("/{product_id}/", response=ProductOut, auth=staff_with("change_product"))
@documents_errors(errors.ProductChanged)
def change_product(
    request: ApiRequest, product_id: ProductId, body: ProductPatch, if_match: IfMatch = ""
) -> HttpResponse:
    """Change the fields of a product that are sent."""
    return _update_product(request, product_id, body, if_match)


@router.delete("/{product_id}/", response={204: None}, auth=staff_with("delete_product"))
def delete_product(request: ApiRequest, product_id: ProductId) -> Status[None]:
    """Delete a product, or archive it if it was ever ordered: past orders still show it."""
    products.remove_product(product_id=product_id, actor=request.auth.user)
    return Status(204, None)


@router.post("/{product_id}/stock/", response=ProductOut, auth=staff_with("change_product"))
@idempotent
@documents_errors(errors.StockChanged, errors.InsufficientStock)
def adjust_stock(
    request: ApiRequest, product_id: ProductId, body: JsonBody[StockIn]
) -> HttpResponse:
    """Add or remove units (`delta`), or record a stocktake (`counted`).

    A stocktake with `expected` is refused if the stock is no longer that number.
    """
    actor = request.auth.user
    if isinstance(body, StockDelta):
        kind = StockMovement.Kind(body.kind)
        stock.adjust_stock(
            product_id=product_id, delta=body.delta, kind=kind, actor=actor, reason=body.reason
        )
    else:
        stock.count_stock(product_id=product_id, actor=actor, **body.model_dump())
    return _product_response(request, product_id)


@router.put("/{product_id}/image/", response=ProductOut, auth=staff_with("change_product"))
def set_image(
    request: ApiRequest, product_id: ProductId, image: File[UploadedFile]
) -> HttpResponse:
    """Set the image: a JPEG, PNG or WebP file of up to 5 MB and 12 megapixels."""
    return _update_image(request, product_id, image)


@router.delete("/{product_id}/image/", response=ProductOut, auth=staff_with("change_product"))
def remove_image(request: ApiRequest, product_id: ProductId) -> HttpResponse:
    """Remove the image."""
    return _update_image(request, product_id, "")


def _sees_all(request: ApiRequest) -> bool:
    """Return whether the caller may see inactive products.

    The permissions are read here, so that the session's query stays as fast for customers.
    """
    if not isinstance(request.auth, Caller) or not request.auth.user.is_staff:
        return False
    return any(request.auth.user.has_perm(f"shop.{action}_product") for action in READING_ACTIONS)


def _visible_products(*, sees_all: bool) -> QuerySet[Product]:
    return Product.objects.all() if sees_all else Product.objects.filter(is_active=True)


def _order_products(products: QuerySet[Product], ordering: str) -> QuerySet[Product, ProductRow]:
    tie_breaker = "-id" if ordering.startswith("-") else "id"
    return products.order_by(ordering, tie_breaker).values_list(*PRODUCT_COLUMNS)


@functools.lru_cache(256)
def _page_query(
    ordering: str, number: int, size: int, *, sees_all: bool
) -> CompiledQuery[ProductRow]:
    """Return the compiled query of a page of the unfiltered list, which apps request most."""
    rows = _order_products(_visible_products(sees_all=sees_all), ordering)
    return CompiledQuery(select_page(rows, Paging(page=number, page_size=size)))


@functools.cache
def _compiled_search(ordering: str) -> CompiledSearch[ProductRow]:
    return CompiledSearch(_order_products(Product.objects.all(), ordering))


def _filter_products(filters: ProductFilters, *, sees_all: bool) -> QuerySet[Product]:
    lookups = {
        "price__gte": filters.min_price,
        "price__lte": filters.max_price,
        "in_stock": filters.in_stock,
        "is_active": filters.is_active,
    }
    rows = _visible_products(sees_all=sees_all)
    rows = rows.filter(**{name: value for name, value in lookups.items() if value is not None})
    for word in filter(is_searchable, filters.search.split()):
        rows = rows.filter(search_text__icontains=word)
    return rows


def _search_products(filters: ProductFilters, *, sees_all: bool) -> tuple[list[ProductRow], int]:
    """Return the rows of the filtered page and the next one, and the number on all pages."""
    matches = _filter_products(filters, sees_all=sees_all)
    if filters.search:
        search = _compiled_search(filters.ordering)
        if result := search(matches, filters.start, filters.stop):
            return result
    rows = list(select_page(_order_products(matches, filters.ordering), filters))
    return rows, count_rows(filters, len(rows), matches.count)


def _cached_count(*, sees_all: bool) -> int:
    """Return the number of products, up to 30 seconds old: counting takes most of the request."""
    key = "products:all" if sees_all else "products:active"
    return caching.get_or_compute(
        key, lambda: _visible_products(sees_all=sees_all).count(), COUNT_CACHE_SECONDS
    )


def _get_body(request: ApiRequest, product_id: int, *, sees_all: bool = True) -> etags.BodyWithEtag:
    """Load and serialise one product. Raises errors.NotFound."""
    rows = PRODUCT_QUERIES[sees_all](pk=product_id)
    if not rows:
        raise errors.NotFound
    return _product_body(site_root(request), rows[0])


@etags.cached_body
def _product_body(root: str, row: ProductRow) -> str:
    return serialize(ProductOut, *_product_items(root, [row]))


@etags.cached_body
def _page_body(root: str, rows: tuple[ProductRow, ...], **paging: Any) -> str:
    return serialize(Page[ProductOut], {"items": _product_items(root, rows), **paging})


def _product_items(root: str, rows: Iterable[ProductRow]) -> list[dict[str, Any]]:
    """Return the values of `ProductOut` for each row of `PRODUCT_COLUMNS`."""
    items = [dict(zip(PRODUCT_COLUMNS, row, strict=True)) for row in rows]
    return with_media_urls(root, Product, items)


def _product_response(request: ApiRequest, product_id: int, *, status: int = 200) -> HttpResponse:
    """Respond with the product as a GET would return it now, with its ETag."""
    body, etag = _get_body(request, product_id)
    return json_response(body, status=status, headers={"ETag": etag})


def _update_product(
    request: ApiRequest, product_id: int, body: Body, if_match: str
) -> HttpResponse:
    changes = body.model_dump(exclude_unset=True)

    def check_etag(_product: Product) -> None:
        """Refuse the change if the product's ETag doesn't match. Runs under the product's lock."""
        if if_match and not etags.etag_matches(_get_body(request, product_id)[1], if_match):
            raise errors.ProductChanged

    products.update_product(
        product_id=product_id,
        actor=request.auth.user,
        stock=changes.pop("stock", None),
        changes=changes,
        check=check_etag,
    )
    return _product_response(request, product_id)


def _update_image(request: ApiRequest, product_id: int, image: UploadedFile | str) -> HttpResponse:
    products.update_product(
        product_id=product_id, actor=request.auth.user, changes={"image": image}
    )
    return _product_response(request, product_id)
