"""The shop's WSGI application for the race tests.

Two-factor authentication is on, and a deadlock is not retried, so that a test sees it. Queued work
is done before the response, so that none is left when the tables are emptied after a test.
"""

from django.apps import apps
from django.conf import settings
from django.core.signals import request_started

from settings.wsgi import application
from shop.db import transactions
from shop.services import background

transactions.ATTEMPTS = 1
settings.SHOP_TWO_FACTOR = "optional"
background.enqueue = lambda work, is_slow=False: work()


def clear_content_type_cache(**_):
    """Forget content types, which get new keys when the tables are emptied between two tests."""
    apps.get_model("contenttypes", "ContentType").objects.clear_cache()


request_started.connect(clear_content_type_cache)

__all__ = ["application"]
