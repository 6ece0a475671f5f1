import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0006_search_text")]

    operations = [
        migrations.AddField(
            "user",
            "session_version",
            models.PositiveIntegerField(
                default=0, editable=False, verbose_name="session version"
            ),
        ),
        migrations.AddField(
            "session",
            "is_verified",
            models.BooleanField(
                default=False, editable=False, verbose_name="opened with a code"
            ),
        ),
        migrations.AlterField(
            "auditentry",
            "action",
            models.CharField(
                choices=[
                    ("added", "Added"),
                    ("changed", "Changed"),
                    ("removed", "Removed"),
                    ("signed_in", "Signed in"),
                    ("sign_in_failed", "Wrong password"),
                    ("wrong_code", "Wrong two-factor code"),
                    ("locked_out", "Too many attempts"),
                ],
                default="changed",
                max_length=20,
                verbose_name="action",
            ),
        ),
        migrations.AlterField(
            "auditentry",
            "actor",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
    ]
