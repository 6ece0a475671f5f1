import shop.models.catalogue
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0008_deep_pages")]

    operations = [
        # New pictures lie elsewhere; the column is what it was, and SQLite need not write the table anew.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "product",
                    "image",
                    shop.models.catalogue.PictureField(blank=True, upload_to="products", verbose_name="picture"),
                )
            ]
        )
    ]
