"""The shop's tables."""

from shop.models.cart import CartItem
from shop.models.catalogue import Product, StockMovement
from shop.models.orders import IdempotencyKey, Order, OrderEvent, OrderItem
from shop.models.people import Session, User

__all__ = [
    "CartItem",
    "IdempotencyKey",
    "Order",
    "OrderEvent",
    "OrderItem",
    "Product",
    "Session",
    "StockMovement",
    "User",
]
