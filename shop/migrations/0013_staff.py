"""Grant the right to move stock."""

from django.contrib.auth.management import create_permissions
from django.db import migrations
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
        ("shop", "0010_order_search"),
    ]

    operations = [
        migrations.AlterModelOptions(
            "product",
            {
                "ordering": ("-created_at", "-id"),
                "permissions": (("manage_stock", "Can receive, count and adjust stock"),),
            },
        ),
        migrations.RunPython(grant_stock_permission, migrations.RunPython.noop),
    ]
