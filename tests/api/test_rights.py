import pytest
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from support import factories
from support.api_operations import OPERATIONS, PROTECTED, STAFF
from support.image_files import make_image, send_image

from shop.models import Product, User

READS_THAT_MAY_BE_PUBLIC = {"list_products", "get_product"}
PUBLIC = {"register", "login", "refresh", "request_password_reset", "reset_password", "health"}
RIGHTS = {
    "create_product": "add_product",
    "replace_product": "change_product",
    "change_product": "change_product",
    "delete_product": "delete_product",
    "adjust_stock": "change_product",
    "set_image": "change_product",
    "remove_image": "change_product",
    "set_status": "change_order",
}


@pytest.fixture
def clerk(db):
    """Staff without any right yet: an admin who is no superuser."""
    return User.objects.create_user(
        "clerk@example.com", factories.PASSWORD, first_name="Cleo", last_name="Clerk", role="admin"
    )


def grant(user, codename, *, by_group=False):
    permission = Permission.objects.get(content_type__app_label="shop", codename=codename)
    if by_group:
        group = Group.objects.create(name="Clerks")
        group.permissions.add(permission)
        user.groups.add(group)
    else:
        user.user_permissions.add(permission)


def call(operation, app, ids):
    if operation.id == "set_image":
        return send_image(app, ids["product_id"], make_image())
    return operation.call(app, ids)


def test_it_is_known_which_calls_are_public():
    assert {operation.id for operation in OPERATIONS if not operation.is_protected} == PUBLIC


def test_it_is_known_which_right_each_staff_call_needs():
    assert {operation.id for operation in STAFF} == RIGHTS.keys()


def test_every_protected_call_needs_a_token(strangers_app, ids, unchanged):
    with unchanged():
        for operation in PROTECTED:
            response = operation.call(strangers_app, ids)
            assert factories.problem_code(response) == (401, "authentication-required"), (
                operation.id
            )
            assert response["WWW-Authenticate"] == "Bearer", operation.id


def test_the_token_is_asked_for_before_anything_else(strangers_app, ids, unchanged):
    with unchanged():
        for operation in PROTECTED:
            body = "{" if operation.shapes else None
            response = operation.call(strangers_app, dict.fromkeys(ids, "x"), body)
            assert factories.problem_code(response) == (401, "authentication-required"), (
                operation.id
            )


def test_a_public_catalogue_opens_its_two_reads_only(strangers_app, ids, settings):
    settings.SHOP_PUBLIC_CATALOG = True
    opened = {op.id for op in PROTECTED if op.call(strangers_app, ids).status_code != 401}
    assert opened == READS_THAT_MAY_BE_PUBLIC


def test_customers_cannot_make_a_staff_call(carls_app, ids, unchanged):
    with unchanged():
        for operation in STAFF:
            assert factories.problem_code(call(operation, carls_app, ids)) == (403, "forbidden"), (
                operation.id
            )


def test_staff_without_the_right_cannot_make_a_staff_call(clerk, ids, unchanged):
    app = factories.api_client(clerk)
    for operation in STAFF:
        clerk.user_permissions.clear()
        for codename in {*RIGHTS.values(), "view_product", "view_order"} - {RIGHTS[operation.id]}:
            grant(clerk, codename)
        with unchanged():
            assert factories.problem_code(call(operation, app, ids)) == (403, "forbidden"), (
                operation.id
            )


@pytest.mark.parametrize("by_group", [False, True], ids=["own", "group"])
def test_staff_with_the_right_can_make_a_staff_call(clerk, ids, by_group):
    app = factories.api_client(clerk)
    for operation in STAFF:
        with transaction.atomic():
            grant(clerk, RIGHTS[operation.id], by_group=by_group)
            response = call(operation, app, ids)
            transaction.set_rollback(True)
        assert response.status_code in {200, 201, 204}, (operation.id, response.content)


def test_a_right_without_the_role_is_not_enough(carl, carls_app, ids, unchanged):
    for codename in set(RIGHTS.values()):
        grant(carl, codename)
    with unchanged():
        for operation in STAFF:
            assert factories.problem_code(call(operation, carls_app, ids)) == (403, "forbidden"), (
                operation.id
            )


def test_a_right_that_is_taken_away_is_gone_at_once(clerk, mug, unchanged):
    app = factories.api_client(clerk)
    grant(clerk, "change_product")
    assert app.patch(f"/products/{mug.pk}/", {"name": "Cup"}).status_code == 200
    clerk.user_permissions.clear()
    with unchanged():
        assert factories.problem_code(app.patch(f"/products/{mug.pk}/", {"name": "Jug"})) == (
            403,
            "forbidden",
        )


@pytest.mark.parametrize(
    ("codename", "number"), [(None, 0), ("change_order", 0), ("view_order", 1)]
)
def test_staff_see_everybodys_orders_with_the_right_only(clerk, carls_order, codename, number):
    app = factories.api_client(clerk)
    if codename:
        grant(clerk, codename)
    assert app.get("/orders/").json()["count"] == number
    assert app.get(f"/orders/{carls_order.pk}/").status_code == (200 if number else 404)


@pytest.mark.parametrize("codenames", [["view_order"], ["view_order", "change_order"]])
def test_staff_are_told_whether_they_may_cancel(clerk, carls_order, codenames):
    for codename in codenames:
        grant(clerk, codename)
    app = factories.api_client(clerk)
    told = [app.get(f"/orders/{carls_order.pk}/").json(), *app.get("/orders/").json()["items"]]
    assert [one["can_cancel"] for one in told] == ["change_order" in codenames] * 2


@pytest.mark.parametrize(("codename", "status"), [("view_order", 404), ("change_order", 200)])
def test_staff_cancel_anothers_order_with_the_right_only(clerk, carls_order, codename, status):
    grant(clerk, codename)
    response = factories.api_client(clerk).post(f"/orders/{carls_order.pk}/cancel/")
    carls_order.refresh_from_db()
    assert response.status_code == status
    assert carls_order.status == ("cancelled" if status == 200 else "pending")


def test_admins_see_inactive_products_whatever_their_rights(clerk, mug):
    Product.objects.filter(pk=mug.pk).update(is_active=False)
    assert factories.api_client(clerk).get("/products/").json()["count"] == 1


def test_what_belongs_to_carl_does_not_exist_for_dora(doras_app, ids, unchanged):
    owned = [
        op for op in PROTECTED if not op.is_for_staff and {"order_id", "item_id"} & set(_ids_in(op))
    ]
    assert {op.id for op in owned} == {
        "get_order",
        "cancel_order",
        "set_quantity",
        "remove_from_cart",
    }
    with unchanged():
        for operation in owned:
            assert factories.problem_code(operation.call(doras_app, ids)) == (404, "not-found"), (
                operation.id
            )


def _ids_in(operation):
    return [parameter["name"] for parameter in operation.parameters if parameter["in"] == "path"]
