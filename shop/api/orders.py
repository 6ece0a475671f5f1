"""Order endpoints of customers: place, list, read and cancel orders."""

import functools
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from django.db.models import Count, QuerySet, Window, prefetch_related_objects
from django.http import HttpResponse
from ninja import Path, Query, Router

from shop.api.auth import ApiRequest, Caller, customer_or_staff
from shop.api.etags import etag_matches
from shop.api.idempotency import idempotent, idempotent_within
from shop.api.media_urls import site_root
from shop.api.model_filters import build_condition, expand_schema
from shop.api.model_resource import ModelResource, expanded_names
from shop.api.openapi import documents_errors
from shop.api.order_schemas import (
    CancelIn,
    CheckoutIn,
    OrderFilters,
    OrderItemOut,
    OrderOut,
    OrderSummary,
    ShipmentOut,
)
from shop.api.paging import Page, paginated_response
from shop.api.record_data import errors_by_api_name, readable_relations, record_data
from shop.api.request_values import Id
from shop.api.responses import respond, serialize
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import Order, OrderEvent, OrderItem, User
from shop.services import errors, order_moves, orders
from shop.services.idempotency import is_known
from shop.services.order_search import search_orders
from shop.services.orders import OrderDetails
from shop.services.payments import gateway

router = Router()
ORDERS = ModelResource(Order, OrderOut)
OrderExpand: Any = expand_schema(Order)
NOTHING_EXPANDED = OrderExpand()
OrderId = Annotated[Id, Path()]
#: Events in the history that customers see; payments are in `payment_status`.
PUBLIC_EVENTS = frozenset(OrderEvent.Kind) - {OrderEvent.Kind.PAYMENT, OrderEvent.Kind.PRINTED}
NEWEST_FIRST = ("-created_at", "-id")
ITEM_FIELDS = list(OrderItemOut.model_fields)


@router.get("/", response=Page[OrderSummary], auth=customer_or_staff("view_order", "change_order"))
def list_orders(request: ApiRequest, filters: Query[OrderFilters]) -> HttpResponse:
    """List the user's own orders, newest first. Admins see all orders."""
    caller = request.auth
    rows: QuerySet[Order] | list[Order]
    if filters.model_fields_set <= {"page_size"} and not caller.is_staff:
        rows = _own_orders_query(filters.stop)(user=caller.user.pk)
        count = rows[0].total_count if rows else 0  # type: ignore[attr-defined]
    else:
        matches = _filter_orders(_visible_orders(caller), filters, caller)
        count = matches.count()
        rows = ORDERS.with_joined(matches, expanded_names(filters))

    return paginated_response(
        request,
        filters,
        Page[OrderSummary],
        rows,
        count=count,
        to_items=lambda orders: _summaries(request, orders, filters),
    )


@contextmanager
def authorized_payment(request: ApiRequest, *, key: str, body: CheckoutIn) -> Iterator[None]:
    """Reserve the money of a card before the order's transaction; release it if that fails.

    The endpoint finds it as `request.authorization`. Nothing is reserved for a repeated request.
    """
    request.authorization = None
    is_card = body.payment_method == Order.PaymentMethod.CARD
    if not is_card or is_known(user=request.auth.user, key=key):
        yield
        return
    with errors_by_api_name(Order):
        request.authorization = orders.authorize_checkout(
            user=request.auth.user,
            method=body.payment_method,
            token=body.payment_token or "",
            expected_total=body.expected_total,
        )
    try:
        yield
    except Exception:
        if request.authorization:
            gateway().void(request.authorization)
        raise


@router.post(
    "/create/", response={201: OrderOut}, auth=customer_or_staff("view_order", "change_order")
)
@idempotent_within(authorized_payment)
@documents_errors(
    errors.CartEmpty,
    errors.InsufficientStock,
    errors.ProductUnavailable,
    errors.TotalChanged,
    errors.PaymentDeclined,
)
def create_order(request: ApiRequest, body: CheckoutIn) -> HttpResponse:
    """Order the contents of the cart.

    Send an `Idempotency-Key` so that you can safely repeat the request if the response is lost.
    """
    values = body.model_dump(exclude={"payment_token"})
    with errors_by_api_name(Order):
        details = orders.place_order(
            user=request.auth.user, authorization=request.authorization, **values
        )
    return respond(OrderOut, _order_with_history(request, details), status=201)


@router.get("/{order_id}/", response=OrderOut, auth=customer_or_staff("view_order", "change_order"))
def get_order(
    request: ApiRequest, order_id: OrderId, expand: Query[OrderExpand] = NOTHING_EXPANDED
) -> HttpResponse:
    """Get an order with its history."""
    return order_response(request, order_id, expand)


@router.post("/{order_id}/cancel/", response=OrderOut, auth=customer_or_staff("change_order"))
@idempotent
@documents_errors(errors.InvalidTransition, errors.StockLimitReached)
def cancel_order(
    request: ApiRequest, order_id: OrderId, body: CancelIn | None = None
) -> HttpResponse:
    """Cancel an order: its items are restocked, and a payment is refunded.

    Customers can cancel until the order is shipped.
    """
    caller = request.auth
    order_moves.move_order(
        order_id=order_id,
        to=Order.Status.CANCELLED,
        actor=caller.user,
        by_staff=caller.is_staff,
        note=body.reason if body else "",
    )
    return order_response(request, order_id)


@functools.cache
def _own_orders_query(stop: int) -> CompiledQuery[Order]:
    """Return the compiled query of a customer's first page, each row with the total count.

    Apps request this page most. There are at most 100 page sizes.
    """
    own = Order.objects.filter(user=Placeholder("user", User._meta.pk)).order_by(*NEWEST_FIRST)
    return CompiledQuery(own.annotate(total_count=Window(Count("pk")))[:stop])


def _visible_orders(caller: Caller) -> QuerySet[Order]:
    if caller.is_staff:
        return Order.objects.select_related("user")
    return Order.objects.filter(user=caller.user)


def _filter_orders(rows: QuerySet[Order], filters: Any, caller: Caller) -> QuerySet[Order]:
    tie_breaker = "-id" if filters.ordering.startswith("-") else "id"
    rows = rows.filter(build_condition(Order, filters, search=False))
    if filters.search:
        rows = search_orders(rows, filters.search, by_staff=caller.is_staff).queryset
    return rows.order_by(*dict.fromkeys((filters.ordering, tie_breaker)))


def _summaries(request: ApiRequest, listed: list[Order], parameters: Any) -> list[dict[str, Any]]:
    """Return the values of `OrderSummary` for each order, with one query for all their items."""
    items = OrderItem.objects.filter(order__in=listed).order_by("id")
    by_order: dict[int, list[dict[str, Any]]] = {order.pk: [] for order in listed}
    for item in items.values("order_id", *ITEM_FIELDS):
        by_order[item.pop("order_id")].append(item)
    of_customer = readable_relations(User) if request.auth.is_staff else []
    prefetch_related_objects(
        listed, *readable_relations(Order), *(f"user__{name}" for name in of_customer)
    )
    data = [_order_data(request, order, by_order[order.pk]) for order in listed]
    _expand(request, listed, data, parameters)
    return data


def _expand(
    request: ApiRequest, listed: list[Order], data: list[dict[str, Any]], parameters: Any
) -> None:
    """Add the related records that `?expand=` names to the values of these orders."""
    if names := expanded_names(parameters):
        expansions = ORDERS.expansions(request, parameters)
        joined = [ORDERS.joined_values(order, names) for order in listed]
        related = ORDERS.related_rows([order.pk for order in listed], expansions)
        ORDERS.expand(site_root(request), data, joined, expansions, related)


def order_response(
    request: ApiRequest, order_id: int, parameters: Any = NOTHING_EXPANDED
) -> HttpResponse:
    """Return the response with an order, as the caller may see it. Raises NotFound."""
    visible = ORDERS.with_joined(_visible_orders(request.auth), expanded_names(parameters))
    order = visible.filter(pk=order_id).first()
    if order is None:
        raise errors.NotFound
    data = _stored_order(request, order)
    etag = _etag_of(data)
    _expand(request, [order], [data], parameters)
    return respond(OrderOut, data, headers={"ETag": etag})


def check_order_etag(request: ApiRequest, order: Order, if_match: str) -> None:
    """Raise RecordChanged if the header doesn't name the order as the caller would get it now."""
    if if_match and not etag_matches(_etag_of(_stored_order(request, order)), if_match):
        raise errors.RecordChanged


def _stored_order(request: ApiRequest, order: Order) -> dict[str, Any]:
    details = OrderDetails(order, list(order.items.all()), list(order.events.all()))
    return _order_with_history(request, details)


def _etag_of(data: dict[str, Any]) -> str:
    return f'"{hashlib.sha256(serialize(OrderOut, data).encode()).hexdigest()[:32]}"'


def _order_with_history(request: ApiRequest, details: OrderDetails) -> dict[str, Any]:
    """Return the values of `OrderOut`."""
    items = [{name: getattr(item, name) for name in ITEM_FIELDS} for item in details.items]
    history = [
        {
            "kind": event.kind,
            "status": event.status,
            "at": event.created_at,
            "note": event.note,
            "details": event.details,
        }
        for event in details.events
        if event.kind in PUBLIC_EVENTS and not event.is_internal
    ]
    return _order_data(request, details.order, items) | {"history": history}


def _order_data(
    request: ApiRequest, order: Order, items: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """Return the values of `OrderSummary`; `customer` only for staff."""
    caller = request.auth
    is_staff = "change_order" in caller.permissions
    is_allowed = is_staff or order.user_id == caller.user.pk
    next_statuses = order.next_statuses(by_staff=is_staff) if is_allowed else ()
    data = record_data(request, order)
    data |= {
        "items": items,
        "can_cancel": Order.Status.CANCELLED in next_statuses,
        "amount_due": order.amount_due,
        "refund_due": order.refund_due,
        "shipment": _shipment_data(order),
    }
    return data | ({"customer": record_data(request, order.user)} if caller.is_staff else {})


def _shipment_data(order: Order) -> dict[str, Any] | None:
    """Return the values of `ShipmentOut`; None for an order that was not shipped."""
    if order.shipped_at is None:
        return None
    data = {name: getattr(order, name) for name in ShipmentOut.model_fields}
    return data | {"tracking_url": order.tracking_url or None}
