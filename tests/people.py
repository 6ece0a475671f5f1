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
from shop.models import CartItem, Product, User
from shop.models.people import ALL_RIGHTS
from shop.services import accounts
from shop.services.pictures import purge_pictures
from shop.services.stock import first_stock
from shop.services.transactions import atomically

PASSWORD = "correct-horse-7"
SECRET = make_password(PASSWORD)


def person(first_name: str, last_name: str, **rights: Any) -> User:
    """Somebody whose password is PASSWORD, written without the questions that other tests ask."""
    email = f"{first_name.lower()}@example.com"
    user = User(email=email, first_name=first_name, last_name=last_name, password=SECRET, **rights)
    user.save()
    return user


def ada() -> User:
    return person("Ada", "Staff", **ALL_RIGHTS)


def carl() -> User:
    return person("Carl", "Buyer")


def dora() -> User:
    return person("Dora", "Stranger")


@atomically
def product(name: str = "Mug", *, price: str = "12.50", stock: int = 10, **values: Any) -> Product:
    item = Product(name=name, price=Decimal(price), **values)
    item.save()
    first_stock(item, stock=stock, actor=None)
    return item


def put_in_cart(user: User, *lines: tuple[Product, int]) -> None:
    for item, quantity in lines:
        CartItem.objects.create(user=user, product=item, quantity=quantity)


@dataclass
class App:
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


def app_of(user: User | None) -> App:
    if user is None:
        return App(Client())
    session = accounts._open_session(user, "test")
    return App(Client(), tokens.sign(session, "access"), user)


def problem(response: Any) -> tuple[int, str]:
    """The status and code of a refusal, which must be a problem document."""
    assert response["Content-Type"] == "application/problem+json", response.content
    body = response.json()
    assert body["status"] == response.status_code
    assert {"type", "title", "detail", "code"} <= body.keys()
    return response.status_code, body["code"]


def browser_of(user: User, **options: Any) -> Client:
    """Someone's browser, signed in to the back office."""
    browser = Client(**options)
    browser.force_login(user)
    return browser


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def contents() -> dict[str, list[dict[str, Any]]]:
    """Every row of the shop's tables."""
    models = apps.get_app_config("shop").get_models()
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def pictures():
    """The files of the pictures that are stored; each small one must be beside its own."""
    found = {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}
    large = {path for path in found if not path.name.endswith(".small.webp")}
    assert found - large <= {path.with_suffix(".small.webp") for path in large}
    return sorted(large)


def pictures_kept():
    """Those that are left by a purge when all of them are old."""
    for path in Path(settings.MEDIA_ROOT).rglob("*.*"):
        os.utime(path, (0, 0))
    purge_pictures()
    return pictures()
