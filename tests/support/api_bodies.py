"""What the API must answer, built from the rows."""

from shop.api.products import PRODUCT_COLUMNS


def product_body(product):
    """What the API shows of a product; fields that this suite does not know are shown as they are."""
    product.refresh_from_db()
    every = {name: getattr(product, name) for name in PRODUCT_COLUMNS}
    return every | {
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
    return list(
        product.movements.order_by("id").values_list(
            "kind", "delta", "balance_after", "actor__first_name"
        )
    )
