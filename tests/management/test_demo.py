import json
from collections import Counter

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import F

from shop.management import demo_shop
from shop.management.commands.demo import free_port
from shop.models import CartItem, Order, OrderEvent, Product, StockMovement, User
from shop.services.accounts import login
from shop.services.stock import find_drift


def demo(*options):
    call_command("demo", "--no-server", *options)


@pytest.fixture
def small(monkeypatch):
    """A demo of ten products without pictures and eight orders."""

    def data(name):
        rows = read(name)
        return [row | {"picture": None} for row in rows[:10]] if name == "products" else rows

    monkeypatch.setattr(demo_shop, "_data", data)
    monkeypatch.setattr(demo_shop, "ORDERS", 8)


def read(name):
    return json.loads((demo_shop.DATA / f"{name}.json").read_text())


def test_the_demo_is_a_shop_that_has_traded(db, capsys):
    demo()
    assert (Product.objects.count(), User.objects.filter(role="customer").count()) == (60, 12)
    assert Counter(Order.objects.values_list("status", flat=True)).keys() == set(
        Order.Status.values
    )
    assert Order.objects.count() == demo_shop.ORDERS
    assert Product.objects.exclude(image="").count() == sum(
        row["picture"] is not None for row in read("products")
    )
    wanted = {row["sku"]: row["stock"] for row in read("products")}
    assert dict(Product.objects.values_list("sku", "stock")) == wanted
    assert list(find_drift()) == []
    assert not OrderEvent.objects.filter(created_at__lt=F("order__created_at")).exists()
    for model in (OrderEvent, StockMovement):
        moments = list(model.objects.order_by("pk").values_list("created_at", flat=True))
        assert len(set(moments)) > demo_shop.ORDERS / 2
    sold = (
        StockMovement.objects.exclude(kind="initial")
        .order_by("pk")
        .values_list("created_at", flat=True)
    )
    assert list(sold) == sorted(sold)
    first, last = Order.objects.last().created_at, Order.objects.first().created_at
    assert demo_shop.DAYS * 0.8 < (last - first).days <= demo_shop.DAYS
    assert mail.outbox == []
    assert "150 orders" in capsys.readouterr().out


@pytest.mark.usefixtures("db", "small")
class TestSmallDemo:
    def test_its_people_can_sign_in_and_a_second_run_keeps_what_was_done(self, capsys):
        demo()
        for email in (demo_shop.ADMIN, read("customers")[0]["email"]):
            assert login(email=email, password=demo_shop.PASSWORD).user.email == email
        assert User.objects.get(email=demo_shop.ADMIN).is_superuser
        assert CartItem.objects.exists()
        Product.objects.update(price="1.00")
        demo()
        assert "keeping its data" in capsys.readouterr().out
        assert set(Product.objects.values_list("price", flat=True)) == {1}

    @pytest.mark.django_db(
        transaction=True
    )  # PostgreSQL empties no table that a transaction wrote to
    def test_fresh_starts_over(self):
        demo()
        Product.objects.update(price="1.00")
        demo("--fresh")
        assert Product.objects.filter(price=1).count() == 0
        assert (Product.objects.count(), Order.objects.count()) == (10, 8)

    @pytest.mark.parametrize("options", [(), ("--fresh",)])
    @pytest.mark.parametrize("email", ["carl@example.com", demo_shop.ADMIN])
    def test_a_real_shop_is_never_touched(self, carl, email, options):
        User.objects.update(email=email)
        with pytest.raises(CommandError, match="not the demo"):
            demo(*options)
        assert list(User.objects.all()) == [carl]
        assert Product.objects.count() == 0


def test_a_port_in_use_is_passed_over():
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert port < free_port(port) < port + 10
