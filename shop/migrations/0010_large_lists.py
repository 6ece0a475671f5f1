from django.conf import settings
from django.db import migrations, models


def take_time(apps, schema_editor):
    """The indexes of a large shop take longer than a request may."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL statement_timeout = 0")


def unindexed(model, field, to, on_delete, **options):
    """The index of a foreign key with whose column another index begins: each row paid for both."""
    key = models.ForeignKey(db_index=False, on_delete=on_delete, to=to, **options)
    return migrations.AlterField(model, field, key)


class Migration(migrations.Migration):
    dependencies = [("shop", "0009_pictures_by_content")]

    operations = [
        migrations.RunPython(take_time, migrations.RunPython.noop),
        unindexed("cartitem", "user", settings.AUTH_USER_MODEL, models.CASCADE, related_name="cart"),
        unindexed("idempotencykey", "user", settings.AUTH_USER_MODEL, models.CASCADE, related_name="+"),
        unindexed(
            "order", "user", settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders", verbose_name="customer"
        ),
        unindexed("orderitem", "order", "shop.order", models.CASCADE, related_name="items"),
        unindexed("session", "user", settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions"),
        unindexed(
            "stockmovement", "order", "shop.order", models.PROTECT, related_name="movements", blank=True, null=True
        ),
        unindexed("stockmovement", "product", "shop.product", models.PROTECT, related_name="movements"),
        migrations.AddIndex(
            "order", models.Index(fields=["payment_status", "-created_at", "-id"], name="order_by_payment")
        ),
        migrations.AddIndex("order", models.Index(fields=["total_amount", "id"], name="order_by_total")),
        migrations.AddIndex("orderevent", models.Index(fields=["kind", "-id"], name="event_of_kind")),
        migrations.AddIndex("stockmovement", models.Index(fields=["kind", "-id"], name="movement_of_kind")),
    ]
