"""Django's PostgreSQL, whose look at a kept connection costs no round trip."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """At the start of a request the socket is asked before the server."""

    def is_usable(self) -> bool:
        """Whether the connection still works. A server that has gone away leaves something to read."""
        if self.connection is None or self.connection.closed:
            return False
        if hasattr(select, "poll"):  # not on Windows
            door = select.poll()
            door.register(self.connection.fileno(), select.POLLIN)
            if not door.poll(0):
                return True
        return super().is_usable()
