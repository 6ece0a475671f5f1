from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import F, OuterRef, Subquery

#: Group -> permissions on orders beside Django's own. Groups that an owner has made get none.
GRANTS = {
    "Owner": {
        "order": ["fulfil_order", "edit_order", "refund_order", "export_order", "view_revenue"],
        "carrier": ["view_carrier", "add_carrier", "change_carrier", "delete_carrier"],
        "invoice": ["view_invoice"],
        "payment": ["view_payment"],
    },
    "Fulfilment": {
        "order": ["fulfil_order", "edit_order"],
        "carrier": ["view_carrier"],
        "invoice": ["view_invoice"],
        "payment": ["view_payment"],
    },
    "Viewer": {
        "order": ["view_revenue"],
        "carrier": ["view_carrier"],
        "invoice": ["view_invoice"],
        "payment": ["view_payment"],
    },
}

#: Name -> link to a parcel.
CARRIERS = {
    "Canada Post": "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={number}",
    "Colissimo": "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
    "DHL": "https://www.dhl.com/en/express/tracking.html?AWB={number}",
    "DPD": "https://tracking.dpd.de/status/en_US/parcel/{number}",
    "Evri": "https://www.evri.com/track/parcel/{number}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={number}",
    "GLS": "https://gls-group.com/track/{number}",
    "Hermes": "https://www.myhermes.de/empfangen/sendungsverfolgung/sendungsinformation#{number}",
    "PostNL": "https://postnl.nl/tracktrace/?B={number}",
    "Royal Mail": "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
    "UPS": "https://www.ups.com/track?tracknum={number}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
}


def grant_permissions(apps, schema_editor):
    """Grant the new permissions to the predefined groups that are still there."""
    shop = apps.get_app_config("shop")
    shop.models_module = getattr(shop, "models_module", True)
    create_permissions(shop, verbosity=0, apps=apps)
    Permission = apps.get_model("auth", "Permission")
    permissions = Permission.objects.filter(content_type__app_label="shop")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GRANTS):
        codenames = [code for codes in GRANTS[group.name].values() for code in codes]
        group.permissions.add(*permissions.filter(codename__in=codenames))


def make_carriers(apps, schema_editor):
    """Create carriers with the links that they use."""
    Carrier = apps.get_model("shop", "Carrier")
    Carrier.objects.bulk_create(
        [Carrier(name=name, tracking_url=url) for name, url in CARRIERS.items()],
        ignore_conflicts=True,
    )


def fill_amounts(apps, schema_editor):
    """Say of each order what was paid and paid back, as its payment status does, and when it left.

    A cancelled order that was never paid is no longer "not yet paid".
    """
    Order, Payment, OrderEvent = (
        apps.get_model("shop", name) for name in ("Order", "Payment", "OrderEvent")
    )
    orders = Order.objects.order_by()
    orders.filter(status="cancelled").update(credited_amount=F("total_amount"))
    orders.filter(payment_status__in=["paid", "refunded"]).update(paid_amount=F("total_amount"))
    orders.filter(payment_status="refunded").update(refunded_amount=F("total_amount"))
    orders.filter(status="cancelled", payment_status="pending").update(payment_status="voided")
    shipped = OrderEvent.objects.filter(order=OuterRef("pk"), kind="status", status="shipped")
    orders.filter(events__kind="status", events__status="shipped").update(
        shipped_at=Subquery(shipped.order_by("id").values("created_at")[:1])
    )
    for kind, column in (("payment", "paid_amount"), ("refund", "refunded_amount")):
        schema_editor.execute(
            f"INSERT INTO {Payment._meta.db_table}"
            " (order_id, kind, amount, credited_amount, reference, reason, created_at)"
            f" SELECT id, '{kind}', {column}, 0, '', '', updated_at"
            f" FROM {Order._meta.db_table} AS o WHERE {column} > 0 AND NOT EXISTS (SELECT 1"
            f" FROM {Payment._meta.db_table} WHERE order_id = o.id AND kind = '{kind}') ORDER BY id"
        )


class Migration(migrations.Migration):

    dependencies = [("shop", "0008_orders_put_right")]

    operations = [
        migrations.RunPython(grant_permissions, migrations.RunPython.noop),
        migrations.RunPython(make_carriers, migrations.RunPython.noop),
        migrations.RunPython(fill_amounts, migrations.RunPython.noop),
    ]
