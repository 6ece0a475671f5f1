"""A field that a generated column reads can be altered by a migration, as any other."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from support import factories

from shop.models import Product, StockMovement

pytestmark = pytest.mark.django_db(transaction=True)


def indexes():
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "shop_product")
    return {
        (name, facts.get("type"), facts.get("definition"), *facts["columns"])
        for name, facts in constraints.items()
        if facts["index"]
    }


def migrate(name, field):
    """Alter the field as a migration does; return the operation that takes it back."""
    before = MigrationExecutor(connection).loader.project_state()
    after, alter = before.clone(), migrations.AlterField("product", name, field)
    alter.state_forwards("shop", after)
    with connection.schema_editor() as editor:
        alter.database_forwards("shop", editor, before, after)

    def undo():
        with connection.schema_editor() as editor:
            alter.database_backwards("shop", editor, after, before)

    return undo


@pytest.mark.parametrize(
    ("name", "new_field"),
    [
        ("name", models.CharField(max_length=300)),
        ("stock", models.PositiveBigIntegerField(default=0)),
    ],
)
def test_an_altered_field_keeps_generated_columns_and_indexes(name, new_field):
    factories.create_product("Crème", stock=1, low_stock_threshold=5)
    before = indexes()
    undo = migrate(name, new_field)
    try:
        assert indexes() == before
        Product.objects.update(**{name: Product.objects.values_list(name).get()[0]})
        Product.objects.get(search_text__icontains="creme", is_low=True, in_stock=True)
    finally:
        undo()
        StockMovement.objects.all().delete()
    assert indexes() == before
