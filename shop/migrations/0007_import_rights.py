from django.contrib.auth.management import create_permissions
from django.db import migrations

#: Those who change products may bring them as a file; applying one needs that right too.
RIGHTS = ["view_import", "add_import"]
GROUPS = ["Owner", "Catalogue"]


def give_rights(apps, schema_editor):
    """As in 0004: see to the permissions first, which Django makes only after all migrations."""
    shop = apps.get_app_config("shop")
    shop.models_module = getattr(shop, "models_module", True)
    create_permissions(shop, verbosity=0, apps=apps)
    Permission = apps.get_model("auth", "Permission")
    wanted = Permission.objects.filter(content_type__app_label="shop", codename__in=RIGHTS)
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        group.permissions.add(*wanted)


class Migration(migrations.Migration):

    dependencies = [("shop", "0006_imports")]

    operations = [migrations.RunPython(give_rights, migrations.RunPython.noop)]
