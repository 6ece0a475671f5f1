"""Cart endpoints. Each of them responds with the whole cart."""

from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Path, Router

from shop.api.auth import ApiRequest, signed_in
from shop.api.idempotency import idempotent
from shop.api.media_urls import site_root
from shop.api.openapi import documents_errors
from shop.api.products import PRODUCTS
from shop.api.request_values import Id
from shop.api.responses import respond
from shop.api.schemas import CartAdd, CartOut, CartQuantity
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import CartItem, User
from shop.money import order_total
from shop.services import cart
from shop.services.errors import CartFull, InsufficientStock, NotFound, ProductUnavailable

router = Router()
ItemId = Annotated[Id, Path()]
CART_ITEMS = CompiledQuery(
    CartItem.objects.filter(user=Placeholder("user", User._meta.pk))
    .order_by("id")
    .values_list("id", "quantity", *PRODUCTS.columns("product__"))
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
    rows = CART_ITEMS(user=request.auth.user.pk)
    products = PRODUCTS.items(site_root(request), [row[2:] for row in rows])
    items = [
        _cart_item(pk, quantity, product)
        for (pk, quantity, *_), product in zip(rows, products, strict=True)
    ]
    available = [item for item in items if not item["problem"]]
    data = {
        "items": items,
        "total_quantity": sum(item["quantity"] for item in available),
        "total_amount": order_total((item["price"], item["quantity"]) for item in available),
        "can_checkout": bool(items) and len(available) == len(items),
    }
    return respond(CartOut, data, status=status)


def _cart_item(pk: int, quantity: int, product: dict[str, Any]) -> dict[str, Any]:
    """Return the values of `CartLineOut`."""
    problem = "insufficient-stock" if quantity > product["stock"] else None
    return {
        "id": pk,
        "product": product,
        "quantity": quantity,
        "price": product["price"],
        "subtotal": product["price"] * quantity,
        "problem": problem if product["is_active"] else "unavailable",
    }
