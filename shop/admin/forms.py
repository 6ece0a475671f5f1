"""What the steps ask."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from shop.models import Product, StockMovement
from shop.models.catalogue import MAX_STOCK


class NothingToAsk(forms.Form):
    """A step that only needs a yes."""


class NoteForm(forms.Form):
    """A step with a note that the customer can read."""

    note = forms.CharField(
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Optional. The customer can read it.",
    )


class CancelForm(NoteForm):
    """Why an order is called off."""

    note = forms.CharField(
        label="Reason",
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Optional. The customer can read it.",
    )


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
        choices=[(kind.value, kind.label) for kind in StockMovement.BY_HAND],
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="What a colleague will want to know in a month.",
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


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]
    """A product. Each field remembers what was shown, so that only what was really edited is written."""

    first_stock = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_STOCK,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Units that are there now. Later changes go through “Adjust stock”.",
    )

    class Meta:
        model = Product
        fields = "__all__"  # noqa: DJ007 - new fields are to arrive by themselves

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = not isinstance(field, forms.FileField)
