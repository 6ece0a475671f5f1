"""Cart endpoints. Each of them responds with the whole cart."""

from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Path, Router

from shop.api.auth import ApiRequest, signed_in
from shop.api.idempotency import idempotent
from shop.api.media_urls import site_root, with_media_urls
from shop.api.openapi import documents_errors
from shop.api.products import PRODUCT_COLUMNS
from shop.api.request_values import Id
from shop.api.responses import respond
from shop.api.schemas import CartAdd, CartOut, CartQuantity
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import CartItem, Product, User
from shop.money import order_total
from shop.services import cart
from shop.services.errors import CartFull, InsufficientStock, NotFound, ProductUnavailable

router = Router()
ItemId = Annotated[Id, Path()]
CART_ITEMS = CompiledQuery(
    CartItem.objects.filter(user=Placeholder("user", User._meta.pk))
    .order_by("id")
    .values("id", "quantity", *(f"product__{name}" for name in PRODUCT_COLUMNS))
)


@router.get("/", response=CartOut, auth=signed_in)
def get_cart(request: ApiRequest) -> HttpResponse:
    """Get the cart, with a `problem` on each line that can't be ordered."""
    return _cart_response(request)


@router.post("/", response={200: CartOut, 201: CartOut}, auth=signed_in)
@idempotent
@documents_errors(NotFound, InsufficientStock, CartFull)
def add_to_cart(request: ApiRequest, body: CartAdd) -> HttpResponse:
    """Add a product. Responds 201 for a new line, 200 if the quantity of a line was increased."""
    is_new = cart.add_to_cart(user=request.auth.user, **body.model_dump())
    return _cart_response(request, status=201 if is_new else 200)


@router.delete("/clear/", response=CartOut, auth=signed_in)
def clear_cart(request: ApiRequest) -> HttpResponse:
    """Remove all lines."""
    cart.clear_cart(user=request.auth.user)
    return _cart_response(request)


@router.put("/{item_id}/", response=CartOut, auth=signed_in)
@documents_errors(ProductUnavailable, InsufficientStock)
def set_quantity(request: ApiRequest, item_id: ItemId, body: CartQuantity) -> HttpResponse:
    """Set the quantity of a line."""
    cart.set_quantity(user=request.auth.user, item_id=item_id, quantity=body.quantity)
    return _cart_response(request)


@router.delete("/{item_id}/", response=CartOut, auth=signed_in)
def remove_from_cart(request: ApiRequest, item_id: ItemId) -> HttpResponse:
    """Remove a line."""
    cart.remove_from_cart(user=request.auth.user, item_id=item_id)
    return _cart_response(request)


def _cart_response(request: ApiRequest, *, status: int = 200) -> HttpResponse:
    items = [_cart_item(row) for row in CART_ITEMS(user=request.auth.user.pk)]
    with_media_urls(site_root(request), Product, [item["product"] for item in items])
    available = [item for item in items if not item["problem"]]
    data = {
        "items": items,
        "total_quantity": sum(item["quantity"] for item in available),
        "total_amount": order_total((item["price"], item["quantity"]) for item in available),
        "can_checkout": bool(items) and len(available) == len(items),
    }
    return respond(CartOut, data, status=status)


def _cart_item(row: dict[str, Any]) -> dict[str, Any]:
    """Return the values of `CartLineOut` from a row of `CART_ITEMS`."""
    product = {name: row[f"product__{name}"] for name in PRODUCT_COLUMNS}
    quantity = row["quantity"]
    problem = "insufficient-stock" if quantity > product["stock"] else None
    return {
        "id": row["id"],
        "product": product,
        "quantity": quantity,
        "price": product["price"],
        "subtotal": product["price"] * quantity,
        "problem": problem if product["is_active"] else "unavailable",
    }
