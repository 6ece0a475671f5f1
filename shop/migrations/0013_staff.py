"""Grant the right to move stock, and let sessions of browsers say who, where and since when.

Browsers are signed out once, since their sessions were in another table.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.models import Q

#: The group that gets the right to move stock without the one to change products.
PACKERS = "Fulfilment"


def grant_stock_permission(apps, schema_editor):
    """Grant it to all who could move stock by their right to change products, and to packers."""
    shop = apps.get_app_config("shop")
    shop.models_module = getattr(shop, "models_module", True)
    create_permissions(shop, verbosity=0, apps=apps)
    Permission, Group = (apps.get_model("auth", name) for name in ("Permission", "Group"))
    of_shop = Permission.objects.filter(content_type__app_label="shop")
    manage, change = of_shop.get(codename="manage_stock"), of_shop.get(codename="change_product")
    manage.group_set.add(*Group.objects.filter(Q(permissions=change) | Q(name=PACKERS)))
    manage.user_set.add(*apps.get_model("shop", "User").objects.filter(user_permissions=change))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("shop", "0012_change_sets"),
    ]

    operations = [
        migrations.AlterModelOptions(
            "product",
            {
                "ordering": ("-created_at", "-id"),
                "permissions": (("manage_stock", "Can receive, count and adjust stock"),),
            },
        ),
        migrations.CreateModel(
            "BrowserSession",
            [
                (
                    "session_key",
                    models.CharField(
                        "session key", max_length=40, primary_key=True, serialize=False
                    ),
                ),
                ("session_data", models.TextField("session data")),
                ("expire_date", models.DateTimeField("expire date", db_index=True)),
                (
                    "user",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL,
                        django.db.models.deletion.CASCADE,
                        null=True,
                        related_name="browser_sessions",
                        verbose_name="user",
                    ),
                ),
                ("client_ip", models.CharField("client IP", blank=True, max_length=45)),
                ("device", models.CharField("device", blank=True, max_length=200)),
                (
                    "created_at",
                    models.DateTimeField("signed in", default=django.utils.timezone.now),
                ),
                ("used_at", models.DateTimeField("last used", default=django.utils.timezone.now)),
            ],
            {
                "verbose_name": "browser session",
                "verbose_name_plural": "browser sessions",
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            "session",
            "client_ip",
            models.CharField("client IP", blank=True, editable=False, max_length=45),
        ),
        migrations.AlterField(
            "user",
            "is_superuser",
            models.BooleanField(
                "full access",
                default=False,
                help_text="For owners of the shop: they may do everything, also invite colleagues"
                " and say what these may do.",
            ),
        ),
        migrations.AlterConstraint(
            "user",
            "user_superuser_is_admin",
            models.CheckConstraint(
                condition=Q(("is_superuser", False), ("role", "admin"), _connector="OR"),
                name="user_superuser_is_admin",
                violation_error_message="Only staff can have full access.",
            ),
        ),
        migrations.RunPython(grant_stock_permission, migrations.RunPython.noop),
    ]
