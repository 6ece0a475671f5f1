"""The shop as it is served, whose processes say who they are and die when they are told to."""

import os
import signal

from django.db import connection

from settings.wsgi import application as shop

if connection.vendor == "postgresql":
    # As in production, and unlike the other tests: what was told is to survive the database's own death.
    connection.settings_dict["OPTIONS"]["options"] += " -c synchronous_commit=on"


def application(environ, start_response):
    def start(status, headers, *rest):
        return start_response(status, [*headers, ("X-Process", str(os.getpid()))], *rest)

    answer = shop(environ, start)
    if "HTTP_X_DIE" in environ:  # all is committed, and not a byte has left
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
