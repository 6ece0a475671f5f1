"""The demo shop: products, customers and sixty days of trade, made through the shop's own services."""

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
from django.db import transaction
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
#: Group -> who of it signs in at the demo.
STAFF = {
    "Fulfilment": ("packing@example.com", "Pat", "Moss"),
    "Viewer": ("viewer@example.com", "Vera", "Birch"),
}
#: What they are -> how they sign in. The login page of the demo shows them.
LOGINS = [("Owner", ADMIN), *((group, email) for group, (email, *_) in STAFF.items())]
PASSWORD = "fern-and-ember"  # noqa: S105 - printed for everybody who tries the demo
ORDERS = 150
DAYS = 60
CALLED_OFF = 0.08
RESTOCKED = timedelta(days=30)
DATA = Path(settings.BASE_DIR) / "fixtures" / "demo"
REASONS = ("Ordered twice by mistake.", "Found it closer to home.", "Delivery would come too late.")
Kind = StockMovement.Kind

type Tell = Callable[[str], None]


@dataclass
class Sale:
    """One order of the plan: who buys what, when, and what becomes of it."""

    at: datetime
    buyer: int
    lines: dict[int, int]
    payment: str
    moves: list[tuple[datetime, OrderStatus]]

    @property
    def is_cancelled(self) -> bool:
        """Whether it is called off in the end."""
        return any(status == OrderStatus.CANCELLED for _, status in self.moves)


def is_loaded() -> bool:
    """Whether this database holds the demo: its admin and its first customer, whom no real shop has."""
    people = [ADMIN, _data("customers")[0]["email"]]
    return User.objects.filter(email__in=people).count() == len(people)


def load(tell: Tell) -> None:
    """Fill an empty database, all or nothing. The same data at every load, but for the dates."""
    now = timezone.now()
    dice = random.Random(2026)  # noqa: S311 - to be the same each time
    with emails.suppress_emails(), transaction.atomic():
        tell("Customers and an admin")
        admin, customers = _people(now)
        plan = _plan(now, dice, buyers=len(customers), goods=_data("products"))
        tell("Products and their pictures")
        products = _products(now, admin, plan)
        tell(f"{ORDERS} orders of the last {DAYS} days")
        _trade(now, plan, admin, customers, products)
        for customer in customers[:3]:
            for product in dice.sample([product for product in products if product.stock], 2):
                add_to_cart(user=customer, product_id=product.pk, quantity=1)


@contextmanager
def _since(at: datetime, *models: type[Model]) -> Iterator[None]:
    """Let what is written within, to these tables, the ledger and the log, have happened at that moment."""
    mark = timezone.now()
    yield
    tables: tuple[type[Model], ...] = (AuditEntry, StockMovement, *models)
    for model in tables:
        for column in {"created_at", "updated_at"} & {field.name for field in model._meta.fields}:
            model._default_manager.filter(**{f"{column}__gte": mark}).update(**{column: at})


def _data(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _people(now: datetime) -> tuple[User, list[User]]:
    secret = make_password(PASSWORD)  # once: it takes a while by design
    since = now - timedelta(days=DAYS + 10)
    admin = User(email=ADMIN, first_name="Robin", last_name="Fern", **SUPERUSER_FIELDS)
    customers = [
        User(**{name: row[name] for name in ("email", "first_name", "last_name", "phone")})
        for row in _data("customers")
    ]
    staff = {
        group: User(email=email, first_name=first, last_name=last, role=User.Role.ADMIN)
        for group, (email, first, last) in STAFF.items()
    }
    for days, user in enumerate([admin, *customers, *staff.values()]):
        user.password, user.created_at = secret, since + timedelta(days=days / 2)
        user.save()
    make_groups()
    for group, user in staff.items():
        user.groups.set([Group.objects.get(name=group)])
    return admin, customers


def make_groups() -> None:
    """The ready groups, which emptying a database takes along."""
    import_module("shop.migrations.0003_groups").make_groups(apps, None)


def _plan(now: datetime, dice: random.Random, *, buyers: int, goods: list[Any]) -> list[Sale]:
    """What will have happened, oldest first; more of it lately, and some products more than others."""
    popularity = [dice.paretovariate(3) for _ in goods]
    moments = sorted(DAYS * dice.random() ** 1.7 for _ in range(ORDERS))
    return [
        _sale(now - timedelta(days=days), now, dice, buyers, popularity)
        for days in reversed(moments)
    ]


def _sale(
    at: datetime, now: datetime, dice: random.Random, buyers: int, popularity: list[float]
) -> Sale:
    chosen = Counter(
        dice.choices(range(len(popularity)), popularity, k=dice.choice((1, 1, 2, 2, 3, 4)))
    )
    methods = Order.PaymentMethod
    payment = dice.choices(
        [methods.CASH_ON_DELIVERY, methods.CARD, methods.BANK_TRANSFER], (5, 4, 1)
    )[0]
    moves = [(when, status) for when, status in _moves(at, dice) if when < now]
    return Sale(at, dice.randrange(buyers), dict(chosen), payment, moves)


def _moves(at: datetime, dice: random.Random) -> Iterator[tuple[datetime, OrderStatus]]:
    """An order's way, at the pace of a small shop."""
    at += timedelta(hours=dice.uniform(1, 20))
    if dice.random() < CALLED_OFF:
        yield at, OrderStatus.CANCELLED
        return
    first, *others = OrderStatus.path_to(OrderStatus.DELIVERED)
    yield at, first
    for status in others:
        at += timedelta(hours=dice.uniform(10, 90))
        yield at, status


def _products(now: datetime, admin: User, plan: list[Sale]) -> list[Product]:
    """Each with the stock that lasts until the delivery and, in the end, leaves what the file says."""
    early, _ = _units(plan, now - RESTOCKED)
    products = []
    for number, row in enumerate(_data("products")):
        values = {name: value for name, value in row.items() if name not in {"stock", "picture"}}
        values["price"] = Decimal(values["price"])
        with _since(now - timedelta(days=DAYS + 5, minutes=number), Product):
            products.append(
                _product(admin, values, row["picture"], stock=row["stock"] + early[number])
            )
    return products


def _product(admin: User, values: dict[str, Any], picture: str | None, *, stock: int) -> Product:
    if picture is None:
        return create_product(actor=admin, values=values, stock=stock)
    with (DATA / "pictures" / picture).open("rb") as file:
        return create_product(
            actor=admin, values=values | {"image": File(file, picture)}, stock=stock
        )


def _units(plan: list[Sale], middle: datetime) -> tuple[Counter[int], Counter[int]]:
    """Units of each product that are ordered before and after the delivery."""
    early, late = Counter[int](), Counter[int]()
    for sale in plan:
        (early if sale.at < middle else late).update(sale.lines)
    return early, late


def _trade(
    now: datetime, plan: list[Sale], admin: User, customers: list[User], products: list[Product]
) -> None:
    """Everything that happened, in the order in which it did."""
    addresses = [row["address"] for row in _data("customers")]
    deliver = partial(_deliver, products, _units(plan, now - RESTOCKED)[1], admin)
    happenings: list[tuple[datetime, Callable[[], None]]] = [(now - RESTOCKED, deliver)]
    for number, sale in enumerate(plan):
        placed: list[Order] = []
        buy = partial(_buy, sale, customers[sale.buyer], addresses[sale.buyer], products, placed)
        happenings.append((sale.at, buy))
        reason = REASONS[number % len(REASONS)]
        happenings += [
            (at, partial(_move, placed, status, admin, reason)) for at, status in sale.moves
        ]
    for at, happen in sorted(happenings, key=lambda happening: happening[0]):
        with _since(at, Order, OrderEvent):
            happen()
    broken = sum((Counter(sale.lines) for sale in plan if sale.is_cancelled), Counter[int]())
    for number, units in broken.items():
        with _since(now):
            _adjust(products[number], -units, Kind.DAMAGED, admin, "Came back broken")


def _deliver(products: list[Product], units: Counter[int], admin: User) -> None:
    for number in sorted(units):
        _adjust(products[number], units[number], Kind.RECEIVED, admin, "Delivery from the workshop")


def _buy(
    sale: Sale, buyer: User, address: str, products: list[Product], placed: list[Order]
) -> None:
    CartItem.objects.bulk_create(
        CartItem(user=buyer, product=products[number], quantity=quantity)
        for number, quantity in sale.lines.items()
    )
    story = place_order(user=buyer, shipping_address=address, payment_method=sale.payment)
    placed.append(story.order)


def _move(placed: list[Order], status: OrderStatus, admin: User, reason: str) -> None:
    order = placed[0]
    note = reason if status == OrderStatus.CANCELLED else ""
    if status == OrderStatus.SHIPPED and order.payment_method == Order.PaymentMethod.BANK_TRANSFER:
        mark_paid(order_id=order.pk, actor=admin)
    move_order(order_id=order.pk, to=status, actor=admin, by_staff=True, note=note)


def _adjust(product: Product, delta: int, kind: Kind, admin: User, reason: str) -> None:
    adjust_stock(product_id=product.pk, delta=delta, kind=kind, actor=admin, reason=reason)
