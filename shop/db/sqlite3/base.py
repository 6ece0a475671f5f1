"""Django's SQLite backend with the collation of names and the folding of searched texts.

Its integers have the ranges of PostgreSQL's: what a laptop accepts, production stores.

The schema refers to both. Other programs, such as the `sqlite3` shell, can therefore read products
and users, but not sort them by name or write them.

Undocumented in Django: `DatabaseWrapper.get_new_connection` returns the driver's connection, and
`ops_class` makes the operations, of which `integer_field_range` gives each field its validators.
"""

from typing import Any

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.operations import DatabaseOperations as SQLiteOperations

from shop.db.phone_search import SQLITE_PHONE_FUNCTION, phone_digits
from shop.db.search_text import SQLITE_FUNCTION
from shop.db.text_folding import NAME_COLLATION, compare_names, fold_search_text


class DatabaseOperations(SQLiteOperations):
    """Bounds integers as PostgreSQL does; SQLite would take 64 bits in every column."""

    def integer_field_range(self, internal_type: str) -> tuple[int, int]:
        """Return the least and the largest value of an integer field of this type."""
        least, largest = BaseDatabaseOperations.integer_field_range(self, internal_type)
        return least, largest


class DatabaseWrapper(base.DatabaseWrapper):
    """Registers a collation and functions on each connection."""

    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection that knows the shop's collation and functions."""
        connection = super().get_new_connection(conn_params)
        register_functions(connection)
        return connection


def register_functions(connection: Any) -> None:
    """Register the shop's collation and functions on a connection of the module `sqlite3`."""
    connection.create_collation(NAME_COLLATION.strip('"'), compare_names)
    connection.create_function(SQLITE_FUNCTION, 1, fold_search_text, deterministic=True)
    connection.create_function(SQLITE_PHONE_FUNCTION, 1, phone_digits, deterministic=True)
