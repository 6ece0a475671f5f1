"""Forms of the actions on orders."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from shop.admin.forms import TextField
from shop.models import OrderItem


class NoteField(TextField):
    """Several lines of text that are kept with an event of the order's timeline."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        super().__init__(max_length=1000, widget=widget, **options)


class MoveForm(forms.Form):
    """Move an order to its next status."""

    note = NoteField(
        label=_("Note"), required=False, help_text=_("Optional. The customer can read it.")
    )


class ShipForm(MoveForm):
    """Mark an order as shipped, with its carrier and tracking number."""

    carrier = TextField(
        label=_("Carrier"),
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Optional. For example DHL."),
    )
    tracking_number = TextField(
        label=_("Tracking number"),
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Optional. The customer gets it by email, with the carrier."),
    )
    field_order = ("carrier", "tracking_number", "note")


class CancelForm(forms.Form):
    """Cancel an order: why, and which of its items can't be sold again."""

    note = NoteField(
        label=_("Reason"), required=False, help_text=_("Optional. The customer can read it.")
    )
    written_off = forms.TypedMultipleChoiceField(
        label=_("Items to write off"),
        required=False,
        coerce=int,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Tick items that are missing or damaged. All others go back into stock."),
    )

    def __init__(self, data: Any = None, *, items: Iterable[OrderItem], note: str = "") -> None:
        super().__init__(data, initial={"note": note})
        written_off: Any = self.fields["written_off"]
        written_off.choices = [(item.product_id, str(item)) for item in items]


class StaffNoteForm(forms.Form):
    """Add a note to an order's timeline."""

    note = NoteField(
        label=_("Note"), help_text=_("Appears in the timeline with your name and the time.")
    )
    is_public = forms.BooleanField(
        label=_("Show it to the customer"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=_("If not ticked, only staff can read it."),
    )
