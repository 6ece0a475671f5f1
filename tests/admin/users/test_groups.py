"""The groups that every shop starts with."""

import pytest
from django.contrib.auth.models import Group
from support import factories

from shop.management.demo_shop import make_groups
from shop.services.orders import place_order

SCREENS = (
    "product",
    "productimport",
    "stockmovement",
    "order",
    "cartitem",
    "user",
    "session",
    "auditentry",
)


@pytest.fixture
def member_of(db):
    def make(group):
        make_groups()
        clerk = factories.create_user("Cleo", "Clerk", role="admin")
        clerk.groups.set([Group.objects.get(name=group)])
        return factories.staff_client(clerk)

    return make


@pytest.fixture
def carls_order(carl, lamp):
    factories.add_to_cart(carl, (lamp, 1))
    return place_order(user=carl, shipping_address="1 Elm Street").order


@pytest.mark.parametrize(
    ("group", "seen"),
    [
        ("Owner", SCREENS),
        ("Catalogue", ("product", "productimport", "stockmovement")),
        ("Fulfilment", ("product", "stockmovement", "order", "cartitem", "user")),
        ("Viewer", ("product", "stockmovement", "order", "cartitem", "user")),
    ],
)
def test_a_member_sees_what_the_group_may(member_of, group, seen):
    browser = member_of(group)
    sidebar = browser.get("/admin/").content.decode()
    for screen in SCREENS:
        address = f"/admin/shop/{screen}/"
        assert browser.get(address).status_code == (200 if screen in seen else 403)
        assert (f'href="{address}"' in sidebar) is (screen in seen)


@pytest.mark.parametrize(
    ("group", "may"),
    [
        ("Owner", {"product", "order", "user"}),
        ("Catalogue", {"product"}),
        ("Fulfilment", {"order"}),
        ("Viewer", set()),
    ],
)
def test_a_member_changes_what_the_group_may(member_of, group, may, carl, mug, carls_order):
    browser = member_of(group)
    changed = {
        "product": f"/admin/shop/product/{mug.pk}/stock/",
        "order": f"/admin/shop/order/{carls_order.pk}/move/confirmed/",
        "user": f"/admin/shop/user/{carl.pk}/change/",
    }
    before = factories.all_rows()
    for screen, address in changed.items():
        status = browser.post(address, {"delta": "x", "note": "x" * 2000, "email": ""}).status_code
        assert status == (200 if screen in may else 403), screen
    assert factories.all_rows() == before


def test_no_member_decides_on_rights(member_of, carl):
    browser = member_of("Owner")
    cleo = factories.User.objects.get(email="cleo@example.com")
    for user in (cleo, carl):
        form = browser.get(f"/admin/shop/user/{user.pk}/change/").context["adminform"].form
        assert not {"role", "is_superuser", "groups", "user_permissions"} & form.fields.keys()
    assert browser.get("/admin/auth/group/").status_code == 403


def test_making_the_groups_again_keeps_what_was_added(db):
    make_groups()
    viewer = Group.objects.get(name="Viewer")
    viewer.permissions.add(Group.objects.get(name="Owner").permissions.get(codename="add_product"))
    count = viewer.permissions.count()
    make_groups()
    assert (Group.objects.count(), viewer.permissions.count()) == (4, count)
