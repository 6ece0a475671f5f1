"""Add whether the tokens of a session's last refresh were used."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_outbox")]

    operations = [
        migrations.AddField(
            model_name="session",
            name="successor_used",
            field=models.BooleanField(
                default=True, editable=False, verbose_name="new tokens used"
            ),
        ),
    ]
