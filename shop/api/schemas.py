"""What goes in and out. Products are read from the model; people, carts and orders are written by hand."""

import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, Strict, Tag

from shop import exposure, text_validation
from shop.models import Order, Product, StockMovement
from shop.models.cart import MAX_QUANTITY
from shop.models.products import MAX_STOCK
from shop.schema_factory import Body, request_schema, response_schema
from shop.services.payments import TOKENS

MAX_ID = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 1900, 2999

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Line = Annotated[str, AfterValidator(text_validation.clean_line)]
Text = Annotated[str, AfterValidator(text_validation.clean_text), Field(max_length=1000)]
Name = Annotated[Line, Field(min_length=1, max_length=100)]
Phone = Annotated[Line, Field(max_length=30)]
Password = Annotated[str, Field(min_length=1, max_length=256)]
Quantity = Annotated[int, Strict(), Field(ge=1, le=MAX_QUANTITY)]
Units = Annotated[int, Strict(), Field(ge=0, le=MAX_STOCK)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)]
Search = Annotated[Line, Field(max_length=100)]
type Status = Literal[tuple(Order.Status.values)]  # type: ignore[valid-type]
type Payment = Literal[tuple(Order.PaymentMethod.values)]  # type: ignore[valid-type]


def _email(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from error
    return value.lower()


def _day(value: Any) -> Any:
    """`2026-03-11` is a day, not its first moment."""
    is_day = isinstance(value, str) and len(value) == len("2026-03-11")
    return datetime.date.fromisoformat(value) if is_day else value


def _in_our_times(value: datetime.date) -> datetime.date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
    return value


Email = Annotated[Line, Field(max_length=254), AfterValidator(_email)]


Moment = Annotated[
    datetime.datetime | datetime.date, BeforeValidator(_day), AfterValidator(_in_our_times)
]


class Page[Item](BaseModel):
    """One page of a list."""

    items: list[Item]
    count: int = Field(description="How many there are on all pages.")
    next: str | None = Field(description="Address of the next page.")
    previous: str | None = Field(description="Address of the page before.")


class Paging(BaseModel):
    """Which page of a list."""

    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(20, ge=1, le=100)

    @property
    def start(self) -> int:
        """How many rows come before the page."""
        return (self.page - 1) * self.page_size

    @property
    def stop(self) -> int:
        """How many there are up to its end."""
        return self.start + self.page_size


# People


class UserOut(BaseModel):
    """A person."""

    id: int
    email: str
    first_name: str
    last_name: str
    phone: str
    role: Literal["customer", "admin"]
    created_at: datetime.datetime


class SessionOut(BaseModel):
    """A login: send `access` with every call, `refresh` to get the next pair."""

    access: str
    refresh: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until `access` expires.")
    user: UserOut


class RegisterIn(Body):
    email: Email
    password: Password
    first_name: Name
    last_name: Name
    phone: Phone = ""


class LoginIn(Body):
    email: Annotated[Line, Field(max_length=254)]
    password: Password
    otp: Line = Field("", max_length=20, description="For staff with a second factor: its code.")


class RefreshIn(Body):
    refresh: Annotated[str, Field(max_length=2000)]


class LogoutIn(Body):
    everywhere: Annotated[bool, Strict()] = False


class ProfileIn(Body):
    first_name: Name
    last_name: Name
    phone: Phone = ""


class ProfilePatch(Body):
    first_name: Name = Field(default_factory=str)
    last_name: Name = Field(default_factory=str)
    phone: Phone = Field(default_factory=str)


class PasswordChangeIn(Body):
    current_password: Password
    new_password: Password


class PasswordResetIn(Body):
    email: Annotated[Line, Field(max_length=254)]


class PasswordResetConfirmIn(Body):
    uid: Annotated[Line, Field(max_length=100)]
    token: Annotated[Line, Field(max_length=100)]
    new_password: Password


# Products


@response_schema(Product, exposure.api_readable_fields(Product))
class ProductOut(BaseModel):
    """A product as customers see it."""


@request_schema(Product, exposure.api_writable_fields(Product))
class ProductIn(Body):
    """A product. In a change, what is left out keeps its value."""

    stock: Units = Field(
        default_factory=int, description="Units in stock; in a change, a count of them."
    )


@request_schema(Product, exposure.api_writable_fields(Product), partial=True)
class ProductPatch(Body):
    """The fields of a product to change."""

    stock: Units = Field(default_factory=int, description="Units counted.")


class ProductFilters(Paging):
    """What to show of the catalogue."""

    search: Search = Field("", description="Words of the name, the SKU or the description.")
    min_price: Amount | None = None
    max_price: Amount | None = None
    in_stock: bool | None = None
    is_active: bool | None = Field(
        None, description="For admins: only these. Others see active ones."
    )
    ordering: Literal["name", "-name", "price", "-price", "created_at", "-created_at"] = (
        "-created_at"
    )


class StockDelta(Body):
    """Units that came or went."""

    delta: Annotated[int, Strict(), Field(ge=-MAX_STOCK, le=MAX_STOCK)]
    kind: Literal[tuple(map(str, StockMovement.MANUAL_KINDS))] = "correction"  # type: ignore[valid-type]
    reason: Annotated[Line, Field(max_length=200)] = ""


class StockCount(Body):
    """What was counted, and what the stock was when the counting began."""

    counted: Units
    expected: Units | None = None
    reason: Annotated[Line, Field(max_length=200)] = ""


def _kind_of_change(value: Any) -> str:
    return "counted" if isinstance(value, dict) and "counted" in value else "delta"


StockIn = Annotated[
    Annotated[StockDelta, Tag("delta")] | Annotated[StockCount, Tag("counted")],
    Discriminator(_kind_of_change),
]


# Cart


class CartAdd(Body):
    product_id: Annotated[Id, Strict()]
    quantity: Quantity = 1


class CartQuantity(Body):
    quantity: Quantity


class CartLineOut(BaseModel):
    """One line of the cart, at today's price."""

    id: int
    product: ProductOut
    quantity: int
    price: Decimal
    subtotal: Decimal
    problem: Literal["insufficient-stock", "unavailable"] | None


class CartOut(BaseModel):
    """The whole cart."""

    items: list[CartLineOut]
    total_quantity: int
    total_amount: Decimal
    can_checkout: bool = Field(description="Whether there are lines and none has a problem.")


# Orders


class CheckoutIn(Body):
    shipping_address: Annotated[Text, Field(min_length=1)]
    payment_method: Payment = "cash_on_delivery"
    payment_token: Literal[TOKENS] | None = Field(  # type: ignore[valid-type]
        None, description="For `card`, simulated."
    )
    expected_total: Amount | None = Field(
        None, description="What the customer was shown; another total is refused."
    )
    note: Text = ""


class CancelIn(Body):
    reason: Text = ""


class StatusIn(Body):
    status: Status
    note: Text = Field("", description="The customer can read it.")


class OrderItemOut(BaseModel):
    """One line of an order, as it was when it was ordered."""

    id: int
    product_id: int
    sku: str
    name: str
    quantity: int
    price: Decimal
    subtotal: Decimal


class OrderEventOut(BaseModel):
    """One step of an order's way."""

    status: Status
    at: datetime.datetime
    note: str


class OrderSummary(BaseModel):
    """An order in a list."""

    id: int
    order_number: str
    status: Status
    payment_method: Payment
    payment_status: Literal[tuple(Order.PaymentStatus.values)]  # type: ignore[valid-type]
    total_amount: Decimal
    shipping_address: str
    note: str
    items: list[OrderItemOut]
    can_cancel: bool = Field(description="Whether the caller may cancel it now.")
    customer: UserOut | None = Field(None, description="For admins only.")
    created_at: datetime.datetime
    updated_at: datetime.datetime


class OrderOut(OrderSummary):
    """An order with its history."""

    history: list[OrderEventOut]


class OrderFilters(Paging):
    """Which orders."""

    status: Status | None = None
    search: Search = Field(
        "", description="A part of the order number; for admins also of the email."
    )
    created_from: Moment | None = None
    created_to: Moment | None = Field(None, description="A day counts whole.")


class Health(BaseModel):
    """The shop answers."""

    status: Literal["ok"] = "ok"
