"""What the steps ask."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from shop import text_validation
from shop.models import OrderItem, Product, StockMovement
from shop.models.products import MAX_STOCK


class TextField(forms.CharField):
    """Text by the rule that holds at every door."""

    def to_python(self, value: Any) -> str:
        try:
            return text_validation.clean_text(super().to_python(value) or "")
        except ValueError as error:
            raise forms.ValidationError(str(error), code="characters") from error


class ConfirmForm(forms.Form):
    """A step that only needs a yes."""


def _note(label: str, help_text: str, *, required: bool = False) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return TextField(
        label=label, required=required, max_length=1000, widget=widget, help_text=help_text
    )


class NoteForm(forms.Form):
    """A step with a note that the customer can read."""

    note = _note("Note", "Optional. The customer can read it.")


class ShipForm(NoteForm):
    """How a parcel travels."""

    carrier = TextField(
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text="Optional. Who takes the parcel, such as DHL.",
    )
    tracking_number = TextField(
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text="Optional. Mailed to the customer, as is the carrier.",
    )
    field_order = ("carrier", "tracking_number", "note")


class CancelForm(forms.Form):
    """Why an order is called off, and which of its units cannot be sold again."""

    note = _note("Reason", "Optional. The customer can read it.")
    lost = forms.TypedMultipleChoiceField(
        label="Write off instead of putting back into stock",
        required=False,
        coerce=int,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Tick what did not come back, or not fit to sell.",
    )

    def __init__(self, data: Any = None, *, items: Iterable[OrderItem], note: str = "") -> None:
        super().__init__(data, initial={"note": note})
        lost: Any = self.fields["lost"]
        lost.choices = [(item.product_id, str(item)) for item in items]


class StaffNoteForm(forms.Form):
    """A note in an order's story."""

    note = _note("Note", "It stands in the timeline with your name and the time.", required=True)
    is_public = forms.BooleanField(
        label="Show it to the customer",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Otherwise only staff can read it.",
    )


class ReasonForm(forms.Form):
    """Why many orders are called off."""

    note = _note("Reason", "Optional. The customers can read it. Their units go back into stock.")


class StockForm(forms.Form):
    """Units that came or went."""

    delta = forms.IntegerField(
        label="Change",
        min_value=-MAX_STOCK,
        max_value=MAX_STOCK,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"autofocus": True}),
        help_text="Units to add, such as 12, or to take away, such as -3.",
    )
    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in StockMovement.MANUAL_KINDS],
        widget=UnfoldAdminSelectWidget,
        help_text="Why they came or went. A correction mends a number that was wrong.",
    )
    reason = TextField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="Optional. What a colleague will want to know in a month.",
    )

    def clean_delta(self) -> int:
        """A change changes something."""
        delta: int = self.cleaned_data["delta"]
        if delta == 0:
            raise forms.ValidationError("Enter how many units came or went.")
        return delta

    def clean(self) -> dict[str, Any]:
        """What was received came, and what was damaged went."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        kind = StockMovement.Kind(values.get("kind", StockMovement.Kind.CORRECTION))
        sign = {StockMovement.Kind.RECEIVED: 1, StockMovement.Kind.DAMAGED: -1}.get(kind, 0)
        if values.get("delta", 0) * sign < 0:
            self.add_error("delta", f"“{kind.label}” goes the other way.")
        return values


class CountForm(forms.Form):
    """What was counted, guarded by what the stock was when the counting began."""

    counted = forms.IntegerField(
        label="I counted",
        min_value=0,
        max_value=MAX_STOCK,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"autofocus": True}),
        help_text="All units on the shelf. The difference goes into the ledger.",
    )
    reason = TextField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="Optional. What explains a difference.",
    )
    expected = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, stock: int) -> None:
        super().__init__(data, initial={"expected": stock})


class PriceForm(forms.Form):
    """By how much many prices change."""

    by = forms.ChoiceField(
        label="Change each price by",
        choices=[("percent", "Percent"), ("amount", "Amount of money")],
        widget=UnfoldAdminSelectWidget,
    )
    value = forms.DecimalField(
        label="How much",
        max_digits=10,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"autofocus": True}),
        help_text="Such as 5 for more or -5 for less. New prices are rounded to the cent.",
    )

    def clean_value(self) -> Decimal:
        """A change changes something."""
        value: Decimal = self.cleaned_data["value"]
        if not value:
            raise forms.ValidationError("Enter by how much the prices change.")
        return value


class ReceiveForm(forms.Form):
    """How many units of each product came."""

    reason = TextField(
        label="Delivery",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as the supplier and the number of the delivery note.",
    )

    def __init__(self, data: Any = None, *, products: Iterable[Product]) -> None:
        super().__init__(data)
        for product in products:
            self.fields[str(product.pk)] = forms.IntegerField(
                label=f"{product.name} · {product.sku}",
                required=False,
                min_value=0,
                max_value=MAX_STOCK,
                widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": "0"}),
                help_text=f"{product.stock} in stock",
            )

    def clean(self) -> dict[str, Any]:
        """Something came."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not any(self.units(values).values()):
            raise forms.ValidationError("Enter how many units came.")
        return values

    @staticmethod
    def units(values: dict[str, Any]) -> dict[int, int]:
        """Product id to units."""
        return {int(name): count or 0 for name, count in values.items() if name != "reason"}
