"""The shop's WSGI application, whose process a test can identify and kill.

Each response has the process id in `X-Process`. A request with `X-Die` is processed and committed;
then its process kills itself before it sends a byte of the response.
"""

import os
import signal

from django.conf import settings
from django.db import connection

from settings import env
from settings.wsgi import application as shop

settings.MAILERS = {"default": env.parse_email_url(os.environ["EMAIL_URL"])}

if connection.vendor == "postgresql":
    # As in production: what a response has confirmed survives a crash of the database. Other tests
    # turn it off.
    connection.settings_dict["OPTIONS"]["options"] += " -c synchronous_commit=on"


def application(environ, start_response):
    def start_with_process(status, headers, *rest):
        return start_response(status, [*headers, ("X-Process", str(os.getpid()))], *rest)

    response = shop(environ, start_with_process)
    if "HTTP_X_DIE" in environ:
        os.kill(os.getpid(), signal.SIGKILL)
    return response
