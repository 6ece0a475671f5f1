"""Request and response schemas. Those of products are generated from the model."""

import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    Strict,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic import ValidationError as RequestValidationError

from shop import exposure, text_validation
from shop.api.model_filters import filter_schema
from shop.api.paging import Paging
from shop.api.request_values import (
    Amount,
    Email,
    Id,
    ShortText,
    SingleLineText,
)
from shop.api.strict_requests import Body, request_error
from shop.models import Order, Product, StockMovement, User
from shop.models.cart import MAX_LINES, MAX_QUANTITY
from shop.models.products import MAX_STOCK
from shop.schema_factory import generate_response, request_schema, response_schema
from shop.services.payments import TOKENS, default_method, is_simulated, offered_methods

MultiLineText = Annotated[str, AfterValidator(text_validation.clean_text), Field(max_length=1000)]
Password = Annotated[str, Field(min_length=1, max_length=256)]
Quantity = Annotated[int, Strict(), Field(ge=1, le=MAX_QUANTITY)]
Units = Annotated[int, Strict(), Field(ge=0, le=MAX_STOCK)]
type Status = Literal[tuple(Order.Status.values)]  # type: ignore[valid-type]
type Payment = Literal[tuple(Order.PaymentMethod.values)]  # type: ignore[valid-type]
type OfferedPayment = Literal[tuple(map(str, offered_methods()))]  # type: ignore[valid-type]
# Only a shop that offers simulated cards documents their tokens.
PaymentToken: Any = (
    Literal[TOKENS]
    if "card" in offered_methods() and is_simulated()
    else Annotated[SingleLineText, Field(max_length=255)]
)


# Accounts


@response_schema(User, exposure.api_readable_fields(User))
class UserOut(BaseModel):
    """A user account."""

    role: Literal[tuple(User.Role.values)]  # type: ignore[valid-type]


class SessionOut(BaseModel):
    """A session. Send `access` with every request, and `refresh` to get new tokens."""

    access: str
    refresh: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until `access` expires.")
    user: UserOut


@request_schema(User, exposure.customer_writable_fields(User))
class ProfileIn(Body):
    """The fields of the profile. Those that are left out keep their values, but for the phone."""


@request_schema(User, exposure.customer_writable_fields(User), partial=True)
class ProfilePatch(Body):
    """The fields of the profile to change."""


@request_schema(User, exposure.customer_writable_fields(User), with_defaults=True)
class NewCustomer(Body):
    """What customers say about themselves when they register."""


class RegisterIn(NewCustomer):
    """A new account."""

    email: Email
    # Last, so that it can be compared with the other fields.
    password: Password

    @field_validator("password")
    @classmethod
    def check_rules(cls, password: str, info: ValidationInfo) -> str:
        """Report every rule that the password breaks, beside the errors of the other fields."""
        columns = {field.attname for field in exposure.concrete_fields(User)}
        user = User(**{name: info.data[name] for name in columns & info.data.keys()})
        try:
            validate_password(password, user)
        except ValidationError as error:
            lines = [request_error(str(e.code), e.messages[0]) for e in error.error_list]
            raise RequestValidationError.from_exception_data("password", lines) from error
        return password


class LoginIn(Body):
    email: Annotated[SingleLineText, Field(max_length=254)]
    password: Password
    otp: SingleLineText = Field(
        "", max_length=20, description="Code of the second factor, for staff who have one."
    )


class RefreshIn(Body):
    refresh: Annotated[str, Field(max_length=2000)]


class LogoutIn(Body):
    everywhere: Annotated[bool, Strict()] = False


class PasswordChangeIn(Body):
    current_password: Password
    new_password: Password


class PasswordResetIn(Body):
    email: Annotated[SingleLineText, Field(max_length=254)]


class PasswordResetConfirmIn(Body):
    uid: ShortText
    token: ShortText
    new_password: Password


# Products


@response_schema(Product, exposure.api_readable_fields(Product), expandable=True)
class ProductOut(BaseModel):
    """A product."""


#: Model of the catalogue -> its response schema. They are made together, to refer to each other.
RESPONSES: dict[exposure.Model, type[BaseModel]] = {
    model: ProductOut if model is Product else generate_response(model)
    for model in exposure.catalogue_models()
}


@request_schema(Product, exposure.api_writable_fields(Product))
class ProductIn(Body):
    """The fields of a product. When replacing one, fields that are left out keep their values."""

    stock: Units = Field(
        default_factory=int,
        description="Units in stock. When replacing a product, the units counted.",
    )


@request_schema(Product, exposure.api_writable_fields(Product), partial=True)
class ProductPatch(Body):
    """The fields of a product to change."""

    stock: Units = Field(default_factory=int, description="Units counted in a stocktake.")


@filter_schema(Product)
class ProductFilters(Paging):
    """Query parameters of the product list."""

    search: ShortText = Field("", description="Words in the name, SKU or description.")


class StockDelta(Body):
    """A number of units to add to the stock; negative to remove them."""

    delta: Annotated[int, Strict(), Field(ge=-MAX_STOCK, le=MAX_STOCK)]
    kind: Literal[tuple(map(str, StockMovement.MANUAL_KINDS))] = "correction"  # type: ignore[valid-type]
    reason: Annotated[SingleLineText, Field(max_length=200)] = ""


class StockCount(Body):
    """A stocktake: the units counted, and the stock expected when counting started."""

    counted: Units
    expected: Units | None = None
    reason: Annotated[SingleLineText, Field(max_length=200)] = ""


def _stock_body_tag(value: Any) -> str:
    return "counted" if isinstance(value, dict) and "counted" in value else "delta"


StockIn = Annotated[
    Annotated[StockDelta, Tag("delta")] | Annotated[StockCount, Tag("counted")],
    Discriminator(_stock_body_tag),
]


# Cart


class CartAdd(Body):
    product_id: Annotated[Id, Strict()]
    quantity: Quantity = 1


class CartQuantity(Body):
    quantity: Quantity


class CartLineOut(BaseModel):
    """A line of the cart, at the current price."""

    id: int
    product: ProductOut
    quantity: int
    price: Decimal
    subtotal: Decimal
    problem: Literal["insufficient-stock", "unavailable"] | None


class CartOut(BaseModel):
    """The cart. The totals leave out the lines with a problem."""

    items: list[CartLineOut]
    total_quantity: int = Field(description="Units of the lines without a problem.")
    total_amount: Decimal = Field(description="Price of the lines without a problem.")
    can_checkout: bool = Field(description="Whether the cart has lines and none has a problem.")


# Orders


@request_schema(Order, exposure.checkout_fields(Order), with_defaults=True)
class CheckoutIn(Body):
    """An order of what is in the cart."""

    payment_method: OfferedPayment = str(default_method())
    payment_token: PaymentToken | None = Field(
        None, description="Required for `card`, ignored otherwise."
    )
    expected_total: Amount | None = Field(
        None, description="The total shown to the customer. The order is refused if it has changed."
    )


class CancelIn(Body):
    reason: MultiLineText = ""


class ProductUnits(Body):
    """A number of units of a product."""

    product_id: Annotated[Id, Strict()]
    quantity: Quantity


def _check_products_once(lines: list[Any]) -> list[Any]:
    products = [line.product_id for line in lines]
    if len(set(products)) < len(products):
        raise ValueError(_("Name each product once."))
    return lines


ONCE_PER_PRODUCT = AfterValidator(_check_products_once)
Notify = Annotated[bool, Strict()]


class StatusIn(Body):
    """The status to move an order to, and what belongs to that step."""

    status: Status
    note: MultiLineText = Field("", description="Visible to the customer.")
    carrier: Annotated[SingleLineText, Field(max_length=60)] = ""
    tracking_number: Annotated[SingleLineText, Field(max_length=60)] = ""
    written_off: Annotated[list[ProductUnits], Field(max_length=MAX_LINES), ONCE_PER_PRODUCT] = (
        Field(default_factory=list, description="Units that can't be sold any more.")
    )
    notify: Notify = Field(default=True, description="Whether the customer gets an email.")


class TrackingIn(Body):
    """Carrier and tracking number of a shipment."""

    carrier: Annotated[SingleLineText, Field(max_length=60)] = ""
    tracking_number: Annotated[SingleLineText, Field(max_length=60)] = ""
    notify: Notify = Field(default=False, description="Whether the customer gets an email.")


class OrderPatch(Body):
    """What to change of an order that is not shipped yet. What is left out stays."""

    shipping_address: Annotated[MultiLineText, Field(min_length=1)] | None = None
    note: MultiLineText | None = None
    items: (
        Annotated[list[ProductUnits], Field(min_length=1, max_length=MAX_LINES), ONCE_PER_PRODUCT]
        | None
    ) = Field(None, description="All items that the order shall have.")
    reason: MultiLineText = Field("", description="Visible to the customer.")
    expected_total: Amount | None = Field(
        None, description="The new total that was shown. The edit is refused if it has changed."
    )
    notify: Notify = Field(default=False, description="Whether the customer gets an email.")


class PaymentIn(Body):
    note: MultiLineText = ""


class RefundIn(Body):
    """An amount to pay back, in the order's currency."""

    amount: Annotated[Amount, Field(gt=0)] | None = Field(
        None, description="By default the refund that is due."
    )
    reason: Annotated[SingleLineText, Field(max_length=200)] = Field(
        "", description="Visible to the customer."
    )
    notify: Notify = Field(default=False, description="Whether the customer gets an email.")


class ReturnedItem(Body):
    """Units of a product that came back."""

    product_id: Annotated[Id, Strict()]
    put_back: Annotated[int, Strict(), Field(ge=0, le=MAX_QUANTITY)] = Field(
        0, description="Units that can be sold again."
    )
    write_off: Annotated[int, Strict(), Field(ge=0, le=MAX_QUANTITY)] = Field(
        0, description="Units that can't be sold any more."
    )


class ReturnIn(Body):
    """The units of a delivered order that came back."""

    items: Annotated[
        list[ReturnedItem], Field(min_length=1, max_length=MAX_LINES), ONCE_PER_PRODUCT
    ]
    note: MultiLineText = Field("", description="Visible to the customer.")
    notify: Notify = Field(default=False, description="Whether the customer gets an email.")


class OrderItemOut(BaseModel):
    """A line of an order, with the product's name and price when it was ordered."""

    id: int
    product_id: int
    sku: str
    name: str
    quantity: int
    price: Decimal
    subtotal: Decimal
    returned_quantity: int = Field(description="Units that were sent back.")
    tax_rate: Decimal | None = Field(description="Percent of tax that the price contains.")


class OrderEventOut(BaseModel):
    """An entry in the history of an order; `status` is the order's status then."""

    kind: Literal["status", "note", "edited", "tracking", "returned", "refunded"]
    status: Status
    at: datetime.datetime
    note: str
    details: str = Field(description="What was changed, such as `Mug: 2 → 1`.")


class ShipmentOut(BaseModel):
    """How an order was sent."""

    carrier: str
    tracking_number: str
    tracking_url: str | None
    shipped_at: datetime.datetime


@response_schema(Order, exposure.api_readable_fields(Order), expandable=True)
class OrderSummary(BaseModel):
    """An order without its history."""

    status: Status
    payment_method: Payment
    payment_status: Literal[tuple(Order.PaymentStatus.values)]  # type: ignore[valid-type]
    amount_due: Decimal = Field(description="What is still to be paid.")
    refund_due: Decimal = Field(description="What is still to be paid back.")
    shipment: ShipmentOut | None = Field(description="Null until the order is shipped.")
    items: list[OrderItemOut]
    can_cancel: bool = Field(description="Whether the caller can cancel the order now.")
    customer: UserOut | None = Field(None, description="For admins only.")


class OrderOut(OrderSummary):
    """An order with its history."""

    history: list[OrderEventOut]


@filter_schema(Order)
class OrderFilters(Paging):
    """Query parameters of the order list."""

    search: ShortText = Field(
        "",
        description="Words in the order number, or in the name or SKU of an item; for admins, also"
        " in the customer's name, email or phone, or in the shipping address.",
    )


class Health(BaseModel):
    """The shop's health."""

    status: Literal["ok"] = "ok"
