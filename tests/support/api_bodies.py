"""The bodies that the API should respond with, built from the rows."""

import json

from shop.api.products import PRODUCTS
from shop.api.responses import serialize
from shop.api.schemas import ProductOut
from support.factories import problem_code


def product_body(product):
    """Return the body of a product without an image.

    The fields of the contract are formatted here; fields added later as the API's schema does it.
    """
    product.refresh_from_db()
    [item] = PRODUCTS.items("http://testserver/", [PRODUCTS.read_record(product.pk)])
    return json.loads(serialize(ProductOut, item)) | {
        "id": product.pk,
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "price": f"{product.price:.2f}",
        "stock": product.stock,
        "in_stock": product.stock > 0,
        "image": None,
        "is_active": product.is_active,
        "created_at": product.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": product.updated_at.isoformat().replace("+00:00", "Z"),
    }


def user_body(user):
    """Return the body of a user."""
    return {
        "id": user.pk,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone": user.phone,
        "role": user.role,
        "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
    }


def ledger(product):
    """Return the product's stock movements as (kind, delta, balance, actor's first name)."""
    movements = product.movements.order_by("id")
    return list(movements.values_list("kind", "delta", "balance_after", "actor__first_name"))


def names(response):
    """Return the names of the records on a page of a list."""
    assert response.status_code == 200, response.content
    return [item["name"] for item in response.json()["items"]]


def error_fields(response):
    """Return field and code of each error in a refused body, after checking that it is one."""
    assert problem_code(response) == (422, "invalid"), response.content
    return [(error["field"], error["code"]) for error in response.json()["errors"]]
