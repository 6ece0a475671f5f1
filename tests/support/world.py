"""A shop in the middle of its day: at least one row of everything that the back office shows."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import Group, Permission
from django_otp.plugins.otp_totp.models import TOTPDevice

from shop.models import IdempotencyKey, ProductImport, SavedView
from shop.product_files.imports import apply, preview
from shop.services import accounts
from shop.services.orders import Shipment, add_note, mark_paid, move_order, place_order
from shop.services.stock import Kind, adjust_stock
from support import factories

WAY = ("confirmed", "shipped", "delivered")
ADDRESS = "1 Fern Lane\nKew\nLondon TW9 3AB"


def create_order(buyer, *lines, days_ago=0, **about):
    """An order as its customer places it."""
    factories.add_to_cart(buyer, *lines)
    placed = place_order(user=buyer, shipping_address=ADDRESS, **about).order
    placed.created_at -= timedelta(days=days_ago)
    placed.save()
    return placed


def move_along(placed, *way, by):
    """The same order, moved along by staff."""
    for to in way:
        shipment = Shipment("Royal Mail", "RM 1234 5678") if to == "shipped" else Shipment()
        move_order(order_id=placed.pk, to=to, actor=by, by_staff=True, shipment=shipment)
    placed.refresh_from_db()
    return placed


def create_world(ada, carl, dora):
    """Eight orders in every status, of today, of last week and before, and what else there is to see."""
    mug = factories.create_product(
        "Mug, stone blue", price="12.50", stock=40, sku="MUG-1", description="Holds tea."
    )
    lamp = factories.create_product("Lamp", price="49.90", stock=9, sku="LAMP-1")
    factories.create_product("Basket", price="30.00", stock=0, sku="BASKET-1", is_active=False)
    made = [
        create_order(carl, (mug, 2), (lamp, 1), note="Please ring twice."),
        create_order(dora, (mug, 1)),
        move_along(create_order(carl, (lamp, 1), payment_method="bank_transfer"), *WAY[:1], by=ada),
        move_along(create_order(dora, (mug, 3), (lamp, 1), days_ago=1), *WAY[:2], by=ada),
        move_along(create_order(carl, (mug, 4), days_ago=3), *WAY, by=ada),
        move_along(create_order(dora, (lamp, 2), days_ago=5), "cancelled", by=ada),
        move_along(create_order(carl, (mug, 5), days_ago=9), *WAY, by=ada),
        move_along(create_order(dora, (mug, 6), days_ago=40), *WAY, by=ada),
    ]
    mark_paid(order_id=made[2].pk, actor=ada)
    add_note(order_id=made[0].pk, actor=ada, note="Called, rings at noon.", is_internal=True)
    adjust_stock(
        product_id=mug.pk, delta=-1, kind=Kind.DAMAGED, actor=ada, reason="Fell off the shelf"
    )
    factories.add_to_cart(carl, (mug, 1))
    accounts._open_session(carl, "Carl's telephone")
    factories.create_user("Finn", "Former")  # who has not ordered anything
    TOTPDevice.objects.create(
        user=factories.create_user("Tess", "Telephone", role="admin"), name="telephone"
    )
    IdempotencyKey.objects.create(user=carl, key="first-order", fingerprint="0" * 64, answer="{}")
    create_imports(ada)
    late = {
        "name": "Waiting",
        "screen": "order",
        "query": "status__exact=pending",
        "is_shared": True,
    }
    SavedView.objects.create(owner=ada, **late)
    packing = Group.objects.create(name="Packing")
    packing.permissions.set(Permission.objects.filter(codename__in=["view_order", "change_order"]))
    return made


SEEN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
FILE = "SKU,name,price,stok\nMUG-1,Mug,13.00,2\nVASE-1,Vase,30,4\nBAD-1,Bad,cheap,1\n"


def create_imports(ada):
    """A file that was looked at, one that was applied, one that no worker took up, and no file at all."""
    for name in ("spring.csv", "winter.csv"):
        file = preview.store_upload(
            actor=ada, name=name, content=FILE.replace("VASE", name).encode()
        )
        preview.preview_import(file)
    apply.apply_import(file.pk, actor=ada, good_only=True)
    ProductImport.objects.filter(name="spring.csv").update(checked_at=SEEN)
    pending = {"step": "preview", "actor": ada.pk, "good_only": False, "at": SEEN.isoformat()}
    waiting = preview.store_upload(actor=ada, name="summer.csv", content=FILE.encode())
    ProductImport.objects.filter(pk=waiting.pk).update(pending_step=pending)
    preview.preview_import(
        preview.store_upload(actor=ada, name="photo.csv", content=bytes(range(256)) * 9)
    )


def create_more_orders(carl):
    """Enough orders and products to fill a list."""
    for number in range(20):
        item = factories.create_product(
            f"Plate number {number}", price="8.00", stock=number + 1, sku=f"PLATE-{number}"
        )
        create_order(carl, (item, 1))
