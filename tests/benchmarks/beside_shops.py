"""The two shops that `beside_drf.py` compares, with the same products, users and orders."""

import json
import os
import random
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.utils import timezone

from shop.api import tokens
from shop.models import IdempotencyKey, Order, Product, Session, User

HERE = Path(__file__).resolve().parent
ITEMS = 3
#: Data as that of the peer's `seed.py`, so that a search finds the same in both shops.
ADJECTIVES = "red blue green solid light heavy smart classic modern tiny large soft".split()
MATERIALS = "oak steel cotton linen glass leather copper bamboo wool paper stone cork".split()
NOUNS = "chair lamp mug table shirt bag clock shelf bottle knife pen rug scarf bowl".split()
SENTENCE = "A dependable everyday piece made with care and tested for long use. "
START = datetime(2024, 1, 1, tzinfo=UTC)
STOCK = 1_000_000
FILL_ORDERS = """
INSERT INTO shop_orderitem (order_id, product_id, sku, name, price, quantity, returned_quantity)
SELECT o.id, p.id, p.sku, p.name, p.price, 1 + (o.id + k) % 3, 0
FROM shop_order o CROSS JOIN (SELECT 0 AS k UNION ALL SELECT 1 UNION ALL SELECT 2) AS lines
JOIN shop_product p ON p.id = 1 + (o.id * 31 + k * 977) % {products};
UPDATE shop_order SET total_amount =
  (SELECT sum(subtotal) FROM shop_orderitem WHERE order_id = shop_order.id);
INSERT INTO shop_orderevent
  (order_id, kind, status, payment_status, note, details, is_internal, created_at)
SELECT id, 'status', 'pending', 'pending', '', '', false, created_at FROM shop_order;
INSERT INTO shop_stockmovement (product_id, kind, delta, balance_after, reason, created_at)
SELECT id, 'initial', stock, stock, '', created_at FROM shop_product;
INSERT INTO shop_stockmovement
  (product_id, order_id, kind, delta, balance_after, reason, created_at)
SELECT product_id, order_id, 'sale', -quantity, {stock}, '', o.created_at
FROM shop_orderitem JOIN shop_order o ON o.id = order_id
"""


class Shop:
    """This project. Each call reads the session and the user from the database."""

    name, alias, wsgi = "shop", "default", "settings.wsgi"
    folder, python = HERE.parents[1], sys.executable
    product_table, user_table, cart_table = "shop_product", "shop_user", "shop_cartitem"
    cart_columns, cart_times = (
        "id, user_id, product_id, quantity, created_at",
        ", CURRENT_TIMESTAMP",
    )

    def __init__(self, products, users, orders):
        self.products, self.users, self.orders = products, users, orders
        self.environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONWARNINGS": "ignore"}
        self.environment |= {"PYTHONDONTWRITEBYTECODE": "1"}

    def fill(self):
        """Create all rows, and set `tokens`: one per customer, from user 2."""
        call_command("migrate", verbosity=0)
        with transaction.atomic():
            self.create_products()
            self.create_users()
            self.create_orders()
        customers = User.objects.filter(pk__gt=1).order_by("pk")
        password_hash = customers[0].get_session_auth_hash()
        expires_at = timezone.now() + timedelta(days=30)
        sessions = [
            Session(id=uuid.uuid4(), user=user, password_hash=password_hash, expires_at=expires_at)
            for user in customers
        ]
        self.tokens = [
            tokens.sign_token(session, "access")
            for session in Session.objects.bulk_create(sessions, 2000)
        ]
        self.analyze()

    def create_products(self):
        rng = random.Random(1)
        step = timedelta(days=700) / self.products
        rows = []
        for n in range(1, self.products + 1):
            words = f"{rng.choice(ADJECTIVES)} {rng.choice(MATERIALS)} {rng.choice(NOUNS)}"
            name = f"{words} {n:06d}".capitalize()
            text = SENTENCE * rng.randint(2, 5)
            row = Product(
                name=name,
                sku=f"SKU-{n}",
                description=text,
                price=Decimal(rng.randint(100, 50000)) / 100,
            )
            row.stock, row.created_at = STOCK, START + step * n
            row.image = "" if n % 3 else f"products/{n}.jpg"
            rows.append(row)
        created_at = Product._meta.get_field("created_at")
        created_at.auto_now_add = False
        Product.objects.bulk_create(rows, batch_size=2000)
        created_at.auto_now_add = True

    def create_users(self):
        password = make_password("correct-horse-7")
        User.objects.bulk_create(
            [
                User(
                    email=f"user{n}@example.com",
                    password=password,
                    first_name=f"First{n}",
                    last_name=f"Last{n}",
                    phone=f"+100000{n:05d}",
                    role="admin" if n == 1 else "customer",
                    is_superuser=n == 1,
                )
                for n in range(1, self.users + 1)
            ],
            batch_size=2000,
        )

    def create_orders(self):
        statuses = ["delivered"] * 7 + ["shipped", "confirmed", "pending"]
        step = timedelta(days=730) / self.orders
        rows = []
        for n in range(1, self.orders + 1):
            number, status = f"{n:08d}", statuses[n % 10] if n % 20 else "cancelled"
            row = Order(
                order_number=f"{number[:4]}-{number[4:]}",
                user_id=2 + n * 7 % (self.users - 1),
                status=status,
            )
            row.shipping_address, row.total_amount = "12 Long Street, Springfield", 0
            row.created_at = row.updated_at = START + step * n
            rows.append(row)
        Order.objects.bulk_create(rows, batch_size=2000)
        self.execute(*FILL_ORDERS.format(products=self.products, stock=STOCK).split(";"))

    def execute(self, *statements):
        with connections[self.alias].cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def analyze(self):
        self.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")

    def fill_carts(self, first, last, items, *, same_products=False):
        """Empty all carts, and put `items` products into those of the users `first` to `last`."""
        offset = 0 if same_products else "id * 13"
        rows = (
            f"SELECT 10000000 + id * 100 + {k}, id, 1 + ({offset} + {k} * 101) % {self.products},"
            f" {1 + k % 3}{self.cart_times}"
            f" FROM {self.user_table} WHERE id BETWEEN {first} AND {last}"
            for k in range(items)
        )
        self.execute(f"DELETE FROM {self.cart_table}")
        if items:
            selects = " UNION ALL ".join(rows)
            self.execute(f"INSERT INTO {self.cart_table} ({self.cart_columns}) {selects}")

    def units_sold(self, items):
        """Return the negative stock of the products that all carts have; compare two results."""
        keys = ", ".join(str(1 + k * 101 % self.products) for k in range(items))
        sql = f"SELECT sum(stock) FROM {self.product_table} WHERE id IN ({keys})"
        return -self.execute(sql)[0][0]

    def newest_order(self):
        return Order.objects.order_by("pk").last().pk

    def delete_orders_after(self, newest):
        """Delete all orders with a higher key, so that the next ones get the same keys again."""
        tables = ("shop_outboxmessage", "shop_stockmovement", "shop_orderitem", "shop_orderevent")
        self.execute(*(f"DELETE FROM {table} WHERE order_id > {newest}" for table in tables))
        self.execute(
            f"DELETE FROM shop_order WHERE id > {newest}", "DELETE FROM shop_idempotencykey"
        )
        resets = connection.ops.sequence_reset_sql(no_style(), [Order, IdempotencyKey])
        if connection.vendor == "sqlite":
            tables = "'shop_order', 'shop_idempotencykey'"
            resets = [f"UPDATE sqlite_sequence SET seq = 0 WHERE name IN ({tables})"]
        self.execute(*resets)

    def start(self):
        """Start a `wsgi_worker` process."""
        command = [self.python, str(HERE / "wsgi_worker.py"), self.wsgi]
        self.worker = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def send(self, command):
        """Return the worker's result of a command: a list of requests, "replay" or "memory"."""
        print(json.dumps(command), file=self.worker.stdin, flush=True)
        return json.loads(self.worker.stdout.readline())

    def stop(self):
        self.worker.stdin.close()
        self.worker.wait(10)


class Peer(Shop):
    """The shop in Django REST framework, in its own virtual environment."""

    name, alias, wsgi = "drf", "drf", "config.wsgi"
    folder = HERE.parents[2] / "shared/peers/drf"
    home = HERE.parents[1] / ".drf"
    python = str(home / "bin/python")
    product_table, user_table, cart_table = "products_product", "users_user", "cart_cartitem"
    cart_columns, cart_times = "id, user_id, product_id, quantity", ""

    def __init__(self, products, users, orders, url):
        super().__init__(products, users, orders)
        self.folder = self.folder.resolve()
        self.environment |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
        self.environment["PYTHONPATH"] = str(self.folder)

    def fill(self):
        if not Path(self.python).exists():
            print("Creating the other shop's environment in .drf …", flush=True)
            subprocess.run([sys.executable, "-m", "venv", str(self.home)], check=True)
            requirements = str(self.folder / "requirements.txt")
            subprocess.run([self.python, *"-m pip install -q -r".split(), requirements], check=True)
        sizes = f"--products {self.products} --users {self.users} --orders {self.orders}"
        self.run_python("seed.py", *sizes.split(), "--lines", str(ITEMS))
        self.tokens = json.loads(self.run_python("-c", PRINT_TOKENS))
        self.analyze()

    def run_python(self, *arguments):
        run = subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return run.stdout


PRINT_TOKENS = """
import django, json
django.setup()
from rest_framework_simplejwt.tokens import AccessToken
from users.models import User
users = User.objects.filter(pk__gt=1).order_by("pk")
print(json.dumps([str(AccessToken.for_user(user)) for user in users]))
"""
