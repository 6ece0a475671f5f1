"""The cart. Every call answers with the whole of it."""

from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Path, Router

from shop.api.auth import ApiRequest, signed_in
from shop.api.media_urls import site_root, with_media_urls
from shop.api.openapi import documents_errors
from shop.api.products import COLUMNS
from shop.api.responses import respond
from shop.api.schemas import CartAdd, CartOut, CartQuantity, Id
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import CartItem, Product, User
from shop.services import cart
from shop.services.errors import CartFull, InsufficientStock, NotFound

router = Router()
ItemId = Annotated[Id, Path()]
PRODUCT = [f"product__{name}" for name in COLUMNS]
MINE = CartItem.objects.filter(user=Placeholder("user", User._meta.pk)).order_by("id")
LINES = CompiledQuery(MINE.values("id", "quantity", *PRODUCT))


@router.get("/", response=CartOut, auth=signed_in)
def get_cart(request: ApiRequest) -> HttpResponse:
    """What is in the cart, and what stands in the way of ordering it."""
    return _cart(request)


@router.post("/", response={200: CartOut, 201: CartOut}, auth=signed_in)
@documents_errors(NotFound, InsufficientStock, CartFull)
def add_to_cart(request: ApiRequest, body: CartAdd) -> HttpResponse:
    """Add a product: 201 for a new line, 200 where the quantities were added."""
    is_new = cart.add_to_cart(user=request.auth.user, **body.model_dump())
    return _cart(request, status=201 if is_new else 200)


@router.delete("/clear/", response=CartOut, auth=signed_in)
def clear_cart(request: ApiRequest) -> HttpResponse:
    """Take everything out."""
    cart.clear_cart(user=request.auth.user)
    return _cart(request)


@router.put("/{item_id}/", response=CartOut, auth=signed_in)
@documents_errors(InsufficientStock)
def set_quantity(request: ApiRequest, item_id: ItemId, body: CartQuantity) -> HttpResponse:
    """Set a line's quantity."""
    cart.set_quantity(user=request.auth.user, item_id=item_id, quantity=body.quantity)
    return _cart(request)


@router.delete("/{item_id}/", response=CartOut, auth=signed_in)
def remove_from_cart(request: ApiRequest, item_id: ItemId) -> HttpResponse:
    """Take a line out."""
    cart.remove_from_cart(user=request.auth.user, item_id=item_id)
    return _cart(request)


def _cart(request: ApiRequest, *, status: int = 200) -> HttpResponse:
    items = [_line(row) for row in LINES(user=request.auth.user.pk)]
    with_media_urls(site_root(request), Product, [item["product"] for item in items])
    data = {
        "items": items,
        "total_quantity": sum(item["quantity"] for item in items),
        "total_amount": sum((item["subtotal"] for item in items), Decimal("0.00")),
        "can_checkout": bool(items) and not any(item["problem"] for item in items),
    }
    return respond(CartOut, data, status=status)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    product = {name: row[f"product__{name}"] for name in COLUMNS}
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
