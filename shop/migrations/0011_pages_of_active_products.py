from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0010_large_lists")]

    operations = [
        migrations.AddIndex("product", models.Index(fields=["created_at", "id"], name="product_newest")),
        migrations.RemoveIndex("product", "product_pages"),
        migrations.AddIndex(
            "product",
            models.Index(
                fields=["created_at", "id", "is_active"], condition=models.Q(is_active=True), name="product_pages"
            ),
        ),
    ]
