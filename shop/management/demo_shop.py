"""The demo shop: products, customers and sixty days of orders, created through the services."""

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
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from shop import money
from shop.management import demo_after_sales
from shop.models import (
    AuditEntry,
    CartItem,
    Order,
    OrderEvent,
    Payment,
    Product,
    StockMovement,
    User,
)
from shop.models.order_status import OrderStatus
from shop.models.users import SUPERUSER_FIELDS
from shop.services import outbox
from shop.services.cart import add_to_cart
from shop.services.groups import grant_catalogue_permissions
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid
from shop.services.orders import authorize_checkout, place_order
from shop.services.payments import SUCCESS
from shop.services.products import create_product
from shop.services.shipments import Shipment
from shop.services.stock import adjust_stock

ADMIN = "admin@example.com"
#: Group -> email, first and last name of the demo user in it.
STAFF = {
    "Fulfilment": ("packing@example.com", "Pat", "Moss"),
    "Viewer": ("viewer@example.com", "Vera", "Birch"),
}
#: Role and email of each demo login, shown on the demo's login page.
LOGINS = [("Owner", ADMIN), *((group, email) for group, (email, *_) in STAFF.items())]
PASSWORD = "fern-and-ember"  # noqa: S105 - public
SEED = 2026
ORDERS = 150
DAYS = 60
CANCELLED_SHARE = 0.08
#: How often customers choose each payment method that the shop offers.
PAYMENT_WEIGHTS = {"cash_on_delivery": 5, "card": 4, "bank_transfer": 1}
#: Age of the delivery that restocks the products.
RESTOCK_AGE = timedelta(days=30)
DATA_FOLDER = Path(settings.BASE_DIR) / "fixtures" / "demo"
#: Columns that say when something happened.
TIMES = {"created_at", "updated_at", "shipped_at"}
CANCEL_REASONS = (
    "Ordered twice by mistake.",
    "Found it closer to home.",
    "Delivery would come too late.",
)

type ReportProgress = Callable[[str], None]


@dataclass
class Sale:
    """A planned order: index of the buyer, quantity by index of product, and its later moves."""

    at: datetime
    buyer: int
    lines: dict[int, int]
    payment: str
    moves: list[tuple[datetime, OrderStatus]]

    @property
    def is_cancelled(self) -> bool:
        """Whether the order is cancelled in the end."""
        return any(status == OrderStatus.CANCELLED for _, status in self.moves)


def is_loaded() -> bool:
    """Return whether this database holds the demo, also one of another version of the shop.

    Identified by the emails of its admin and its first customer; no other column is read.
    """
    if User._meta.db_table not in connection.introspection.table_names():
        return False
    known = [ADMIN, _load_data("customers")[0]["email"]]
    return User.objects.filter(email__in=known).count() == len(known)


def check_allowed() -> None:
    """Raise CommandError where the demo's public passwords would be a back door."""
    if not settings.SHOP_DEVELOPMENT_COMMANDS:
        raise CommandError("The demo's passwords are public, so it runs in development only.")


def load(report: ReportProgress) -> None:
    """Fill an empty database in one transaction, always with the same data except the dates.

    Raises CommandError outside development.
    """
    check_allowed()
    now = timezone.now()
    rng = random.Random(SEED)  # noqa: S311 - repeatable
    with outbox.suppress_messages(), transaction.atomic():
        report("Customers and an admin")
        admin, customers = _create_users(now)
        plan = _plan_sales(now, rng, buyers=len(customers), products=len(_load_data("products")))
        report("Products and their pictures")
        products = _create_products(now, admin, plan)
        report(f"{ORDERS} orders of the last {DAYS} days")
        _replay(now, plan, admin, customers, products)
        in_stock = list(Product.objects.filter(in_stock=True).order_by("pk"))
        for customer in customers[:3]:
            for product in rng.sample(in_stock, 2):
                add_to_cart(user=customer, product_id=product.pk, quantity=1)


@contextmanager
def _backdate(at: datetime, *models: type[Model]) -> Iterator[None]:
    """Set the times of rows written in the block, in these tables, the ledger and the audit log."""
    started = timezone.now()
    yield
    tables: tuple[type[Model], ...] = (AuditEntry, StockMovement, *models)
    for model in tables:
        for column in TIMES & {field.name for field in model._meta.fields}:
            model._default_manager.filter(**{f"{column}__gte": started}).update(**{column: at})


def _load_data(name: str) -> list[dict[str, Any]]:
    text = (DATA_FOLDER / f"{name}.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def _create_users(now: datetime) -> tuple[User, list[User]]:
    password_hash = make_password(PASSWORD)  # once, since hashing is slow
    first_day = now - timedelta(days=DAYS + 10)
    admin = User(email=ADMIN, first_name="Robin", last_name="Fern", **SUPERUSER_FIELDS)
    customers = [
        User(**{name: row[name] for name in ("email", "first_name", "last_name", "phone")})
        for row in _load_data("customers")
    ]
    staff = {
        group: User(email=email, first_name=first, last_name=last, role=User.Role.ADMIN)
        for group, (email, first, last) in STAFF.items()
    }
    for days, user in enumerate([admin, *customers, *staff.values()]):
        user.password, user.created_at = password_hash, first_day + timedelta(days=days / 2)
        user.save()
    make_groups()
    make_carriers()
    for group, user in staff.items():
        user.groups.set([Group.objects.get(name=group)])
    return admin, customers


def make_carriers() -> None:
    """Create the carriers of the migrations again, which `flush` deletes."""
    import_module("shop.migrations.0009_order_money_and_rights").make_carriers(apps, None)


def make_groups() -> None:
    """Create the predefined groups again, which `flush` deletes."""
    import_module("shop.migrations.0003_groups").make_groups(apps, None)
    import_module("shop.migrations.0004_outbox").grant_permissions(apps, None)
    import_module("shop.migrations.0009_order_money_and_rights").grant_permissions(apps, None)
    import_module("shop.migrations.0012_change_sets").grant_permissions(apps, None)
    import_module("shop.migrations.0013_staff").grant_stock_permission(apps, None)
    grant_catalogue_permissions()


def _plan_sales(now: datetime, rng: random.Random, *, buyers: int, products: int) -> list[Sale]:
    """Return the sales, oldest first: more of them lately, and some products more popular."""
    popularity = [rng.paretovariate(3) for _ in range(products)]
    ages = sorted((DAYS * rng.random() ** 1.7 for _ in range(ORDERS)), reverse=True)
    return [
        _plan_sale(number, now - timedelta(days=age), rng, buyers, popularity, now)
        for number, age in enumerate(ages)
    ]


def _plan_sale(
    number: int,
    at: datetime,
    rng: random.Random,
    buyers: int,
    popularity: list[float],
    now: datetime,
) -> Sale:
    indexes = rng.choices(range(len(popularity)), popularity, k=rng.choice((1, 1, 2, 2, 3, 4)))
    offered = [method for method in PAYMENT_WEIGHTS if method in settings.SHOP_PAYMENT_METHODS]
    payment = rng.choices(offered, [PAYMENT_WEIGHTS[method] for method in offered])[0]
    moves = [(when, status) for when, status in _plan_moves(number, at) if when < now]
    return Sale(at, rng.randrange(buyers), dict(Counter(indexes)), payment, moves)


def _plan_moves(number: int, at: datetime) -> Iterator[tuple[datetime, OrderStatus]]:
    """Yield the moves of one order, hours to days apart.

    Each order has its own random numbers, so that a new status does not change what is sold.
    """
    rng = random.Random(f"{SEED} {number}")  # noqa: S311 - repeatable
    at += timedelta(hours=rng.uniform(1, 20))
    if rng.random() < CANCELLED_SHARE:
        yield at, OrderStatus.CANCELLED
        return
    first, *others = OrderStatus.path_to(OrderStatus.DELIVERED)
    yield at, first
    for status in others:
        at += timedelta(hours=rng.uniform(10, 90))
        yield at, status


def _create_products(now: datetime, admin: User, plan: list[Sale]) -> list[Product]:
    """Create the products with stock for the early sales and what the file says is left."""
    early, _ = _units_sold(plan, now - RESTOCK_AGE)
    decimals = money.shown_decimals(money.default_currency())
    products = []
    for number, row in enumerate(_load_data("products")):
        values = {name: value for name, value in row.items() if name not in {"stock", "picture"}}
        values["price"] = round(Decimal(values["price"]), decimals)
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


def _units_sold(plan: list[Sale], restocked: datetime) -> tuple[Counter[int], Counter[int]]:
    """Return the units of each product ordered before and after the delivery."""
    early, late = Counter[int](), Counter[int]()
    for sale in plan:
        (early if sale.at < restocked else late).update(sale.lines)
    return early, late


def _replay(
    now: datetime, plan: list[Sale], admin: User, customers: list[User], products: list[Product]
) -> None:
    """Run the plan in chronological order."""
    addresses = [row["address"] for row in _load_data("customers")]
    _, sold_later = _units_sold(plan, now - RESTOCK_AGE)
    deliver = partial(_receive_delivery, products, sold_later, admin)
    steps: list[tuple[datetime, Callable[[], None]]] = [(now - RESTOCK_AGE, deliver)]
    for number, sale in enumerate(plan):
        placed: list[Order] = []
        buyer, address = customers[sale.buyer], addresses[sale.buyer]
        steps.append((sale.at, partial(_place_order, sale, buyer, address, products, placed)))
        reason = CANCEL_REASONS[number % len(CANCEL_REASONS)]
        shipment = demo_after_sales.plan_shipment(number, address)
        steps += [
            (at, partial(_move_order, placed, status, admin, reason, shipment))
            for at, status in sale.moves
        ]
        if sale.moves:
            last = sale.moves[-1][0]
            steps += demo_after_sales.plan_after_sales(number, last, now, placed, admin)
    for at, run_step in sorted(steps, key=lambda step: step[0]):
        with _backdate(at, Order, OrderEvent, Payment):
            run_step()
    damaged = sum((Counter(sale.lines) for sale in plan if sale.is_cancelled), Counter[int]())
    for number, count in damaged.items():
        with _backdate(now):
            _adjust(products[number], -count, StockMovement.Kind.DAMAGED, admin, "Returned damaged")


def _receive_delivery(products: list[Product], units: Counter[int], admin: User) -> None:
    for number in sorted(units):
        _adjust(
            products[number],
            units[number],
            StockMovement.Kind.RECEIVED,
            admin,
            "Delivery from the workshop",
        )


def _place_order(
    sale: Sale, buyer: User, address: str, products: list[Product], placed: list[Order]
) -> None:
    CartItem.objects.bulk_create(
        CartItem(user=buyer, product=products[number], quantity=quantity)
        for number, quantity in sale.lines.items()
    )
    details = place_order(
        user=buyer,
        shipping_address=address,
        payment_method=sale.payment,
        authorization=authorize_checkout(
            user=buyer, method=sale.payment, token=SUCCESS, expected_total=None
        ),
    )
    placed.append(details.order)


def _move_order(
    placed: list[Order], status: OrderStatus, admin: User, reason: str, shipment: Shipment
) -> None:
    order = placed[0]
    note = reason if status == OrderStatus.CANCELLED else ""
    if status == OrderStatus.SHIPPED and order.payment_method == Order.PaymentMethod.BANK_TRANSFER:
        mark_paid(order_id=order.pk, actor=admin)
    move_order(
        order_id=order.pk, to=status, actor=admin, by_staff=True, note=note, shipment=shipment
    )


def _adjust(
    product: Product, delta: int, kind: StockMovement.Kind, admin: User, reason: str
) -> None:
    adjust_stock(product_id=product.pk, delta=delta, kind=kind, actor=admin, reason=reason)
