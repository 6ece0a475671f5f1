"""Add what ends sessions, and client and device of sign-ins to the audit log."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def delete_entries_without_actor(apps, schema_editor):
    """Delete what the older table can't hold, when the migration is undone."""
    apps.get_model("shop", "AuditEntry").objects.filter(actor=None).delete()


class Migration(migrations.Migration):
    dependencies = [("shop", "0005_search_text")]

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
            "successor_used",
            models.BooleanField(
                default=True, editable=False, verbose_name="new tokens used"
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
                    ("password_reset", "Set a new password by email"),
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
        migrations.AddField(
            "auditentry",
            "client_ip",
            models.CharField("client IP", blank=True, default="", max_length=45),
            preserve_default=False,
        ),
        migrations.AddField(
            "auditentry",
            "device",
            models.CharField("device", blank=True, default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AddIndex(
            "auditentry",
            models.Index(
                fields=["created_at"],
                condition=models.Q(
                    action__in=(
                        "signed_in", "sign_in_failed", "wrong_code", "locked_out", "password_reset"
                    )
                ),
                name="audit_sign_ins",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_entries_without_actor),
    ]
