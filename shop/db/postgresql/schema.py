"""Change the type of a column that a generated column reads, which PostgreSQL refuses.

Without this, `max_length=300` on a searched field would be a migration that fails in production.

Undocumented in Django: `SchemaEditor.alter_field`, `Field.db_parameters` and
`GeneratedField.referenced_fields`.
"""

from typing import Any

from django.db.backends.postgresql.schema import DatabaseSchemaEditor

#: The indexes that depend on a column, by a key or by their condition.
_INDEXES = """
    SELECT DISTINCT pg_get_indexdef(indexrelid)
    FROM pg_depend JOIN pg_index ON indexrelid = objid AND indrelid = refobjid
    JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE refobjid = %s::regclass AND attname = %s
"""


class SchemaEditor(DatabaseSchemaEditor):
    """Drops such generated columns before the change, and adds them and their indexes again."""

    def alter_field(self, model: Any, old_field: Any, new_field: Any, strict: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's
        """Alter the column, and with its type recreate the generated columns that read it."""
        types = [field.db_parameters(self.connection) for field in (old_field, new_field)]
        generated = [field for field in model._meta.local_fields if field.generated]
        readers = [
            field
            for field in generated
            if types[0] != types[1]
            and old_field.column in {source.column for source in field.referenced_fields}
        ]
        indexes = [sql for field in readers for sql in self._index_definitions(model, field)]
        for field in readers:
            self.remove_field(model, field)
        super().alter_field(model, old_field, new_field, strict)
        for field in readers:
            self.add_field(model, field)
        for sql in indexes:
            self.execute(sql)

    def _index_definitions(self, model: Any, field: Any) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute(_INDEXES, [model._meta.db_table, field.column])
            return [sql for (sql,) in cursor.fetchall()]
