"""Product endpoints. Bodies and responses follow the model's fields (see `shop.exposure`)."""

from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Body as JsonBody
from ninja import File, Path, Query, Router, Status, UploadedFile

from shop import exposure
from shop.api import etags, pictures
from shop.api.auth import ApiRequest, Forbidden, catalogue_reader, staff_with
from shop.api.etags import IfMatch, IfNoneMatch
from shop.api.idempotency import idempotent
from shop.api.model_filters import expand_schema
from shop.api.model_resource import ModelResource
from shop.api.openapi import documents_errors
from shop.api.paging import Page
from shop.api.record_data import errors_by_api_name
from shop.api.request_values import Id
from shop.api.schemas import (
    ProductFilters,
    ProductIn,
    ProductOut,
    ProductPatch,
    StockDelta,
    StockIn,
)
from shop.api.strict_requests import Body
from shop.models import Product, StockMovement
from shop.services import errors, products, stock

router = Router()
PRODUCTS = ModelResource(Product, ProductOut, public={"is_active": True})
ProductExpand: Any = expand_schema(Product)
NOTHING_EXPANDED = ProductExpand()
ProductId = Annotated[Id, Path()]


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
    return PRODUCTS.list_response(request, filters, if_none_match)


@router.post("/", response={201: ProductOut}, auth=staff_with("add_product"))
@idempotent
@errors_by_api_name(Product)
def create_product(request: ApiRequest, body: ProductIn) -> HttpResponse:
    """Create a product."""
    values = exposure.rename_api_names(
        Product, body.model_dump(exclude_unset=True, exclude={"stock"})
    )
    product = products.create_product(actor=request.auth.user, values=values, stock=body.stock)
    return PRODUCTS.saved_response(request, product.pk, status=201)


@router.get(
    "/{product_id}/",
    response=ProductOut,
    auth=catalogue_reader,
    openapi_extra=etags.NOT_MODIFIED_DOCS,
)
def get_product(
    request: ApiRequest,
    product_id: ProductId,
    expand: Query[ProductExpand] = NOTHING_EXPANDED,
    if_none_match: IfNoneMatch = "",
) -> HttpResponse:
    """Get a product. Send its `ETag` as `If-None-Match` to get 304 if nothing has changed."""
    return PRODUCTS.get_response(request, product_id, expand, if_none_match)


@router.put(
    "/{product_id}/", response=ProductOut, auth=staff_with("change_product", "manage_stock")
)
@documents_errors(errors.RecordChanged)
def replace_product(
    request: ApiRequest, product_id: ProductId, body: ProductIn, if_match: IfMatch = ""
) -> HttpResponse:
    """Replace a product. A `stock` is a stocktake: the difference is added to the stock ledger.

    It takes the permission to move stock, as `POST /products/{id}/stock/` does.
    """
    return _update_product(request, product_id, body, if_match)


@router.patch(
    "/{product_id}/", response=ProductOut, auth=staff_with("change_product", "manage_stock")
)
@documents_errors(errors.RecordChanged)
def change_product(
    request: ApiRequest, product_id: ProductId, body: ProductPatch, if_match: IfMatch = ""
) -> HttpResponse:
    """Change the fields of a product that are sent."""
    return _update_product(request, product_id, body, if_match)


@router.delete("/{product_id}/", response={204: None}, auth=staff_with("delete_product"))
@documents_errors(errors.RecordChanged)
def delete_product(
    request: ApiRequest, product_id: ProductId, if_match: IfMatch = ""
) -> Status[None]:
    """Delete a product, or archive it if it was ever ordered: past orders still show it."""
    check = PRODUCTS.precondition(request, if_match)
    products.remove_product(product_id=product_id, actor=request.auth.user, check=check)
    return Status(204, None)


@router.post("/{product_id}/stock/", response=ProductOut, auth=staff_with("manage_stock"))
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
    return PRODUCTS.saved_response(request, product_id)


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


@errors_by_api_name(Product)
def _update_product(
    request: ApiRequest, product_id: int, body: Body, if_match: str
) -> HttpResponse:
    changes = exposure.rename_api_names(Product, body.model_dump(exclude_unset=True))
    if "stock" in changes and "manage_stock" not in request.auth.permissions:
        raise Forbidden
    products.update_product(
        product_id=product_id,
        actor=request.auth.user,
        stock=changes.pop("stock", None),
        changes=changes,
        check=PRODUCTS.precondition(request, if_match),
    )
    return PRODUCTS.saved_response(request, product_id)


def _update_image(
    request: ApiRequest, product_id: int, image: UploadedFile | str, name: str = "image"
) -> HttpResponse:
    products.update_product(product_id=product_id, actor=request.auth.user, changes={name: image})
    return PRODUCTS.saved_response(request, product_id)


pictures.add_endpoints(router, PRODUCTS, _update_image, key="product_id", besides={"image"})
