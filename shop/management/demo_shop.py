"""Data of the demo shop: products, customers and sixty days of orders, created by the services."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.files import File
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from shop.documents import emails
from shop.models import AuditEntry, CartItem, Order, OrderEvent, Product, StockMovement, User
from shop.models.order_status import OrderStatus
from shop.models.users import SUPERUSER_FIELDS
from shop.services.cart import add_to_cart
from shop.services.orders import mark_paid, move_order, place_order
from shop.services.products import create_product
from shop.services.stock import adjust_stock

ADMIN = "admin@example.com"
#: Group -> (email, first name, last name) of the demo user in it.
STAFF = {
    "Fulfilment": ("packing@example.com", "Pat", "Moss"),
    "Viewer": ("viewer@example.com", "Vera", "Birch"),
}
#: (role, email) of the accounts that the login page of the demo shows.
LOGINS = [("Owner", ADMIN), *((group, email) for group, (email, *_) in STAFF.items())]
PASSWORD = "fern-and-ember"  # noqa: S105 - public, printed by `manage.py demo`
ORDERS = 150
DAYS = 60
CANCELLED_SHARE = 0.08
DELIVERY_AGE = timedelta(days=30)
DATA_FOLDER = Path(settings.BASE_DIR) / "fixtures" / "demo"
CANCELLATION_NOTES = (
    "Ordered twice by mistake.",
    "Bought it in a shop nearby.",
    "Delivery would come too late.",
)

type PrintProgress = Callable[[str], None]


@dataclass
class Sale:
    """A planned order: date, index of the buyer, units per product index, payment, status moves."""

    at: datetime
    buyer: int
    lines: dict[int, int]
    payment: str
    moves: list[tuple[datetime, OrderStatus]]

    @property
    def is_cancelled(self) -> bool:
        """Whether the order ends up cancelled."""
        return any(status == OrderStatus.CANCELLED for _, status in self.moves)


def is_loaded() -> bool:
    """Return whether the database holds the demo, also one of another version of the shop.

    Identified by the emails of its admin and its first customer; no other column is read.
    """
    if User._meta.db_table not in connection.introspection.table_names():
        return False
    demo_emails = [ADMIN, _read_fixture("customers")[0]["email"]]
    return User.objects.filter(email__in=demo_emails).count() == len(demo_emails)


def load(print_progress: PrintProgress) -> None:
    """Fill an empty database in one transaction. Apart from dates, the data is always the same."""
    now = timezone.now()
    dice = random.Random(2026)  # noqa: S311 - must be reproducible
    with emails.suppress_emails(), transaction.atomic():
        print_progress("Creating users")
        admin, customers = _create_users(now)
        plan = _plan_sales(
            now, dice, buyers=len(customers), product_count=len(_read_fixture("products"))
        )
        print_progress("Creating products and pictures")
        products = _create_products(now, admin, plan)
        print_progress(f"Creating {ORDERS} orders of the last {DAYS} days")
        _simulate_sales(now, plan, admin, customers, products)
        for customer in customers[:3]:
            for product in dice.sample([product for product in products if product.stock], 2):
                add_to_cart(user=customer, product_id=product.pk, quantity=1)


@contextmanager
def _backdate(at: datetime, *models: type[Model]) -> Iterator[None]:
    """Set the date of rows that the block writes to these models, movements and the audit log."""
    start = timezone.now()
    yield
    tables: tuple[type[Model], ...] = (AuditEntry, StockMovement, *models)
    for model in tables:
        for column in {"created_at", "updated_at"} & {field.name for field in model._meta.fields}:
            model._default_manager.filter(**{f"{column}__gte": start}).update(**{column: at})


def _read_fixture(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(
        (DATA_FOLDER / f"{name}.json").read_text(encoding="utf-8")
    )
    return rows


def _create_users(now: datetime) -> tuple[User, list[User]]:
    password = make_password(PASSWORD)  # once, because hashing is slow
    since = now - timedelta(days=DAYS + 10)
    admin = User(email=ADMIN, first_name="Robin", last_name="Fern", **SUPERUSER_FIELDS)
    customers = [
        User(**{name: row[name] for name in ("email", "first_name", "last_name", "phone")})
        for row in _read_fixture("customers")
    ]
    staff = {
        group: User(email=email, first_name=first, last_name=last, role=User.Role.ADMIN)
        for group, (email, first, last) in STAFF.items()
    }
    for days, user in enumerate([admin, *customers, *staff.values()]):
        user.password, user.created_at = password, since + timedelta(days=days / 2)
        user.save()
    make_groups()
    for group, user in staff.items():
        user.groups.set([Group.objects.get(name=group)])
    return admin, customers


def make_groups() -> None:
    """Create the default groups; `migrate` does, but flushing the database deletes them."""
    import_module("shop.migrations.0003_groups").make_groups(apps, None)


def _plan_sales(
    now: datetime, dice: random.Random, *, buyers: int, product_count: int
) -> list[Sale]:
    """Return the orders to create, oldest first: more recent ones, and more of popular products."""
    popularity = [dice.paretovariate(3) for _ in range(product_count)]
    moments = sorted(DAYS * dice.random() ** 1.7 for _ in range(ORDERS))
    return [
        _plan_sale(now - timedelta(days=days), now, dice, buyers, popularity)
        for days in reversed(moments)
    ]


def _plan_sale(
    at: datetime, now: datetime, dice: random.Random, buyers: int, popularity: list[float]
) -> Sale:
    chosen = Counter(
        dice.choices(range(len(popularity)), popularity, k=dice.choice((1, 1, 2, 2, 3, 4)))
    )
    methods = Order.PaymentMethod
    payment = dice.choices(
        [methods.CASH_ON_DELIVERY, methods.CARD, methods.BANK_TRANSFER], (5, 4, 1)
    )[0]
    moves = [(when, status) for when, status in _plan_moves(at, dice) if when < now]
    return Sale(at, dice.randrange(buyers), dict(chosen), payment, moves)


def _plan_moves(at: datetime, dice: random.Random) -> Iterator[tuple[datetime, OrderStatus]]:
    """Yield the date and status of each move of an order."""
    at += timedelta(hours=dice.uniform(1, 20))
    if dice.random() < CANCELLED_SHARE:
        yield at, OrderStatus.CANCELLED
        return
    first, *others = OrderStatus.path_to(OrderStatus.DELIVERED)
    yield at, first
    for status in others:
        at += timedelta(hours=dice.uniform(10, 90))
        yield at, status


def _create_products(now: datetime, admin: User, plan: list[Sale]) -> list[Product]:
    """Create the products, with enough stock until the delivery and the fixture's in the end."""
    early, _ = _count_units(plan, now - DELIVERY_AGE)
    products = []
    for number, row in enumerate(_read_fixture("products")):
        values = {name: value for name, value in row.items() if name not in {"stock", "picture"}}
        values["price"] = Decimal(values["price"])
        with _backdate(now - timedelta(days=DAYS + 5, minutes=number), Product):
            products.append(
                _create_product(admin, values, row["picture"], stock=row["stock"] + early[number])
            )
    return products


def _create_product(
    admin: User, values: dict[str, Any], picture: str | None, *, stock: int
) -> Product:
    if picture is None:
        return create_product(actor=admin, values=values, stock=stock)
    with (DATA_FOLDER / "pictures" / picture).open("rb") as file:
        return create_product(
            actor=admin, values=values | {"image": File(file, picture)}, stock=stock
        )


def _count_units(plan: list[Sale], delivery: datetime) -> tuple[Counter[int], Counter[int]]:
    """Return the units ordered per product index before and after the delivery."""
    early, late = Counter[int](), Counter[int]()
    for sale in plan:
        (early if sale.at < delivery else late).update(sale.lines)
    return early, late


def _simulate_sales(
    now: datetime, plan: list[Sale], admin: User, customers: list[User], products: list[Product]
) -> None:
    """Carry out all orders, moves and the delivery in the order of their dates."""
    addresses = [row["address"] for row in _read_fixture("customers")]
    receive = partial(_receive_delivery, products, _count_units(plan, now - DELIVERY_AGE)[1], admin)
    events: list[tuple[datetime, Callable[[], None]]] = [(now - DELIVERY_AGE, receive)]
    for number, sale in enumerate(plan):
        placed: list[Order] = []
        buy = partial(
            _place_demo_order, sale, customers[sale.buyer], addresses[sale.buyer], products, placed
        )
        events.append((sale.at, buy))
        reason = CANCELLATION_NOTES[number % len(CANCELLATION_NOTES)]
        events += [
            (at, partial(_move_demo_order, placed, status, admin, reason))
            for at, status in sale.moves
        ]
    for at, run in sorted(events, key=lambda event: event[0]):
        with _backdate(at, Order, OrderEvent):
            run()
    broken = sum((Counter(sale.lines) for sale in plan if sale.is_cancelled), Counter[int]())
    for number, units in broken.items():
        with _backdate(now):
            _adjust_product(
                products[number], -units, StockMovement.Kind.DAMAGED, admin, "Returned broken"
            )


def _receive_delivery(products: list[Product], units: Counter[int], admin: User) -> None:
    for number in sorted(units):
        _adjust_product(
            products[number],
            units[number],
            StockMovement.Kind.RECEIVED,
            admin,
            "Delivery from the workshop",
        )


def _place_demo_order(
    sale: Sale, buyer: User, address: str, products: list[Product], placed: list[Order]
) -> None:
    CartItem.objects.bulk_create(
        CartItem(user=buyer, product=products[number], quantity=quantity)
        for number, quantity in sale.lines.items()
    )
    result = place_order(user=buyer, shipping_address=address, payment_method=sale.payment)
    placed.append(result.order)


def _move_demo_order(placed: list[Order], status: OrderStatus, admin: User, reason: str) -> None:
    order = placed[0]
    note = reason if status == OrderStatus.CANCELLED else ""
    if status == OrderStatus.SHIPPED and order.payment_method == Order.PaymentMethod.BANK_TRANSFER:
        mark_paid(order_id=order.pk, actor=admin)
    move_order(order_id=order.pk, to=status, actor=admin, by_staff=True, note=note)


def _adjust_product(
    product: Product, delta: int, kind: StockMovement.Kind, admin: User, reason: str
) -> None:
    adjust_stock(product_id=product.pk, delta=delta, kind=kind, actor=admin, reason=reason)
