"""A shop with at least one row of everything that the admin shows."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from shop.models import Carrier, ChangeSet, IdempotencyKey, OutboxMessage, SavedView
from shop.models.order_status import OrderStatus
from shop.product_files.imports import preview
from shop.services import sessions
from shop.services.change_sets import apply
from shop.services.invoices import issue_invoices
from shop.services.order_moves import move_order
from shop.services.order_notes import add_note
from shop.services.order_payments import mark_paid
from shop.services.orders import place_order
from shop.services.shipments import Shipment
from shop.services.stock import Kind, adjust_stock
from support import factories, further_models

ADDRESS = "1 Fern Lane\nKew\nLondon TW9 3AB"
#: Statuses on the usual way of an order, which `create_world` has orders of beside all others.
USUAL_STATUSES = ("pending", "confirmed", "shipped", "delivered", "cancelled")


def create_order(buyer, *items, days_ago=0, **values):
    """Place an order as its customer does. `items` are pairs of product and quantity."""
    factories.add_to_cart(buyer, *items)
    order = place_order(user=buyer, shipping_address=ADDRESS, **values).order
    order.created_at -= timedelta(days=days_ago)
    order.save()
    return order


def move_along(order, status, *, by):
    """Move a pending order to `status`, through all statuses on the way, and return it."""
    for to in OrderStatus.path_to(status):
        is_shipped = to == OrderStatus.SHIPPED
        shipment = Shipment("Royal Mail", "RM 1234 5678") if is_shipped else Shipment()
        move_order(order_id=order.pk, to=to, actor=by, by_staff=True, shipment=shipment)
    order.refresh_from_db()
    return order


def create_world(ada, carl, dora):
    """Create the shop and return its orders: in every status, of today and of days before."""
    mug = factories.create_product(
        "Mug, stone blue", price="12.50", stock=40, sku="MUG-1", description="Holds tea."
    )
    lamp = factories.create_product("Lamp", price="49.90", stock=9, sku="LAMP-1")
    factories.create_product("Basket", price="30.00", stock=0, sku="BASKET-1", is_active=False)
    Carrier.objects.get_or_create(name="DHL")  # which a test's flush deletes
    further_models.create_records()
    orders = _create_orders(ada, carl, dora, mug, lamp)
    mark_paid(order_id=orders[2].pk, actor=ada)
    issue_invoices(order_ids=[orders[4].pk], actor=ada)
    add_note(order_id=orders[0].pk, actor=ada, note="Called, rings at noon.", is_internal=True)
    adjust_stock(
        product_id=mug.pk, delta=-1, kind=Kind.DAMAGED, actor=ada, reason="Fell off the shelf"
    )
    _create_users_and_sessions(carl, mug)
    IdempotencyKey.objects.create(user=carl, key="first-order", fingerprint="0" * 64, answer="{}")
    _finish_messages(orders)
    create_imports(ada)
    SavedView.objects.create(
        owner=ada, name="Waiting", screen="order", query="status__exact=pending", is_shared=True
    )
    packing = Group.objects.create(name="Packing")
    packing.permissions.set(Permission.objects.filter(codename__in=["view_order", "change_order"]))
    return orders


def _create_orders(ada, carl, dora, mug, lamp):
    def moved(order, status):
        return move_along(order, status, by=ada)

    other_statuses = [status for status in OrderStatus if status not in USUAL_STATUSES]
    return [
        create_order(carl, (mug, 2), (lamp, 1), note="Please ring twice."),
        create_order(dora, (mug, 1)),
        moved(create_order(carl, (lamp, 1), payment_method="bank_transfer"), "confirmed"),
        moved(create_order(dora, (mug, 3), (lamp, 1), days_ago=1), "shipped"),
        moved(create_order(carl, (mug, 4), days_ago=3), "delivered"),
        moved(create_order(dora, (lamp, 2), days_ago=5), "cancelled"),
        moved(create_order(carl, (mug, 5), days_ago=9), "delivered"),
        moved(create_order(dora, (mug, 6), days_ago=40), "delivered"),
        *(moved(create_order(dora, (mug, 2)), status) for status in other_statuses),
    ]


def _finish_messages(orders):
    """Let the emails be sent, but for that of the first order, which fails."""
    messages = OutboxMessage.objects.all()
    messages.update(status="sent", attempts=1, sent_at=timezone.now())
    refusal = {"status": "failed", "sent_at": None, "error": "550 No such user"}
    messages.filter(order=orders[0]).update(**refusal)


def _create_users_and_sessions(carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    sessions.open_session(carl, "Carl's phone")
    factories.create_user("Finn", "Former")  # has no orders
    ines = factories.create_user("Ines", "Incoming", role="admin")
    ines.set_unusable_password()
    ines.save()
    tess = factories.create_user("Tess", "Twofactor", role="admin")
    TOTPDevice.objects.create(user=tess, name="authenticator app")


CHECKED_AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
IMPORT_FILE = "SKU,name,price,stok\nMUG-1,Mug,13.50,2\nVASE-1,Vase,30,4\nBAD-1,Bad,cheap,1\n"


def create_imports(ada):
    """Create an import in each state: previewed, applied, waiting for a worker, and failed."""
    for name in ("spring.csv", "winter.csv"):
        content = IMPORT_FILE.replace("VASE", name).encode()
        change_set = preview.store_upload(actor=ada, name=name, content=content)
        preview.preview_import(change_set)
    apply.apply_change_set(change_set.pk, actor=ada, good_only=True)
    ChangeSet.objects.filter(name="spring.csv").update(checked_at=CHECKED_AT)

    waiting = preview.store_upload(actor=ada, name="summer.csv", content=IMPORT_FILE.encode())
    pending = {"step": "preview", "actor": ada.pk, "good_only": False, "at": CHECKED_AT.isoformat()}
    ChangeSet.objects.filter(pk=waiting.pk).update(pending_step=pending)

    no_table = bytes(range(256)) * 9
    failed = preview.store_upload(actor=ada, name="photo.csv", content=no_table)
    preview.preview_import(failed)


def create_more_orders(carl):
    """Create 20 products and an order of each, enough to fill a list."""
    for number in range(20):
        plate = factories.create_product(
            f"Plate number {number}", price="8.00", stock=number + 1, sku=f"PLATE-{number}"
        )
        create_order(carl, (plate, 1))
