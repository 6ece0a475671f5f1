"""Forms of the pages "Receive goods" and "Count stock". Their rows are sent as one JSON field."""

from collections.abc import Mapping
from typing import Annotated, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from pydantic import Field, TypeAdapter
from pydantic import ValidationError as MalformedRows
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.admin.products.forms import ReasonField
from shop.models import Product
from shop.models.products import MAX_STOCK
from shop.services.goods import Count

MAX_ROWS = 2000

type Number = Annotated[int, Field(gt=-(2**63), lt=2**63)]
type Key = Annotated[int, Field(ge=0, lt=2**63)]
#: Key of a product, units received.
type ReceivedRow = tuple[Key, Number]
#: Key of a product, units counted, stock expected, and its newest stock movement at that time.
type CountedRow = tuple[Key, Number, Number, Key]


class RowsField(forms.CharField):
    """Rows of the table on the page as JSON, each a tuple that starts with a product's key."""

    default_error_messages = {  # noqa: RUF012 - Django's fields have plain class attributes
        "malformed": _("The table could not be read. Reload the page and try again."),
        "too_many": _("Send at most %(max)s products at a time."),
    }

    def __init__(self, row: Any) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)
        self._adapter: TypeAdapter[Any] = TypeAdapter(list[row])

    def to_python(self, value: Any) -> Any:
        try:
            rows = self._adapter.validate_json(value or "[]", strict=True)
        except MalformedRows as error:
            raise ValidationError(self.error_messages["malformed"], code="malformed") from error
        if len(rows) > MAX_ROWS:
            message = self.error_messages["too_many"] % {"max": f"{MAX_ROWS:,}"}
            raise ValidationError(message, code="too_many")
        if len({row[0] for row in rows}) < len(rows):
            raise ValidationError(self.error_messages["malformed"], code="malformed")
        return rows

    def run_validators(self, value: Any) -> None:
        """Do nothing: the validators are those of texts."""


class StockRoomForm(forms.Form):
    """The rows, and what the page asks beside them."""

    rows: forms.Field

    def product_ids(self) -> list[int]:
        """Return the keys of the products in the table, in its order."""
        return [row[0] for row in self.cleaned_data.get("rows", ())]

    def check_quantities(self, products: Mapping[int, Product]) -> None:
        """Raise ValidationError naming each product whose number is out of bounds.

        It also says how many products are gone; the table is shown without them.
        """
        if gone := len(set(self.product_ids()) - products.keys()):
            text = ngettext(
                "%(count)s product was deleted meanwhile and is no longer in the table.",
                "%(count)s products were deleted meanwhile and are no longer in the table.",
                gone,
            )
            raise ValidationError(text % {"count": f"{gone:,}"}, code="gone")
        message = _("%(product)s: enter a whole number from 0 to %(max)s.")
        errors = [
            ValidationError(
                message,
                code="quantity",
                params={"product": products[row[0]], "max": f"{MAX_STOCK:,}"},
            )
            for row in self.cleaned_data["rows"]
            if not 0 <= row[1] <= MAX_STOCK
        ]
        if errors:
            raise ValidationError(errors)


class ReceiptForm(StockRoomForm):
    """A delivery."""

    supplier = ReasonField(
        label=_("Supplier"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "suppliers", "autocomplete": "off"}),
    )
    delivery_note = ReasonField(
        label=_("Delivery note"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    rows = RowsField(ReceivedRow)

    def units(self) -> dict[int, int]:
        """Return product id -> units received."""
        return dict(self.cleaned_data["rows"])


class ShelfCountForm(StockRoomForm):
    """A count of many products."""

    note = ReasonField(
        label=_("Note"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("Optional. For example the shelf."),
    )
    rows = RowsField(CountedRow)

    def counts(self) -> dict[int, Count]:
        """Return product id -> what was counted and expected."""
        return {row[0]: Count(*row[1:]) for row in self.cleaned_data["rows"]}
