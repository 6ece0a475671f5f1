"""Django's PostgreSQL backend with a cheaper health check of persistent connections.

With CONN_HEALTH_CHECKS Django sends `SELECT 1` at the start of each request: one round trip. A
server that has closed the connection leaves something to read on the socket, so a local poll is
enough for a good connection.

Undocumented in Django: `DatabaseWrapper.is_usable` is what the health check calls, and
`SchemaEditorClass` is what migrations use.
"""

import select

from django.db.backends.postgresql import base

from shop.db.postgresql.schema import SchemaEditor


class DatabaseWrapper(base.DatabaseWrapper):
    """Polls the socket before it queries the server."""

    SchemaEditorClass = SchemaEditor

    def is_usable(self) -> bool:
        """Return whether the connection works; query the server only if there is data to read."""
        if self.connection is None or self.connection.closed:
            return False
        if hasattr(select, "poll"):  # not on Windows
            poller = select.poll()
            poller.register(self.connection.fileno(), select.POLLIN)
            if not poller.poll(0):
                return True
        return super().is_usable()
