"""Search users by their phone's digits, and name the periods of saved views."""

import logging
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import DatabaseError, migrations, models, transaction

import shop.money
from shop.db.phone_search import ContactTextField, PhoneDigits
from shop.db.search_text import FoldedText

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
INDEXES = ["CREATE INDEX shop_user_search ON shop_user USING gin (search_text gin_trgm_ops)"]
CONTACT = ("email", "first_name", "last_name", "phone")
#: What `days` was in the order list -> what `period` is now.
PERIODS = {"1": "today", "7": "last_7_days", "30": "last_30_days"}

#: Number of a column of the order list -> its number now, since items and town come third.
COLUMNS = {"3": "5", "4": "6", "5": "3", "6": "7", "7": "8"}


def allow_time(apps, schema_editor):
    """Let the next operations take their time: they write the whole table."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL statement_timeout = 0")


def add_indexes(apps, schema_editor):
    """Recreate the trigram index. Without `pg_trgm` everything works, only slower."""
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(EXTENSION)
        except DatabaseError as error:
            logging.getLogger(__name__).warning(
                "The extension pg_trgm could not be created, so searches in large tables are slow:"
                " %sOnce a superuser has created it, run:\n%s;",
                error,
                ";\n".join(INDEXES),
            )
            return
        for index in INDEXES:
            cursor.execute(index)


def name_periods(apps, schema_editor):
    """Rewrite `days=7` of saved views of orders as `period=last_7_days`."""
    _rewrite_queries(apps, "days", "period", PERIODS)


def number_periods(apps, schema_editor):
    _rewrite_queries(apps, "period", "days", {new: old for old, new in PERIODS.items()})


def _rewrite_queries(apps, old_name, new_name, values):
    SavedView = apps.get_model("shop", "SavedView")
    for view in SavedView.objects.filter(screen="order", query__contains=f"{old_name}="):
        pairs = parse_qsl(view.query, keep_blank_values=True)
        # A value that was unknown did not filter.
        kept = [pair for pair in pairs if pair[0] != old_name]
        chosen = [value for name, value in pairs if name == old_name and value in values]
        named = [(new_name, values[value]) for value in chosen]
        view.query = urlencode(sorted(kept + named))
        view.save(update_fields=["query"])


def move_columns(apps, schema_editor):
    """Let saved views sort by the same column as before."""
    SavedView = apps.get_model("shop", "SavedView")
    for view in SavedView.objects.filter(screen="order", query__contains="o="):
        pairs = parse_qsl(view.query, keep_blank_values=True)
        moved = [
            (name, ".".join(map(_moved, value.split("."))) if name == "o" else value)
            for name, value in pairs
        ]
        if moved != pairs:
            view.query = urlencode(moved)
            view.save(update_fields=["query"])


def _moved(column):
    number = column.removeprefix("-")
    return column.removesuffix(number) + COLUMNS.get(number, number)


def search_text(output_field, *columns):
    return models.GeneratedField(
        db_persist=True,
        expression=FoldedText(*columns),
        output_field=output_field,
        serialize=False,
    )


class Migration(migrations.Migration):
    dependencies = [("shop", "0009_order_money_and_rights")]

    operations = [
        migrations.RunPython(allow_time, add_indexes),
        # PostgreSQL drops the index with its column.
        migrations.RemoveField("user", "search_text"),
        migrations.AddField(
            "user", "search_text", search_text(ContactTextField(), *CONTACT, PhoneDigits("phone"))
        ),
        migrations.RunPython(add_indexes, allow_time),
        migrations.RunPython(name_periods, number_periods),
        migrations.RunPython(move_columns, migrations.RunPython.noop),
        migrations.AlterField(
            "product",
            "price",
            shop.money.MoneyField(
                "price",
                decimal_places=2,
                help_text="In the shop's currency.",
                max_digits=10,
                validators=[MinValueValidator(Decimal("0.00")), MaxValueValidator(Decimal("99999999.99"))],
            ),
        ),
        migrations.AlterField(
            "outboxmessage",
            "channel",
            models.CharField(
                "channel",
                choices=[("email", "Email"), ("gateway", "Payment gateway")],
                default="email",
                editable=False,
                max_length=10,
            ),
        ),
    ]
