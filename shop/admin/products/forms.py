"""Forms of the actions on products: stock and prices."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from shop.admin.forms import TextField
from shop.models import StockMovement
from shop.models.order_status import Text
from shop.models.products import MAX_STOCK
from shop.services import bulk_pricing
from shop.services.bulk_pricing import PriceChange

Kind = StockMovement.Kind
#: Kinds of movement that only add or only remove units -> the sign, and the error for the other.
SIGNED_KINDS: dict[str, tuple[int, Text]] = {
    Kind.RECEIVED: (1, _("Received stock must be a positive number.")),
    Kind.DAMAGED: (-1, _("Damaged or lost stock must be a negative number.")),
}


class ReasonField(TextField):
    """One line of text that is kept with a stock movement."""

    def __init__(self, **options: Any) -> None:
        defaults = {"max_length": 200, "widget": UnfoldAdminTextInputWidget()}
        super().__init__(required=False, **defaults | options)


class StockForm(forms.Form):
    """Add or remove units of a product."""

    delta = forms.IntegerField(
        label=_("Change"),
        min_value=-MAX_STOCK,
        max_value=MAX_STOCK,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"autofocus": True}),
        help_text=_("Units to add, such as 12, or to remove, such as -3."),
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(kind.value, kind.label) for kind in StockMovement.MANUAL_KINDS],
        widget=UnfoldAdminSelectWidget,
        help_text=_("Choose correction if the recorded number was wrong."),
    )
    reason = ReasonField(
        label=_("Reason"), help_text=_("Optional. Shown in the product's stock movements.")
    )

    def clean_delta(self) -> int:
        """Refuse zero."""
        delta: int = self.cleaned_data["delta"]
        if delta == 0:
            raise forms.ValidationError(_("Enter a number other than 0."), code="zero")
        return delta

    def clean(self) -> dict[str, Any]:
        """Refuse a number whose sign doesn't suit the kind, see `SIGNED_KINDS`."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        sign, message = SIGNED_KINDS.get(values.get("kind", ""), (0, ""))
        if values.get("delta", 0) * sign < 0:
            self.add_error("delta", forms.ValidationError(str(message), code="sign"))
        return values


class CountForm(forms.Form):
    """Record a stock count. `expected` is the stock that was shown when the page was opened."""

    counted = forms.IntegerField(
        label=_("Units counted"),
        min_value=0,
        max_value=MAX_STOCK,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"autofocus": True}),
        help_text=_("Count every unit you have. We record the difference."),
    )
    reason = ReasonField(
        label=_("Reason"), help_text=_("Optional. Shown in the product's stock history.")
    )
    expected = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, stock: int) -> None:
        super().__init__(data, initial={"expected": stock})


class PriceForm(forms.Form):
    """How the prices of several products change, and how the new ones are rounded."""

    by = forms.ChoiceField(
        label=_("Change by"),
        choices=[
            ("percent", _("Percent")),
            ("amount", _("Fixed amount")),
            ("new_price", _("Set to a price")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    value = forms.DecimalField(
        label=_("Value"),
        max_digits=10,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"autofocus": True}),
        help_text=_("For example 5 to raise or -5 to lower."),
    )
    rounding = forms.ChoiceField(
        label=_("Round new prices"), required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        roundings = bulk_pricing.offered_roundings()
        rounding: Any = self.fields["rounding"]
        rounding.choices = [(name, rounding.label) for name, rounding in roundings.items()]

    def clean(self) -> dict[str, Any]:
        """Refuse a change by zero. A price may be set to zero."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("value") == 0 and values.get("by") != "new_price":
            message = _("Enter a number other than 0.")
            self.add_error("value", forms.ValidationError(message, code="zero"))
        return values

    def price_change(self) -> PriceChange:
        """Return the change that a valid form asks for."""
        values = self.cleaned_data
        return PriceChange(**{values["by"]: values["value"]}, rounding=values["rounding"])
