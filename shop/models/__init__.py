"""The shop's tables."""

from shop.models.audit import AuditEntry
from shop.models.browser_sessions import BrowserSession
from shop.models.carriers import Carrier
from shop.models.cart import CartItem
from shop.models.change_sets import ChangeRow, ChangeSet, ImportFile
from shop.models.invoices import Invoice, InvoiceCounter
from shop.models.orders import IdempotencyKey, Order, OrderEvent, OrderItem
from shop.models.outbox import OutboxMessage
from shop.models.payments import Payment
from shop.models.products import Product, StockMovement
from shop.models.saved_views import SavedView
from shop.models.users import Session, User

__all__ = [
    "AuditEntry",
    "BrowserSession",
    "Carrier",
    "CartItem",
    "ChangeRow",
    "ChangeSet",
    "IdempotencyKey",
    "ImportFile",
    "Invoice",
    "InvoiceCounter",
    "Order",
    "OrderEvent",
    "OrderItem",
    "OutboxMessage",
    "Payment",
    "Product",
    "SavedView",
    "Session",
    "StockMovement",
    "User",
]
