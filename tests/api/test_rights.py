import pytest
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from support import factories, further_models
from support.api_operations import OPERATIONS, PROTECTED, STAFF
from support.image_files import make_image, send_picture

from shop.models import Product, User

CATALOGUE_READS = {"list_products", "get_product"} | {
    name for verb in ("list", "get") for name in further_models.operation_names(verb)
}
PUBLIC = {"register", "login", "refresh", "request_password_reset", "reset_password", "health"}
PERMISSIONS = {
    "create_product": "add_product",
    "replace_product": "change_product",
    "change_product": "change_product",
    "delete_product": "delete_product",
    "adjust_stock": "manage_stock",
    "set_image": "change_product",
    "remove_image": "change_product",
    "set_status": "change_order",
    "edit_order": "edit_order",
    "set_tracking": "fulfil_order",
    "mark_paid": "change_order",
    "refund_order": "refund_order",
    "return_items": "refund_order",
} | {name: f"change_{model}" for name, model in further_models.added_pictures().items()}
AFTER_DELIVERY = {"set_tracking", "refund_order", "return_items"}
for verb, action in {
    "create": "add",
    "replace": "change",
    "change": "change",
    "delete": "delete",
}.items():
    PERMISSIONS |= {
        name: name.replace(f"{verb}_", f"{action}_", 1)
        for name in further_models.operation_names(verb)
    }


@pytest.fixture
def staff_user(db):
    """An admin who is not a superuser and has no permissions."""
    return User.objects.create_user(
        "cleo@example.com", factories.PASSWORD, first_name="Cleo", last_name="Staff", role="admin"
    )


def grant(user, codename, *, by_group=False):
    permission = Permission.objects.get(content_type__app_label="shop", codename=codename)
    if by_group:
        group = Group.objects.create(name="Packers")
        group.permissions.add(permission)
        user.groups.add(group)
    else:
        user.user_permissions.add(permission)


def call(operation, app, ids):
    if operation.id.startswith("set_") and "multipart/form-data" in operation.content:
        return send_picture(app, operation.url(ids), make_image())
    return operation.call(app, ids)


def test_the_public_operations_are_listed():
    assert {operation.id for operation in OPERATIONS if not operation.is_protected} == PUBLIC


def test_every_staff_operation_has_a_known_permission():
    assert {operation.id for operation in STAFF} == PERMISSIONS.keys()


def test_protected_operations_require_a_token(strangers_app, ids, unchanged):
    with unchanged():
        for operation in PROTECTED:
            response = operation.call(strangers_app, ids)
            assert factories.problem_code(response) == (401, "authentication-required"), (
                operation.id
            )
            assert response["WWW-Authenticate"] == "Bearer", operation.id


def test_the_token_is_checked_before_the_body_and_the_ids(strangers_app, ids, unchanged):
    with unchanged():
        for operation in PROTECTED:
            body = "{" if operation.schemas else None
            response = operation.call(strangers_app, dict.fromkeys(ids, "x"), body)
            assert factories.problem_code(response) == (401, "authentication-required"), (
                operation.id
            )


def test_a_public_catalogue_opens_only_its_reads(strangers_app, ids, settings):
    settings.SHOP_PUBLIC_CATALOG = True
    opened = {op.id for op in PROTECTED if op.call(strangers_app, ids).status_code != 401}
    assert opened == CATALOGUE_READS


def test_customers_cannot_call_staff_operations(carls_app, ids, unchanged):
    with unchanged():
        for operation in STAFF:
            assert factories.problem_code(call(operation, carls_app, ids)) == (403, "forbidden"), (
                operation.id
            )


def test_staff_without_the_permission_cannot_call_staff_operations(staff_user, ids, unchanged):
    app = factories.api_client(staff_user)
    for operation in STAFF:
        staff_user.user_permissions.clear()
        for codename in {*PERMISSIONS.values(), "view_product", "view_order"} - {
            PERMISSIONS[operation.id]
        }:
            grant(staff_user, codename)
        with unchanged():
            assert factories.problem_code(call(operation, app, ids)) == (403, "forbidden"), (
                operation.id
            )


@pytest.mark.parametrize("by_group", [False, True], ids=["own", "group"])
def test_staff_with_the_permission_can_call_staff_operations(staff_user, ids, by_group):
    app = factories.api_client(staff_user)
    for operation in STAFF:
        with transaction.atomic():
            grant(staff_user, PERMISSIONS[operation.id], by_group=by_group)
            response = call(operation, app, ids)
            transaction.set_rollback(True)
        # These refuse an order that was not delivered.
        refused = {409, 422} if operation.id in AFTER_DELIVERY else set()
        assert response.status_code in {200, 201, 204} | refused, (operation.id, response.content)


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_stock_among_a_products_fields_takes_the_right_to_move_stock(
    staff_user, mug, unchanged, method
):
    grant(staff_user, "change_product")
    call = getattr(factories.api_client(staff_user), method)
    body = {"name": "Cup", "price": "9.00"}
    with unchanged():
        response = call(f"/products/{mug.pk}/", {**body, "stock": 3})
        assert factories.problem_code(response) == (403, "forbidden")
    assert call(f"/products/{mug.pk}/", body).status_code == 200
    grant(staff_user, "manage_stock")
    assert call(f"/products/{mug.pk}/", {**body, "stock": 3}).json()["stock"] == 3


def test_who_moves_stock_does_not_set_prices(staff_user, mug, unchanged):
    grant(staff_user, "manage_stock")
    app = factories.api_client(staff_user)
    with unchanged():
        response = app.patch(f"/products/{mug.pk}/", {"price": "1.00"})
        assert factories.problem_code(response) == (403, "forbidden")
    assert app.post(f"/products/{mug.pk}/stock/", {"delta": 2}).json()["stock"] == mug.stock + 2


def test_a_permission_without_the_admin_role_is_not_enough(carl, carls_app, ids, unchanged):
    for codename in set(PERMISSIONS.values()):
        grant(carl, codename)
    with unchanged():
        for operation in STAFF:
            assert factories.problem_code(call(operation, carls_app, ids)) == (403, "forbidden"), (
                operation.id
            )


def test_a_revoked_permission_stops_working_immediately(staff_user, mug, unchanged):
    app = factories.api_client(staff_user)
    grant(staff_user, "change_product")
    assert app.patch(f"/products/{mug.pk}/", {"name": "Cup"}).status_code == 200
    staff_user.user_permissions.clear()
    with unchanged():
        assert factories.problem_code(app.patch(f"/products/{mug.pk}/", {"name": "Jug"})) == (
            403,
            "forbidden",
        )


@pytest.mark.parametrize(
    ("codename", "number"), [(None, 0), ("change_order", 0), ("view_order", 1)]
)
def test_staff_see_all_orders_only_with_the_permission(staff_user, carls_order, codename, number):
    app = factories.api_client(staff_user)
    if codename:
        grant(staff_user, codename)
    assert app.get("/orders/").json()["count"] == number
    assert app.get(f"/orders/{carls_order.pk}/").status_code == (200 if number else 404)


@pytest.mark.parametrize("codenames", [["view_order"], ["view_order", "change_order"]])
def test_can_cancel_depends_on_the_permission_of_staff(staff_user, carls_order, codenames):
    for codename in codenames:
        grant(staff_user, codename)
    app = factories.api_client(staff_user)
    bodies = [app.get(f"/orders/{carls_order.pk}/").json(), *app.get("/orders/").json()["items"]]
    assert [body["can_cancel"] for body in bodies] == ["change_order" in codenames] * 2


@pytest.mark.parametrize(("codename", "status"), [("view_order", 404), ("change_order", 200)])
def test_staff_cancel_orders_only_with_the_permission(staff_user, carls_order, codename, status):
    grant(staff_user, codename)
    response = factories.api_client(staff_user).post(f"/orders/{carls_order.pk}/cancel/")
    carls_order.refresh_from_db()
    assert response.status_code == status
    assert carls_order.status == ("cancelled" if status == 200 else "pending")


@pytest.mark.parametrize(
    ("codename", "is_seen"),
    [(None, False), ("view_order", False), ("view_product", True), ("change_product", True)],
)
def test_staff_see_inactive_products_only_with_the_permission(staff_user, mug, codename, is_seen):
    Product.objects.filter(pk=mug.pk).update(is_active=False)
    if codename:
        grant(staff_user, codename)
    app = factories.api_client(staff_user)
    assert app.get(f"/products/{mug.pk}/").status_code == (200 if is_seen else 404)
    for query in ("", "?search=mug", "?is_active=false"):
        assert app.get(f"/products/{query}").json()["count"] == is_seen, query


@pytest.mark.parametrize("codename", [None, "view_order"])
def test_an_order_is_returned_as_staff_would_get_it(staff_user, mug, codename):
    if codename:
        grant(staff_user, codename)
    factories.add_to_cart(staff_user, (mug, 1))
    app = factories.api_client(staff_user)
    created = app.post("/orders/create/", {"shipping_address": "1 Fern Road"}).json()
    assert ("customer" in created) is bool(codename)
    assert created == app.get(f"/orders/{created['id']}/").json()


def test_orders_and_cart_lines_of_another_customer_are_not_found(doras_app, ids, unchanged):
    owned = [
        op
        for op in PROTECTED
        if not op.is_for_staff and {"order_id", "item_id"} & set(_path_parameters(op))
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


def _path_parameters(operation):
    return [parameter["name"] for parameter in operation.parameters if parameter["in"] == "path"]
