"""The people of the tests: Ada is staff, Carl buys, Dora is the stranger who must see nothing."""

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
from shop.services import accounts
from shop.services.pictures import purge_pictures
from shop.services.stock import record_initial_stock

PASSWORD = "correct-horse-7"
PASSWORD_HASH = make_password(PASSWORD)


def create_user(first_name: str, last_name: str, **rights: Any) -> User:
    """Somebody whose password is PASSWORD, written without the questions that other tests ask."""
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
    item = Product(name=name, price=Decimal(price), **values)
    item.save()
    record_initial_stock(item, stock=stock, actor=None)
    return item


def add_to_cart(user: User, *lines: tuple[Product, int]) -> None:
    for item, quantity in lines:
        CartItem.objects.create(user=user, product=item, quantity=quantity)


@dataclass
class ApiClient:
    """A customer's app: Django's test client that speaks JSON with a token."""

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
    session = accounts._open_session(user, "test")
    return ApiClient(Client(), tokens.sign_token(session, "access"), user)


def problem_code(response: Any) -> tuple[int, str]:
    """The status and code of a refusal, which must be a problem document."""
    assert response["Content-Type"] == "application/problem+json", response.content
    body = response.json()
    assert body["status"] == response.status_code
    assert {"type", "title", "detail", "code"} <= body.keys()
    return response.status_code, body["code"]


def staff_client(user: User, **options: Any) -> Client:
    """Someone's browser, signed in to the back office."""
    browser = Client(**options)
    browser.force_login(user)
    return browser


def page_messages(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of the shop's tables."""
    models = apps.get_app_config("shop").get_models()
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def stored_pictures():
    """The files of the pictures that are stored; each small one must be beside its own."""
    found = {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}
    large = {path for path in found if not path.name.endswith(".small.webp")}
    assert found - large <= {path.with_suffix(".small.webp") for path in large}
    return sorted(large)


def pictures_after_purge():
    """Those that are left by a purge when all of them are old."""
    for path in Path(settings.MEDIA_ROOT).rglob("*.*"):
        os.utime(path, (0, 0))
    purge_pictures()
    return stored_pictures()
