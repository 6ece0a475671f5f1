from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0007_ready_groups")]

    operations = [
        migrations.RemoveIndex("product", "product_newest"),
        migrations.AddIndex("product", models.Index(fields=["created_at", "id", "is_active"], name="product_pages")),
    ]
