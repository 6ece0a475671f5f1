"""The shop's tables."""

from shop.models.audit import AuditEntry
from shop.models.cart import CartItem
from shop.models.imports import ImportFile, ImportRow, ProductImport
from shop.models.orders import IdempotencyKey, Order, OrderEvent, OrderItem
from shop.models.outbox import OutboxMessage
from shop.models.products import Product, StockMovement
from shop.models.saved_views import SavedView
from shop.models.users import Session, User

__all__ = [
    "AuditEntry",
    "CartItem",
    "IdempotencyKey",
    "ImportFile",
    "ImportRow",
    "Order",
    "OrderEvent",
    "OrderItem",
    "OutboxMessage",
    "Product",
    "ProductImport",
    "SavedView",
    "Session",
    "StockMovement",
    "User",
]
