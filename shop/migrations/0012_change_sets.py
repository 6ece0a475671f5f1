"""Imports become change sets, of which product files are one kind."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

from shop.db.text_folding import NAME_COLLATION

#: Old and new name of a model, and what its permissions call it.
RENAMED = (
    ("productimport", "import", "changeset", "bulk change"),
    ("importrow", "import row", "changerow", "change row"),
)
ACTIONS = ("add", "change", "delete", "view")
#: Group -> permissions. Of those that import files, and of those that receive and count stock.
GRANTS = {
    "Owner": ["view_changeset", "add_changeset"],
    "Catalogue": ["view_changeset", "add_changeset"],
    "Fulfilment": ["view_changeset"],
}


def rename_references(apps, schema_editor):
    """Rename the models where rows name them: in permissions and in the audit log.

    Django renames permissions after the last migration; those that `grant_permissions` creates
    would be in its way.
    """
    for old, _old_label, new, label in RENAMED:
        _rename(apps, old, new, label)


def restore_references(apps, schema_editor):
    """Undo `rename_references`."""
    for old, label, new, _new_label in RENAMED:
        _rename(apps, new, old, label)


def _rename(apps, old, new, label):
    permissions = apps.get_model("auth", "Permission").objects
    for action in ACTIONS:
        code = {"content_type__app_label": "shop", "codename": f"{action}_{old}"}
        permissions.filter(**code).update(
            codename=f"{action}_{new}", name=f"Can {action} {label}"
        )
    entries = apps.get_model("shop", "AuditEntry").objects
    entries.filter(model_name=old).update(model_name=new)


def grant_permissions(apps, schema_editor):
    """Grant the permissions to the predefined groups that are still there."""
    shop = apps.get_app_config("shop")
    shop.models_module = getattr(shop, "models_module", True)
    create_permissions(shop, verbosity=0, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="shop"
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GRANTS):
        group.permissions.add(*permissions.filter(codename__in=GRANTS[group.name]))


class Migration(migrations.Migration):

    dependencies = [
        ("shop", "0011_barcode"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Renaming a field leaves the names of its index as they were.
        migrations.RemoveIndex("importrow", "importrow_by_status"),
        migrations.RenameModel("ProductImport", "ChangeSet"),
        migrations.RenameModel("ImportRow", "ChangeRow"),
        migrations.RenameField("importfile", "product_import", "change_set"),
        migrations.RenameField("changerow", "product_import", "change_set"),
        migrations.RenameField("stockmovement", "product_import", "change_set"),
        migrations.AddIndex(
            "changerow",
            models.Index(fields=["change_set", "status", "number"], name="changerow_by_status"),
        ),
        migrations.AlterModelOptions(
            "changeset",
            {
                "ordering": ("-id",),
                "verbose_name": "bulk change",
                "verbose_name_plural": "bulk changes",
            },
        ),
        migrations.AddField(
            "changeset",
            "kind",
            models.CharField(
                "kind",
                choices=[
                    ("file", "Product file"),
                    ("prices", "Price change"),
                    ("receipt", "Goods received"),
                    ("count", "Stock count"),
                    ("edit", "Edited in a table"),
                    ("visibility", "Published or archived"),
                ],
                default="file",
                max_length=10,
            ),
        ),
        migrations.AddField(
            "changeset", "supplier", models.CharField("supplier", blank=True, max_length=100)
        ),
        migrations.AddField(
            "changeset",
            "delivery_note",
            models.CharField("delivery note", blank=True, max_length=100),
        ),
        migrations.AlterField(
            "changeset",
            "actor",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AlterField(
            "changeset",
            "name",
            models.CharField("name", db_collation=NAME_COLLATION, max_length=200),
        ),
        migrations.AlterField(
            "changeset",
            "created_at",
            models.DateTimeField("date", default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            "stockmovement",
            "change_set",
            models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="movements",
                to="shop.changeset",
                verbose_name="bulk change",
            ),
        ),
        migrations.AlterField(
            "stockmovement",
            "kind",
            models.CharField(
                "kind",
                choices=[
                    ("initial", "First stock"),
                    ("sale", "Sale"),
                    ("cancellation", "Cancellation"),
                    ("received", "Received"),
                    ("returned", "Returned"),
                    ("damaged", "Damaged or lost"),
                    ("order_edit", "Order edited"),
                    ("counted", "Counted"),
                    ("correction", "Correction"),
                    ("import", "Import"),
                    ("undone", "Bulk change undone"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            "auditentry",
            "change_set",
            models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="shop.changeset",
                verbose_name="bulk change",
            ),
        ),
        migrations.RunPython(rename_references, restore_references),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop),
    ]
