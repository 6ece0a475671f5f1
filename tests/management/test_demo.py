import json
import socket
from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from shop.management import demo_shop
from shop.management.commands.demo import drop_tables, find_free_port
from shop.models import (
    CartItem,
    Order,
    OrderEvent,
    OutboxMessage,
    Payment,
    Product,
    StockMovement,
    User,
)
from shop.models.order_status import OrderStatus
from shop.services.accounts import login
from shop.services.stock import find_drift


def run_demo(*options):
    call_command("demo", "--no-server", *options)


def read_data(name):
    return json.loads((demo_shop.DATA_FOLDER / f"{name}.json").read_text())


def times_of(movements):
    return list(movements.order_by("pk").values_list("created_at", flat=True))


@pytest.fixture
def small(monkeypatch):
    """A demo of ten products without pictures and eight orders."""

    def load_data(name):
        rows = read_data(name)
        return [row | {"picture": None} for row in rows[:10]] if name == "products" else rows

    monkeypatch.setattr(demo_shop, "_load_data", load_data)
    monkeypatch.setattr(demo_shop, "ORDERS", 8)


@pytest.fixture
def sold(monkeypatch):
    """`sold()`: the buyer, items and payment method of each planned sale."""

    def plan():
        rng = demo_shop.random.Random(1)
        now = demo_shop.timezone.now()
        sales = demo_shop._plan_sales(now, rng, buyers=12, products=60)
        return [(sale.buyer, sale.lines, sale.payment) for sale in sales]

    return plan


@pytest.mark.slow
def test_the_whole_demo_is_consistent(db, capsys):
    run_demo()
    assert (Product.objects.count(), User.objects.filter(role="customer").count()) == (60, 12)
    assert Order.objects.count() == demo_shop.ORDERS
    statuses = Counter(Order.objects.values_list("status", flat=True))
    assert statuses.keys() == set(Order.Status.values)
    products = read_data("products")
    with_picture = [row for row in products if row["picture"] is not None]
    assert Product.objects.exclude(image="").count() == len(with_picture)
    stocks = {row["sku"]: row["stock"] for row in products}
    assert dict(Product.objects.values_list("sku", "stock")) == stocks
    assert list(find_drift()) == []
    shipped = Order.objects.filter(shipped_at__isnull=False)
    assert not shipped.filter(tracking_url="").exists()
    assert not shipped.filter(shipped_at__lt=F("created_at")).exists()
    assert {"refund_due", "refunded"} <= set(Order.objects.values_list("payment_status", flat=True))
    assert not Payment.objects.filter(created_at__gt=timezone.now() - timedelta(minutes=5)).exists()
    assert OrderEvent.objects.filter(kind="returned").exists()
    assert not OrderEvent.objects.filter(created_at__lt=F("order__created_at")).exists()
    for model in (OrderEvent, StockMovement):
        assert len(set(times_of(model.objects))) > demo_shop.ORDERS / 2
    later = times_of(StockMovement.objects.exclude(kind="initial"))
    assert later == sorted(later)
    first, last = Order.objects.last().created_at, Order.objects.first().created_at
    assert demo_shop.DAYS * 0.8 < (last - first).days <= demo_shop.DAYS
    assert (mail.outbox, OutboxMessage.objects.count()) == ([], 0)
    assert f"{demo_shop.ORDERS} orders" in capsys.readouterr().out


@pytest.mark.parametrize(
    "make", [run_demo, lambda: run_demo("--fresh"), lambda: demo_shop.load(print)]
)
def test_the_demo_is_refused_outside_development(db, settings, make):
    settings.SHOP_DEVELOPMENT_COMMANDS = False
    with pytest.raises(CommandError, match="development"):
        make()
    assert not User.objects.exists()


@pytest.mark.parametrize("options", [[], ["--fresh"]])
def test_a_demo_that_exists_is_neither_used_nor_replaced(db, settings, monkeypatch, options):
    settings.SHOP_DEVELOPMENT_COMMANDS = False
    monkeypatch.setattr(demo_shop, "is_loaded", lambda: True)
    with pytest.raises(CommandError, match="development"):
        run_demo(*options)
    assert "shop_user" in connection.introspection.table_names()


@pytest.mark.usefixtures("db", "small")
def test_the_demo_pays_as_the_shop_offers(settings):
    settings.SHOP_PAYMENT_METHODS = ["bank_transfer"]
    run_demo()
    assert set(Order.objects.values_list("payment_method", flat=True)) == {"bank_transfer"}


def test_the_moves_of_orders_do_not_change_what_is_sold(sold, monkeypatch):
    before = sold()
    path = OrderStatus.path_to(OrderStatus.DELIVERED)
    monkeypatch.setattr(OrderStatus, "path_to", lambda _: [path[0], *path])
    assert sold() == before


@pytest.mark.usefixtures("db", "small")
class TestSmallDemo:
    def test_its_users_can_sign_in_and_a_second_run_keeps_the_data(self, capsys):
        run_demo()
        for email in (demo_shop.ADMIN, read_data("customers")[0]["email"]):
            session, _is_replay = login(email=email, password=demo_shop.PASSWORD)
            assert session.user.email == email
        assert User.objects.get(email=demo_shop.ADMIN).is_superuser
        assert CartItem.objects.exists()
        Product.objects.update(price="1.00")
        run_demo()
        assert "--fresh" in capsys.readouterr().out
        assert set(Product.objects.values_list("price", flat=True)) == {1}

    @pytest.mark.slow
    @pytest.mark.django_db(transaction=True)  # drops tables
    def test_fresh_starts_over(self):
        run_demo()
        Product.objects.update(price="1.00")
        run_demo("--fresh")
        assert Product.objects.filter(price=1).count() == 0
        assert (Product.objects.count(), Order.objects.count()) == (10, 8)

    @pytest.mark.parametrize("options", [(), ("--fresh",)])
    @pytest.mark.parametrize("email", ["carl@example.com", demo_shop.ADMIN])
    def test_a_real_shop_is_never_changed(self, carl, email, options):
        User.objects.update(email=email)
        with pytest.raises(CommandError, match="is not the demo"):
            run_demo(*options)
        assert list(User.objects.all()) == [carl]
        assert Product.objects.count() == 0


def make_schema_older():
    """Turn the tables into those of an older checkout: another migration, column and table."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'shop'")
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('shop', '0001_the_shop', CURRENT_TIMESTAMP)"
        )
        cursor.execute("CREATE TABLE shop_savedfilter (id integer PRIMARY KEY)")
        cursor.execute("ALTER TABLE shop_user RENAME COLUMN phone TO telephone")


@pytest.fixture
def _restore_schema(transactional_db):
    yield
    drop_tables()
    call_command("migrate", verbosity=0)


def unknown_tables():
    return {"shop_savedfilter"} & set(connection.introspection.table_names())


@pytest.mark.slow
@pytest.mark.usefixtures("db", "small")
def test_a_currency_without_cents_has_whole_prices(settings):
    settings.SHOP_CURRENCY = "JPY"
    run_demo()
    prices = Product.objects.values_list("price", flat=True)
    assert [price % 1 for price in prices] == [0] * 10


@pytest.mark.usefixtures("_restore_schema", "small")
class TestOlderSchema:
    def test_demo_without_fresh_is_refused(self):
        run_demo()
        make_schema_older()
        with pytest.raises(CommandError, match="demo --fresh"):
            run_demo()
        assert unknown_tables()

    def test_fresh_replaces_the_demo(self):
        run_demo()
        make_schema_older()
        run_demo("--fresh")
        assert unknown_tables() == set()
        assert (Product.objects.count(), Order.objects.count()) == (10, 8)
        assert User.objects.get(email=demo_shop.ADMIN).phone == ""

    @pytest.mark.parametrize("options", [(), ("--fresh",)])
    def test_other_shops_are_never_changed(self, carl, options):
        make_schema_older()
        with pytest.raises(CommandError, match="is not the demo"):
            run_demo(*options)
        assert list(User.objects.values_list("email", flat=True)) == [carl.email]
        assert unknown_tables()


def test_a_port_in_use_is_skipped():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert port < find_free_port(port) < port + 10
