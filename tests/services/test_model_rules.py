"""A rule in a model's `clean()` holds wherever its fields are written, at the field it names."""

import pytest
from django.core.exceptions import ValidationError
from support import factories, world

from shop.models import Order, User
from shop.services import accounts
from shop.services.order_details import change_order_details
from shop.services.order_moves import move_order
from shop.services.orders import place_order
from shop.services.phone_orders import place_phone_order
from shop.services.shipments import Shipment

WHERE = {"shipping_address": "1 Elm Street"}
PERSON = {"email": "nora@example.com", "first_name": "Nora", "last_name": "New"}


@pytest.fixture
def refuse(monkeypatch):
    """`refuse(User, "phone", call)`: the call raises the model's error at this field."""

    def refuse(model, field, call):
        def clean(record):
            assert record.pk or model is User or record.total_amount
            raise ValidationError({field: ValidationError("No.", code="rule")})

        before = factories.all_rows()
        with monkeypatch.context() as patch:
            patch.setattr(model, "clean", clean)
            with pytest.raises(ValidationError) as raised:
                call()
        assert factories.all_rows() == before
        assert [(name, e.code) for name, es in raised.value.error_dict.items() for e in es] == [
            (field, "rule")
        ]

    return refuse


def test_the_rules_of_an_order_hold_at_every_door(refuse, carl, ada, mug):
    factories.add_to_cart(carl, (mug, 1))
    refuse(Order, "note", lambda: place_order(user=carl, **WHERE))
    lines = {mug.pk: 1}
    refuse(Order, "note", lambda: place_phone_order(customer=carl, lines=lines, actor=ada, **WHERE))
    order = world.move_along(place_order(user=carl, **WHERE).order, "confirmed", by=ada)
    change = {"order_id": order.pk, "actor": ada}
    refuse(Order, "note", lambda: change_order_details(**change, changes={"note": "Ring"}))


def test_the_rules_of_an_order_hold_for_a_shipment(refuse, carl, ada, mug):
    order = world.create_order(carl, (mug, 1))
    Order.objects.update(status=Order.Status.path_to("shipped")[-2])
    ship = {"order_id": order.pk, "to": "shipped", "actor": ada, "by_staff": True}
    refuse(Order, "carrier", lambda: move_order(**ship, shipment=Shipment("DHL", "1")))


def test_an_older_order_that_breaks_a_newer_rule_is_still_moved(carl, ada, mug):
    order = world.create_order(carl, (mug, 1))
    Order.objects.update(shipping_address="x" * 1001)
    assert world.move_along(order, "delivered", by=ada).carrier == "Royal Mail"


def test_the_rules_of_a_user_hold_at_every_door(refuse, carl, ada):
    refuse(User, "phone", lambda: accounts.register(**PERSON, password="correct-horse-8"))
    refuse(User, "phone", lambda: accounts.add_customer(actor=ada, **PERSON))
    refuse(User, "phone", lambda: accounts.update_profile(user=carl, changes={"phone": "1"}))


def test_details_are_changed_once_and_audited(carl, ada, mug, statements):
    order = world.create_order(carl, (mug, 1))
    changed = change_order_details(order_id=order.pk, actor=ada, changes={"note": " Ring "})
    assert (changed.note, changed.updated_at > order.updated_at) == ("Ring", True)
    with statements(1):  # the lock; nothing is left to change
        change_order_details(order_id=order.pk, actor=ada, changes={"note": "Ring"})
