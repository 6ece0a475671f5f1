from django.db import migrations, models


def leave_room(apps, schema_editor):
    """Room on each page, so that PostgreSQL writes a row's new stock beside the old and touches no index."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE shop_product SET (fillfactor = 85)")


class Migration(migrations.Migration):
    dependencies = [("shop", "0005_imports")]

    operations = [
        migrations.RunPython(leave_room, migrations.RunPython.noop),
        migrations.RemoveIndex("product", "product_low_stock"),
        migrations.AddField(
            "product",
            "is_low",
            models.GeneratedField(
                db_persist=True,
                expression=models.Q(stock__lte=models.F("low_stock_threshold")),
                help_text="Whether staff should think of more.",
                output_field=models.BooleanField(),
                verbose_name="low",
            ),
        ),
        migrations.AddIndex(
            "product", models.Index(condition=models.Q(is_low=True), fields=["id"], name="product_low_stock")
        ),
    ]
