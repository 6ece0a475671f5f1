"""The shop as it is served, with second factors.

A deadlock is not tried again: the races are to see each one.
"""

from django.apps import apps
from django.conf import settings
from django.core.signals import request_started

from settings.wsgi import application
from shop.db import transactions

transactions.ATTEMPTS = 1
settings.SHOP_TWO_FACTOR = "optional"


def forget_content_types(**_):
    """Between two tests the tables are emptied, and the admin's log would point at rows that are gone."""
    apps.get_model("contenttypes", "ContentType").objects.clear_cache()


request_started.connect(forget_content_types)

__all__ = ["application"]
