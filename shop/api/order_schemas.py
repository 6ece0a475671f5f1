"""Request and response schemas of orders."""

import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, Field, Strict

from shop import exposure
from shop.api.model_filters import filter_schema
from shop.api.paging import Paging
from shop.api.request_values import Amount, Id, ShortText, SingleLineText
from shop.api.schemas import MultiLineText, Quantity, UserOut
from shop.api.strict_requests import Body
from shop.models import Order
from shop.models.cart import MAX_LINES, MAX_QUANTITY
from shop.schema_factory import request_schema, response_schema
from shop.services.payments import TOKENS, default_method, is_simulated, offered_methods

type Status = Literal[tuple(Order.Status.values)]  # type: ignore[valid-type]
type Payment = Literal[tuple(Order.PaymentMethod.values)]  # type: ignore[valid-type]
type OfferedPayment = Literal[tuple(map(str, offered_methods()))]  # type: ignore[valid-type]
# Only a shop that offers simulated cards documents their tokens.
PaymentToken: Any = (
    Literal[TOKENS]
    if "card" in offered_methods() and is_simulated()
    else Annotated[SingleLineText, Field(max_length=255)]
)


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
