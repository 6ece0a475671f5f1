"""Orders: placed by customers, moved by staff."""

import datetime
import functools
from collections.abc import Iterable
from typing import Annotated, Any

from django.db.models import Count, Q, QuerySet, Window
from django.http import HttpResponse
from ninja import Header, Path, Query, Router

from shop.api.accounts import user_row
from shop.api.auth import ApiRequest, Caller, customer_or_staff, signed_in, staff
from shop.api.openapi import documents_errors
from shop.api.responses import json_response, paginated_response, respond, serialize
from shop.api.schemas import (
    CancelIn,
    CheckoutIn,
    Id,
    OrderFilters,
    OrderItemOut,
    OrderOut,
    OrderSummary,
    Page,
    StatusIn,
)
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import Order, OrderEvent, OrderItem, User
from shop.services import errors, idempotency, orders
from shop.services.orders import OrderDetails

router = Router()
OrderId = Annotated[Id, Path()]
IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key", max_length=255)]
TOLD = (OrderEvent.Kind.STATUS, OrderEvent.Kind.NOTE)
NEWEST = ("-created_at", "-id")
ITEM = list(OrderItemOut.model_fields)


@router.get("/", response=Page[OrderSummary], auth=customer_or_staff("view_order", "change_order"))
def list_orders(request: ApiRequest, filters: Query[OrderFilters]) -> HttpResponse:
    """Own orders, newest first; admins see everybody's."""
    found: QuerySet[Order] | list[Order]
    if filters.model_fields_set <= {"page_size"} and not request.auth.is_staff:
        found = _newest_of_own(filters.page_size)(user=request.auth.user.pk)
        count = found[0].of if found else 0  # type: ignore[attr-defined]
    else:
        found = _filtered(_visible(request.auth), filters, request.auth)
        count = found.count()

    def rows(page_of: list[Order]) -> list[dict[str, Any]]:
        lines = OrderItem.objects.filter(order__in=page_of).order_by("id")
        by_order: dict[int, list[dict[str, Any]]] = {order.pk: [] for order in page_of}
        for line in lines.values("order_id", *ITEM):
            by_order[line.pop("order_id")].append(line)
        return [_row(order, by_order[order.pk], request.auth) for order in page_of]

    return paginated_response(request, filters, Page[OrderSummary], found, count=count, finish=rows)


@router.post("/create/", response={201: OrderOut}, auth=signed_in)
@documents_errors(
    errors.CartEmpty,
    errors.InsufficientStock,
    errors.ProductUnavailable,
    errors.TotalChanged,
    errors.PaymentDeclined,
    errors.IdempotencyKeyReused,
)
def create_order(
    request: ApiRequest, body: CheckoutIn, idempotency_key: IdempotencyKey = ""
) -> HttpResponse:
    """Order what is in the cart. Send an `Idempotency-Key` and repeat the call until it is answered."""
    caller = request.auth

    def place() -> str:
        values = body.model_dump() | {"payment_token": body.payment_token or ""}
        return serialize(OrderOut, _full(orders.place_order(user=caller.user, **values), caller))

    placed, replayed = idempotency.run_once(
        user=caller.user, key=idempotency_key, request=body.model_dump_json(), work=place
    )
    headers = {"Idempotent-Replayed": "true"} if replayed else {}
    return json_response(placed, status=201, headers=headers)


@router.get("/{order_id}/", response=OrderOut, auth=customer_or_staff("view_order", "change_order"))
def get_order(request: ApiRequest, order_id: OrderId) -> HttpResponse:
    """One order with its history."""
    return _answer(request, order_id)


@router.post("/{order_id}/cancel/", response=OrderOut, auth=customer_or_staff("change_order"))
@documents_errors(errors.InvalidTransition)
def cancel_order(
    request: ApiRequest, order_id: OrderId, body: CancelIn | None = None
) -> HttpResponse:
    """Cancel: the stock goes back, a payment is refunded. Customers may until it is shipped."""
    reason = body.reason if body else ""
    return _move(request, order_id, Order.Status.CANCELLED, reason)


@router.post("/{order_id}/status/", response=OrderOut, auth=staff("change_order"))
@documents_errors(errors.InvalidTransition)
def set_status(request: ApiRequest, order_id: OrderId, body: StatusIn) -> HttpResponse:
    """Take the next step: pending, confirmed, shipped, delivered; or cancel."""
    return _move(request, order_id, body.status, body.note)


def _move(request: ApiRequest, order_id: int, to: str, note: str) -> HttpResponse:
    caller = request.auth
    orders.move_order(
        order_id=order_id, to=to, actor=caller.user, by_staff=caller.is_staff, note=note
    )
    return _answer(request, order_id)


@functools.cache
def _newest_of_own(size: int) -> CompiledQuery[Order]:
    """What apps ask most, each order with how many there are: a hundred sizes at most."""
    own = Order.objects.filter(user=Placeholder("user", User._meta.pk)).order_by(*NEWEST)
    return CompiledQuery(own.annotate(of=Window(Count("pk")))[:size])


def _visible(caller: Caller) -> QuerySet[Order]:
    if caller.is_staff:
        return Order.objects.select_related("user")
    return Order.objects.filter(user=caller.user)


def _filtered(found: QuerySet[Order], filters: OrderFilters, caller: Caller) -> QuerySet[Order]:
    found = found.order_by(*NEWEST)
    if filters.status:
        found = found.filter(status=filters.status)
    if filters.search:
        by_number = Q(order_number__icontains=filters.search)
        by_email = Q(user__email__icontains=filters.search) if caller.is_staff else Q()
        found = found.filter(by_number | by_email)
    if filters.created_from:
        found = found.filter(created_at__gte=_moment(filters.created_from))
    if filters.created_to:
        found = found.filter(created_at__lt=_moment(filters.created_to, end_of_day=True))
    return found


def _moment(
    value: datetime.datetime | datetime.date, *, end_of_day: bool = False
) -> datetime.datetime:
    """A day in UTC as its first moment, or as the one after its last; a moment as it is."""
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return moment + datetime.timedelta(microseconds=1) if end_of_day else moment
    start = datetime.datetime.combine(value, datetime.time(), datetime.UTC)
    return start + datetime.timedelta(days=1) if end_of_day else start


def _answer(request: ApiRequest, order_id: int) -> HttpResponse:
    order = _visible(request.auth).filter(pk=order_id).first()
    if order is None:
        raise errors.NotFound
    story = OrderDetails(order, list(order.items.all()), list(order.events.all()))
    return respond(OrderOut, _full(story, request.auth))


def _full(story: OrderDetails, caller: Caller) -> dict[str, Any]:
    items = [{name: getattr(item, name) for name in ITEM} for item in story.items]
    history = [
        {"status": event.status, "at": event.created_at, "note": event.note}
        for event in story.events
        if event.kind in TOLD and not event.is_internal
    ]
    return _row(story.order, items, caller) | {"history": history}


COPIED = [
    name for name in OrderSummary.model_fields if name not in {"items", "can_cancel", "customer"}
]


def _row(order: Order, items: Iterable[dict[str, Any]], caller: Caller) -> dict[str, Any]:
    may_change = "change_order" in caller.rights
    is_theirs = may_change or order.user_id == caller.user.pk
    steps = order.next_statuses(by_staff=may_change) if is_theirs else ()
    row = {name: getattr(order, name) for name in COPIED}
    row |= {"items": items, "can_cancel": Order.Status.CANCELLED in steps}
    return row | ({"customer": user_row(order.user)} if caller.is_staff else {})
