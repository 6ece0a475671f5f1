"""The API's operations, read from its OpenAPI document, with a valid body for each schema."""

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from shop import exposure
from shop.models import Order
from support import factories, further_models

DOCUMENT = json.loads(Client().get("/api/openapi.json").content)
SCHEMAS = DOCUMENT["components"]["schemas"]

#: A valid body for each request schema.
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
    "StatusIn": {"status": Order.FLOW[Order.Status.PENDING][0], "note": "x"},
    "OrderPatch": {"shipping_address": "2 Elm Street"},
    "TrackingIn": {"carrier": "DHL", "tracking_number": "1"},
    "PaymentIn": {"note": "x"},
    "RefundIn": {"amount": "1.00", "reason": "x"},
    "ReturnIn": {"items": [{"product_id": 1, "put_back": 1}]},
}
for model in further_models.further_models():
    values = further_models.example_values(model, exposure.api_writable_fields(model))
    BODIES |= dict.fromkeys([f"{model.__name__}In", f"{model.__name__}Patch"], values)


@dataclass(frozen=True)
class Operation:
    """An operation of the OpenAPI document."""

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
    def takes_a_file(self) -> bool:
        return "multipart/form-data" in self.about.get("requestBody", {}).get("content", {})

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return self.about.get("parameters", [])

    @property
    def content(self) -> dict[str, Any]:
        """Media type -> what the document says of a body of that type."""
        return self.about.get("requestBody", {}).get("content", {})

    @property
    def body(self) -> dict[str, Any]:
        """The schema of the JSON body; empty if there is no body."""
        return self.content.get("application/json", {}).get("schema", {})

    @property
    def schemas(self) -> list[str]:
        """Names of the schemas that the JSON body may have."""
        alternatives = [self.body, *self.body.get("anyOf", []), *self.body.get("oneOf", [])]
        return [schema["$ref"].rsplit("/", 1)[1] for schema in alternatives if "$ref" in schema]

    def url(self, ids: dict[str, Any]) -> str:
        return self.path.removeprefix("/api").format(**ids)

    def call(
        self, app: factories.ApiClient, ids: dict[str, Any], body: Any = None, query: str = ""
    ) -> Any:
        """Call the operation, with a valid body by default."""
        if body is None and self.schemas:
            body = BODIES[self.schemas[0]]
        return app.call(self.method, self.url(ids) + query, body)


OPERATIONS = [
    Operation(about["operationId"], method, path, about)
    for path, methods in DOCUMENT["paths"].items()
    for method, about in methods.items()
]
PROTECTED = [operation for operation in OPERATIONS if operation.is_protected]
STAFF = [operation for operation in OPERATIONS if operation.is_for_staff]
WITH_BODY = [operation for operation in OPERATIONS if operation.body]


def operation_id(value: Any) -> str:
    """Id of a parametrized test that takes an operation."""
    return value.id if isinstance(value, Operation) else str(value)
