"""The calls of the API as its own document tells them, and what each needs to be made well."""

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from support import factories

DOCUMENT = json.loads(Client().get("/api/openapi.json").content)
SCHEMAS = DOCUMENT["components"]["schemas"]

#: A body that is well for each schema that a call takes.
BODIES: dict[str, dict[str, Any]] = {
    "RegisterIn": {
        "email": "eve@example.com",
        "password": "correct-horse-8",
        "first_name": "Eve",
        "last_name": "New",
        "phone": "1",
    },
    "LoginIn": {"email": "carl@example.com", "password": factories.PASSWORD},
    "RefreshIn": {"refresh": "x"},
    "LogoutIn": {"everywhere": False},
    "ProfileIn": {"first_name": "Karl", "last_name": "Buyer", "phone": "1"},
    "ProfilePatch": {"first_name": "Karl", "last_name": "Buyer", "phone": "1"},
    "PasswordChangeIn": {"current_password": factories.PASSWORD, "new_password": "another-horse-9"},
    "PasswordResetIn": {"email": "carl@example.com"},
    "PasswordResetConfirmIn": {"uid": "MQ", "token": "x", "new_password": "another-horse-9"},
    "ProductIn": {"name": "Vase", "price": "5.00"},
    "ProductPatch": {"name": "Vase"},
    "StockDelta": {"delta": 1, "kind": "received", "reason": "x"},
    "StockCount": {"counted": 1, "expected": 10, "reason": "x"},
    "CartAdd": {"product_id": 1, "quantity": 1},
    "CartQuantity": {"quantity": 1},
    "CheckoutIn": {"shipping_address": "1 Fern Road"},
    "CancelIn": {"reason": "x"},
    "StatusIn": {"status": "confirmed", "note": "x"},
}


@dataclass(frozen=True)
class Operation:
    """One call of the document."""

    id: str
    method: str
    path: str
    about: dict[str, Any]

    @property
    def is_protected(self) -> bool:
        return "security" in self.about

    @property
    def is_for_staff(self) -> bool:
        return "403" in self.about["responses"]

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return self.about.get("parameters", [])

    @property
    def body(self) -> dict[str, Any]:
        """The schema of its JSON body; empty where it takes none."""
        content = self.about.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema", {})

    @property
    def shapes(self) -> list[str]:
        """Names of the schemas that its JSON body may have."""
        found = [self.body, *self.body.get("anyOf", []), *self.body.get("oneOf", [])]
        return [one["$ref"].rsplit("/", 1)[1] for one in found if "$ref" in one]

    def address(self, ids: dict[str, Any]) -> str:
        return self.path.removeprefix("/api").format(**ids)

    def call(
        self, app: factories.ApiClient, ids: dict[str, Any], body: Any = None, query: str = ""
    ) -> Any:
        """Make the call, with a good body where none is given."""
        if body is None and self.shapes:
            body = BODIES[self.shapes[0]]
        return app.call(self.method, self.address(ids) + query, body)


OPERATIONS = [
    Operation(about["operationId"], method, path, about)
    for path, methods in DOCUMENT["paths"].items()
    for method, about in methods.items()
]
PROTECTED = [operation for operation in OPERATIONS if operation.is_protected]
STAFF = [operation for operation in OPERATIONS if operation.is_for_staff]
WITH_BODY = [operation for operation in OPERATIONS if operation.body]


def name(value: Any) -> str:
    """How a test is called that takes an operation."""
    return value.id if isinstance(value, Operation) else str(value)
