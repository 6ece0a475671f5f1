"""Django's SQLite backend with the collation of names and the folding of searched texts.

The schema refers to both. Other programs, such as the `sqlite3` shell, can therefore read products
and users, but not sort them by name or write them.

Undocumented in Django: `DatabaseWrapper.get_new_connection` returns the driver's connection.
"""

from typing import Any

from django.db.backends.sqlite3 import base

from shop.db.search_text import SQLITE_FUNCTION
from shop.db.text_folding import NAME_COLLATION, compare_names, fold_search_text


class DatabaseWrapper(base.DatabaseWrapper):
    """Registers a collation and a function on each connection."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection that knows the shop's collation and function."""
        connection = super().get_new_connection(conn_params)
        register_functions(connection)
        return connection


def register_functions(connection: Any) -> None:
    """Register the shop's collation and function on a connection of the module `sqlite3`."""
    connection.create_collation(NAME_COLLATION.strip('"'), compare_names)
    connection.create_function(SQLITE_FUNCTION, 1, fold_search_text, deterministic=True)
