"""Users, products and clients. Ada is a superuser; Carl and Dora are customers."""

import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client

from shop.api import tokens
from shop.db.transactions import atomically
from shop.models import CartItem, Product, User
from shop.models.users import SUPERUSER_FIELDS
from shop.services import sessions
from shop.services.pictures import purge_pictures
from shop.services.stock import record_initial_stock

PASSWORD = "correct-horse-7"
PASSWORD_HASH = make_password(PASSWORD)


def create_user(first_name: str, last_name: str, **rights: Any) -> User:
    """Create a user with the password PASSWORD, without validation."""
    email = f"{first_name.lower()}@example.com"
    user = User(
        email=email, first_name=first_name, last_name=last_name, password=PASSWORD_HASH, **rights
    )
    user.save()
    return user


def create_ada() -> User:
    return create_user("Ada", "Staff", **SUPERUSER_FIELDS)


def create_carl() -> User:
    return create_user("Carl", "Buyer")


def create_dora() -> User:
    return create_user("Dora", "Stranger")


@atomically
def create_product(
    name: str = "Mug", *, price: str = "12.50", stock: int = 10, **values: Any
) -> Product:
    product = Product(name=name, price=Decimal(price), **values)
    product.save()
    record_initial_stock(product, stock=stock, actor=None)
    return product


def add_to_cart(user: User, *items: tuple[Product, int]) -> None:
    for product, quantity in items:
        CartItem.objects.create(user=user, product=product, quantity=quantity)


@dataclass
class ApiClient:
    """Django's test client for the API: sends JSON and the user's access token."""

    client: Client
    token: str = ""
    user: User | None = None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        content = {} if method == "get" else {"content_type": "application/json"}
        data = "" if body is None and method != "get" else body
        return getattr(self.client, method)(f"/api{path}", data, headers=headers, **content)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("post", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("put", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("patch", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.call("delete", path, **headers)


def api_client(user: User | None) -> ApiClient:
    if user is None:
        return ApiClient(Client())
    session = sessions.open_session(user, "test")
    return ApiClient(Client(), tokens.sign_token(session, "access"), user)


def problem_code(response: Any) -> tuple[int, str]:
    """Return status and code of an error response, after checking that it is a problem document."""
    assert response["Content-Type"] == "application/problem+json", response.content
    body = response.json()
    assert body["status"] == response.status_code
    assert {"type", "title", "detail", "code"} <= body.keys()
    return response.status_code, body["code"]


def staff_client(user: User, **options: Any) -> Client:
    """Return a client that is signed in to the admin as the user."""
    client = Client(**options)
    client.force_login(user)
    return client


def page_messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Return every row of the shop's tables, by model."""
    models = apps.get_app_config("shop").get_models()
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def stored_pictures():
    """Return the stored pictures, after checking that each thumbnail belongs to one."""
    files = {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}
    large = {path for path in files if not path.name.endswith(".small.webp")}
    assert files - large <= {path.with_suffix(".small.webp") for path in large}
    return sorted(large)


def pictures_after_purge():
    """Make all picture files old, purge, and return those that are left."""
    for path in Path(settings.MEDIA_ROOT).rglob("*.*"):
        os.utime(path, (0, 0))
    purge_pictures()
    return stored_pictures()
