"""The catalogue. Bodies and answers follow the model's fields: nothing here names one that may change."""

import functools
from collections.abc import Iterable
from typing import Annotated, Any

from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from ninja import Body as JsonBody
from ninja import File, Path, Query, Router, Status, UploadedFile

from shop import exposure
from shop.api.auth import ApiRequest, Caller, catalogue_reader, staff
from shop.api.etags import (
    NOT_MODIFIED_DOCS,
    IfMatch,
    IfNoneMatch,
    Tagged,
    cached_body,
    conditional_response,
    etag_matches,
)
from shop.api.media_urls import site_root, with_media_urls
from shop.api.openapi import documents_errors
from shop.api.responses import count_rows, json_response, page_body, page_links, serialize
from shop.api.schemas import (
    Id,
    Page,
    Paging,
    ProductFilters,
    ProductIn,
    ProductOut,
    ProductPatch,
    StockDelta,
    StockIn,
)
from shop.db.compiled_queries import CompiledQuery, CompiledSearch, Placeholder
from shop.models import Product, StockMovement
from shop.schema_factory import Body
from shop.services import products, stock
from shop.services.errors import InsufficientStock, NotFound, ProductChanged, StockChanged

router = Router()
COLUMNS = [
    exposure.get_field(Product, name).attname for name in exposure.api_readable_fields(Product)
]
EVERY = (
    Product.objects.order_by().filter(pk=Placeholder("pk", Product._meta.pk)).values_list(*COLUMNS)
)
#: One product, for those who see only active ones and for those who see all.
ONE = {False: CompiledQuery(EVERY.filter(is_active=True)), True: CompiledQuery(EVERY)}
#: What may be said of the whole catalogue; all else narrows it.
WHOLE = {"page", "page_size", "ordering"}
COUNT_MAY_BE_OLD = 30  # seconds, on the unfiltered list

ProductId = Annotated[Id, Path()]


@router.get("/", response=Page[ProductOut], auth=catalogue_reader, openapi_extra=NOT_MODIFIED_DOCS)
def list_products(
    request: ApiRequest, filters: Query[ProductFilters], if_none_match: IfNoneMatch = ""
) -> HttpResponse:
    """The catalogue, a page at a time. Admins also see what is not active.

    An image is at most 1600 pixels wide and high; with `.small.webp` in the place of its `.webp`, 400.
    Send a page's `ETag` back as `If-None-Match` to learn cheaply that nothing changed.
    """
    sees_all = _sees_all(request)
    if filters.model_fields_set <= WHOLE:
        rows = _page(filters.ordering, filters.page, filters.page_size, sees_all=sees_all)()
        count = _count(sees_all=sees_all)
    else:
        rows, count = _found(filters, sees_all=sees_all)
    made = _page_of(
        site_root(request), tuple(rows), count=count, **page_links(request, filters, count)
    )
    return conditional_response(made, if_none_match)


@router.post("/", response={201: ProductOut}, auth=staff("add_product"))
def create_product(request: ApiRequest, body: ProductIn) -> HttpResponse:
    """Put something new on the shelf."""
    values = body.model_dump(exclude_unset=True, exclude={"stock"})
    product = products.create_product(actor=request.auth.user, values=values, stock=body.stock)
    return _answer(request, product.pk, status=201)


@router.get(
    "/{product_id}/", response=ProductOut, auth=catalogue_reader, openapi_extra=NOT_MODIFIED_DOCS
)
def get_product(
    request: ApiRequest, product_id: ProductId, if_none_match: IfNoneMatch = ""
) -> HttpResponse:
    """One product. Send its `ETag` back as `If-None-Match` to learn cheaply that nothing changed."""
    return conditional_response(
        _one(request, product_id, sees_all=_sees_all(request)), if_none_match
    )


@router.put("/{product_id}/", response=ProductOut, auth=staff("change_product"))
@documents_errors(ProductChanged)
def replace_product(
    request: ApiRequest, product_id: ProductId, body: ProductIn, if_match: IfMatch = ""
) -> HttpResponse:
    """Change a product. A `stock` is a count: the difference goes into the ledger."""
    return _change(request, product_id, body, if_match)


@router.patch("/{product_id}/", response=ProductOut, auth=staff("change_product"))
@documents_errors(ProductChanged)
def change_product(
    request: ApiRequest, product_id: ProductId, body: ProductPatch, if_match: IfMatch = ""
) -> HttpResponse:
    """Change some fields of a product."""
    return _change(request, product_id, body, if_match)


@router.delete("/{product_id}/", response={204: None}, auth=staff("delete_product"))
def delete_product(request: ApiRequest, product_id: ProductId) -> Status[None]:
    """Erase a product, or archive it if it was ever ordered: past orders still show it."""
    products.remove_product(product_id=product_id, actor=request.auth.user)
    return Status(204, None)


@router.post("/{product_id}/stock/", response=ProductOut, auth=staff("change_product"))
@documents_errors(StockChanged, InsufficientStock)
def adjust_stock(
    request: ApiRequest, product_id: ProductId, body: JsonBody[StockIn]
) -> HttpResponse:
    """Add or remove units (`delta`), or set what was counted (`counted`, guarded by `expected`)."""
    actor = request.auth.user
    if isinstance(body, StockDelta):
        kind = StockMovement.Kind(body.kind)
        stock.adjust_stock(
            product_id=product_id, delta=body.delta, kind=kind, actor=actor, reason=body.reason
        )
    else:
        stock.count_stock(product_id=product_id, actor=actor, **body.model_dump())
    return _answer(request, product_id)


@router.put("/{product_id}/image/", response=ProductOut, auth=staff("change_product"))
def set_image(
    request: ApiRequest, product_id: ProductId, image: File[UploadedFile]
) -> HttpResponse:
    """Show this JPEG, PNG or WebP, up to 5 MB and 12 megapixels."""
    return _change_image(request, product_id, image)


@router.delete("/{product_id}/image/", response=ProductOut, auth=staff("change_product"))
def remove_image(request: ApiRequest, product_id: ProductId) -> HttpResponse:
    """Show no picture."""
    return _change_image(request, product_id, "")


def _visible(*, sees_all: bool) -> QuerySet[Product]:
    return Product.objects.all() if sees_all else Product.objects.filter(is_active=True)


def _ordered(found: QuerySet[Product], by: str) -> QuerySet[Product, tuple[Any, ...]]:
    return found.order_by(by, "-id" if by.startswith("-") else "id").values_list(*COLUMNS)


@functools.lru_cache(256)
def _page(by: str, number: int, size: int, *, sees_all: bool) -> CompiledQuery[tuple[Any, ...]]:
    """A page of the whole catalogue, as apps ask for it most."""
    return CompiledQuery(
        page_body(_ordered(_visible(sees_all=sees_all), by), Paging(page=number, page_size=size))
    )


def _sees_all(request: ApiRequest) -> bool:
    return isinstance(request.auth, Caller) and request.auth.is_staff


def _filtered(filters: ProductFilters, *, sees_all: bool) -> QuerySet[Product]:
    exact = {
        "price__gte": filters.min_price,
        "price__lte": filters.max_price,
        "in_stock": filters.in_stock,
        "is_active": filters.is_active,
    }
    found = _visible(sees_all=sees_all)
    found = found.filter(**{name: value for name, value in exact.items() if value is not None})
    for word in filters.search.split():
        has_word = Q(name__icontains=word) | Q(sku__icontains=word)
        found = found.filter(has_word | Q(description__icontains=word))
    return found


@functools.cache
def _search(by: str) -> CompiledSearch[tuple[Any, ...]]:
    return CompiledSearch(_ordered(Product.objects.all(), by))


def _found(filters: ProductFilters, *, sees_all: bool) -> tuple[list[tuple[Any, ...]], int]:
    """A page of what the filters leave, and how much that is."""
    found = _filtered(filters, sees_all=sees_all)
    if filters.search and (known := _search(filters.ordering)(found, filters.start, filters.stop)):
        return known
    rows = list(page_body(_ordered(found, filters.ordering), filters))
    return rows, count_rows(filters, len(rows), found.count)


def _count(*, sees_all: bool) -> int:
    """How many there are, up to 30 seconds old, since counting them costs most of the call."""
    key = "products:all" if sees_all else "products:active"
    return cache.get_or_set(key, lambda: _visible(sees_all=sees_all).count(), COUNT_MAY_BE_OLD) or 0


def _one(request: ApiRequest, product_id: int, *, sees_all: bool = True) -> Tagged:
    found = ONE[sees_all](pk=product_id)
    if not found:
        raise NotFound
    return _product_of(site_root(request), found[0])


@cached_body
def _product_of(site: str, values: tuple[Any, ...]) -> str:
    return serialize(ProductOut, *_items(site, [values]))


@cached_body
def _page_of(site: str, rows: tuple[tuple[Any, ...], ...], **about: Any) -> str:
    return serialize(Page[ProductOut], {"items": _items(site, rows), **about})


def _items(site: str, rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return with_media_urls(site, Product, [dict(zip(COLUMNS, row, strict=True)) for row in rows])


def _answer(request: ApiRequest, product_id: int, *, status: int = 200) -> HttpResponse:
    """The product as the database has it now, so that what is answered is what a GET shows."""
    body, tag = _one(request, product_id)
    return json_response(body, status=status, headers={"ETag": tag})


def _change(request: ApiRequest, product_id: int, body: Body, if_match: str) -> HttpResponse:
    changes = body.model_dump(exclude_unset=True)

    def unchanged(_: Product) -> None:
        """Under the product's lock: what the caller read must be what is there."""
        if not etag_matches(_one(request, product_id)[1], if_match):
            raise ProductChanged

    products.update_product(
        product_id=product_id,
        actor=request.auth.user,
        stock=changes.pop("stock", None),
        changes=changes,
        check=unchanged if if_match else lambda _: None,
    )
    return _answer(request, product_id)


def _change_image(request: ApiRequest, product_id: int, image: UploadedFile | str) -> HttpResponse:
    products.update_product(
        product_id=product_id, actor=request.auth.user, changes={"image": image}
    )
    return _answer(request, product_id)
