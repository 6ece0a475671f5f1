"""Request and response schemas of accounts, products and carts; see also `order_schemas`."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
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
    Email,
    Id,
    ShortText,
    SingleLineText,
)
from shop.api.strict_requests import Body, request_error
from shop.models import Product, StockMovement, User
from shop.models.cart import MAX_QUANTITY
from shop.models.products import MAX_STOCK
from shop.schema_factory import generate_response, request_schema, response_schema

MultiLineText = Annotated[str, AfterValidator(text_validation.clean_text), Field(max_length=1000)]
Password = Annotated[str, Field(min_length=1, max_length=256)]
Quantity = Annotated[int, Strict(), Field(ge=1, le=MAX_QUANTITY)]
Units = Annotated[int, Strict(), Field(ge=0, le=MAX_STOCK)]


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


class Health(BaseModel):
    """The shop's health."""

    status: Literal["ok"] = "ok"
