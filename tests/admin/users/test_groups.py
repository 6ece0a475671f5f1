"""The groups that the migrations and the demo create."""

import pytest
from django.contrib.auth.models import Group
from support import factories

from shop.management.demo_shop import make_groups
from shop.services.orders import place_order

MODELS = (
    "product",
    "productimport",
    "stockmovement",
    "order",
    "outboxmessage",
    "cartitem",
    "user",
    "session",
    "auditentry",
)


@pytest.fixture
def member_of(db):
    """`member_of("Viewer")` is the client of a member of staff in this group."""

    def create(group):
        make_groups()
        staff = factories.create_user("Cleo", "Clerk", role="admin")
        staff.groups.set([Group.objects.get(name=group)])
        return factories.staff_client(staff)

    return create


@pytest.fixture
def carls_order(carl, lamp):
    factories.add_to_cart(carl, (lamp, 1))
    return place_order(user=carl, shipping_address="1 Elm Street").order


@pytest.mark.parametrize(
    ("group", "visible"),
    [
        ("Owner", MODELS),
        ("Catalogue", ("product", "productimport", "stockmovement")),
        ("Fulfilment", ("product", "stockmovement", "order", "outboxmessage", "cartitem", "user")),
        ("Viewer", ("product", "stockmovement", "order", "outboxmessage", "cartitem", "user")),
    ],
)
def test_members_see_the_lists_of_their_group(member_of, group, visible):
    browser = member_of(group)
    sidebar = browser.get("/admin/").content.decode()
    for model in MODELS:
        url = f"/admin/shop/{model}/"
        assert browser.get(url).status_code == (200 if model in visible else 403)
        assert (f'href="{url}"' in sidebar) is (model in visible)


@pytest.mark.parametrize(
    ("group", "changeable"),
    [
        ("Owner", {"product", "order", "user"}),
        ("Catalogue", {"product"}),
        ("Fulfilment", {"order", "product"}),  # whose stock packers count
        ("Viewer", set()),
    ],
)
def test_members_change_the_records_of_their_group(
    member_of, group, changeable, carl, mug, carls_order
):
    browser = member_of(group)
    urls = {
        "product": f"/admin/shop/product/{mug.pk}/stock/",
        "order": f"/admin/shop/order/{carls_order.pk}/move/confirmed/",
        "user": f"/admin/shop/user/{carl.pk}/change/",
    }
    before = factories.all_rows()
    for model, url in urls.items():
        status = browser.post(url, {"delta": "x", "note": "x" * 2000, "email": ""}).status_code
        assert status == (200 if model in changeable else 403), model
    assert factories.all_rows() == before


def test_no_group_can_change_permissions(member_of, carl):
    browser = member_of("Owner")
    cleo = factories.User.objects.get(email="cleo@example.com")
    for user in (cleo, carl):
        form = browser.get(f"/admin/shop/user/{user.pk}/change/").context["adminform"].form
        assert not {"role", "is_superuser", "groups", "user_permissions"} & form.fields.keys()
    assert browser.get("/admin/auth/group/").status_code == 403


def test_creating_the_groups_again_keeps_added_permissions(db):
    make_groups()
    viewer = Group.objects.get(name="Viewer")
    viewer.permissions.add(Group.objects.get(name="Owner").permissions.get(codename="add_product"))
    count = viewer.permissions.count()
    make_groups()
    assert (Group.objects.count(), viewer.permissions.count()) == (4, count)


@pytest.mark.parametrize("name", ["\u200b", "\u3164\u2800", "\u202eevil"])
def test_a_group_needs_a_visible_name(adas_browser, name):
    before = Group.objects.count()
    assert adas_browser.post("/admin/auth/group/add/", {"name": name}).status_code == 200
    assert Group.objects.count() == before
