"""The groups that the migrations and the demo create."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils.html import escape
from support import factories

from shop.management.demo_shop import make_groups
from shop.services.groups import GROUP_DESCRIPTIONS, describe_group
from shop.services.orders import place_order

MODELS = (
    "product",
    "changeset",
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
        ("Catalogue", ("product", "changeset", "stockmovement")),
        (
            "Fulfilment",
            (
                "product",
                "changeset",
                "stockmovement",
                "order",
                "outboxmessage",
                "cartitem",
                "user",
            ),
        ),
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


def permissions(*codenames):
    return Permission.objects.filter(content_type__app_label="shop", codename__in=codenames)


@pytest.mark.parametrize(
    ("codenames", "words"),
    [
        ([], ["nothing"]),
        (["view_order", "view_user"], ["view", "customers and staff, orders"]),
        (["view_product", "add_product", "change_product"], ["change", "products"]),
        (["view_product", "manage_stock"], ["products", "receive, count and adjust stock"]),
    ],
)
def test_a_group_of_ones_own_is_described_by_its_rights(db, codenames, words):
    group = Group.objects.create(name="Night shift")
    group.permissions.set(permissions(*codenames))
    text = describe_group(group)
    assert [word for word in words if word not in text] == []
    assert text.count("products") <= 1


def test_each_predefined_group_has_a_sentence(db):
    make_groups()
    assert set(GROUP_DESCRIPTIONS) == set(Group.objects.values_list("name", flat=True))


def test_groups_are_chosen_on_cards_and_rights_are_not(adas_browser):
    make_groups()
    cleo = factories.create_user("Cleo", "Clerk", role="admin")
    cleo.groups.set([Group.objects.get(name="Viewer")])
    answer = adas_browser.get(f"/admin/shop/user/{cleo.pk}/change/")
    assert "user_permissions" not in answer.context["adminform"].form.fields
    html = answer.content.decode()
    for sentence in GROUP_DESCRIPTIONS.values():
        assert escape(str(sentence)) in html
    [chosen] = re.findall(r'name="groups" value="(\d+)"[^>]* checked', html)
    assert chosen == str(Group.objects.get(name="Viewer").pk)


def test_a_right_of_ones_own_can_only_be_taken_away(adas_browser):
    cleo = factories.create_user("Cleo", "Clerk", role="admin")
    view, change = permissions("view_order", "change_order").order_by("-codename")
    cleo.user_permissions.set([view])
    page = f"/admin/shop/user/{cleo.pk}/change/"
    values = {"email": cleo.email, "first_name": "Cleo", "last_name": "Clerk", "role": "admin"}
    values["is_active"] = "on"
    given = adas_browser.post(page, values | {"user_permissions": [view.pk, change.pk]})
    assert list(given.context["adminform"].form.errors) == ["user_permissions"]
    assert adas_browser.post(page, values).status_code == 302
    assert cleo.user_permissions.count() == 0


def test_a_groups_rights_are_a_table(adas_browser):
    group = Group.objects.create(name="Night shift")
    hidden = Permission.objects.get(codename="view_group")
    group.permissions.set([hidden, *permissions("view_order")])
    page = f"/admin/auth/group/{group.pk}/change/"
    html = adas_browser.get(page).content.decode()
    offered = set(map(int, re.findall(r'name="permissions" value="(\d+)"', html)))
    shown = set(
        permissions("view_order", "manage_stock", "view_revenue").values_list("pk", flat=True)
    )
    assert shown <= offered
    assert hidden.pk not in offered
    [checked] = re.findall(r'name="permissions" value="(\d+)" checked', html)
    assert checked == str(permissions("view_order").get().pk)

    chosen = permissions("view_product", "manage_stock")
    values = {"name": "Night shift", "permissions": [right.pk for right in chosen]}
    assert adas_browser.post(page, values).status_code == 302
    assert set(group.permissions.all()) == {hidden, *chosen}
    refused = adas_browser.post(page, values | {"permissions": [hidden.pk]})
    assert list(refused.context["adminform"].form.errors) == ["permissions"]


@pytest.mark.parametrize("number", [1, 3])
def test_the_pages_are_as_many_queries_for_many_groups(adas_browser, statements, number):
    Group.objects.all().delete()
    for name in range(number):
        group = Group.objects.create(name=f"Group {name}")
        group.permissions.set(permissions("view_order", "change_product", "manage_stock"))
    adas_browser.get("/admin/auth/group/")
    with statements(8):
        adas_browser.get("/admin/auth/group/")
    with statements(6):
        adas_browser.get("/admin/shop/user/invite/")
