from django.contrib.auth.management import create_permissions
from django.db import migrations

SEEN_BY_ALL = ["order", "orderitem", "orderevent", "product", "stockmovement", "cartitem", "user"]

#: Group -> model -> permitted actions. The right to delete a user is the right to erase personal data.
GROUPS = {
    "Owner": {
        "product": ["view", "add", "change", "delete"],
        "order": ["view", "add", "change"],
        "user": ["view", "add", "change", "delete"],
        "productimport": ["view", "add"],
        "session": ["view", "change"],
        **dict.fromkeys(
            ["stockmovement", "orderitem", "orderevent", "cartitem", "idempotencykey", "auditentry"], ["view"]
        ),
    },
    "Catalogue": {
        "product": ["view", "add", "change", "delete"],
        "productimport": ["view", "add"],
        "stockmovement": ["view"],
    },
    "Fulfilment": {
        "order": ["view", "add", "change"],
        "user": ["view", "add"],
        **dict.fromkeys(["orderitem", "orderevent", "product", "stockmovement", "cartitem"], ["view"]),
    },
    "Viewer": dict.fromkeys(SEEN_BY_ALL, ["view"]),
}


def make_groups(apps, schema_editor):
    """Create the default groups. Django creates permissions only after the last migration, so do it first."""
    shop = apps.get_app_config("shop")
    shop.models_module = getattr(shop, "models_module", True)
    create_permissions(shop, verbosity=0, apps=apps)
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for name, rights in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        wanted = [f"{action}_{model}" for model, actions in rights.items() for action in actions]
        group.permissions.add(
            *Permission.objects.filter(content_type__app_label="shop", codename__in=wanted)
        )


class Migration(migrations.Migration):

    dependencies = [
        ("shop", "0002_search_indexes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
