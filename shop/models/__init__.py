"""The shop's tables."""

from shop.models.audit import AuditEntry
from shop.models.cart import CartItem
from shop.models.catalogue import Product, StockMovement
from shop.models.imports import Import, ImportFile, ImportRow
from shop.models.orders import IdempotencyKey, Order, OrderEvent, OrderItem
from shop.models.people import Session, User
from shop.models.staff import SavedFilter

__all__ = [
    "AuditEntry",
    "CartItem",
    "IdempotencyKey",
    "Import",
    "ImportFile",
    "ImportRow",
    "Order",
    "OrderEvent",
    "OrderItem",
    "Product",
    "SavedFilter",
    "Session",
    "StockMovement",
    "User",
]
