"""The migration that makes moving stock a right of its own: nobody loses it."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from support import factories


@pytest.fixture
def grant(db):
    return import_module("shop.migrations.0013_staff").grant_stock_permission


def permission(codename):
    return Permission.objects.get(content_type__app_label="shop", codename=codename)


def test_whoever_could_change_products_can_move_stock(grant):
    Group.objects.all().delete()
    names = ("Fulfilment", "Night shift", "Buying")
    packers, night_shift, buying = (Group.objects.create(name=name) for name in names)
    buying.permissions.add(permission("change_product"), permission("view_product"))
    night_shift.permissions.add(permission("view_product"))
    cleo = factories.create_user("Cleo", "Clerk", role="admin")
    cleo.user_permissions.add(permission("change_product"))
    pat = factories.create_user("Pat", "Packer", role="admin")
    pat.user_permissions.add(permission("view_product"))
    for _ in range(2):
        grant(apps, None)
        holders = permission("manage_stock")
        assert set(holders.group_set.all()) == {packers, buying}
        assert set(holders.user_set.all()) == {cleo}
