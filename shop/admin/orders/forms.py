"""Forms of the steps on orders."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from shop import money
from shop.admin.forms import AmountField, TextField
from shop.models import Carrier, Order
from shop.models.cart import MAX_QUANTITY
from shop.models.outbox import EMAILS, ORDER_REFUNDED, ORDER_TRACKING
from shop.services.errors import OrderChanged


class NoteField(TextField):
    """Several lines of text that are kept with an event of the order's timeline."""

    def __init__(self, *, max_length: int = 1000, **options: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        super().__init__(max_length=max_length, widget=widget, **options)


class NotifyField(forms.BooleanField):
    """The choice whether the customer is mailed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Email the customer"), required=False, widget=UnfoldBooleanWidget, **options
        )


class CarrierInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    """A text input that suggests the carriers' names; any other may be typed."""

    LIST_ID = "carriers"

    def __init__(self) -> None:
        super().__init__(attrs={"list": self.LIST_ID, "autocomplete": "off"})

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        names = Carrier.objects.values_list("name")
        return format_html(
            '{}<datalist id="{}">{}</datalist>',
            super().render(*args, **kwargs),
            self.LIST_ID,
            format_html_join("", '<option value="{}"></option>', names),
        )


class CarrierField(TextField):
    """The name of a carrier."""

    def __init__(self, **options: Any) -> None:
        defaults = {"label": _("Carrier"), "required": False, "max_length": 60}
        super().__init__(**{**defaults, "widget": CarrierInput, **options})


class UnitsField(forms.IntegerField):
    """A number of units of one product; `label` is read aloud, beside a table's heading."""

    def __init__(self, *, label: str, **options: Any) -> None:
        attrs = {"aria-label": label, "inputmode": "numeric", "min": "0"}
        widget = UnfoldAdminIntegerFieldWidget(attrs=attrs)
        options |= {"min_value": 0, "max_value": MAX_QUANTITY, "widget": widget}
        super().__init__(label=label, **options)


class TrackingNumberField(TextField):
    """The number by which the carrier finds a parcel."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Tracking number"),
            required=False,
            max_length=60,
            widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        )


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


class SeenForm(forms.Form):
    """A form that carries what it was filled in for, so that a concurrent change is told.

    `current` names what the order holds now. `check_unchanged` is called when the form's key is
    known to be new: a second press of the same button must find the first one's result instead.
    """

    data: Any  # a copy, which what is counted as seen is written to

    seen = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)

    def __init__(
        self, data: Any = None, *, current: str, initial: Mapping[str, Any] | None = None
    ) -> None:
        data = None if data is None else data.copy()
        super().__init__(data, initial={**(initial or {}), "seen": current})
        self.current = current

    def check_unchanged(self) -> None:
        """Raise OrderChanged if the order is not as it was seen.

        The form then counts what it says about it as seen; what was entered stays.
        """
        if self.cleaned_data["seen"] in ("", self.current):
            return
        self.data["seen"] = self.current
        raise OrderChanged(self.report_change())

    def report_change(self) -> str:
        """Say that the order was changed, and how it is now if the page doesn't show it."""
        return str(OrderChanged.message)


class MoveForm(SeenForm):
    """Move an order to its next status."""

    note = NoteField(
        label=_("Note"), required=False, help_text=_("Optional. The customer can read it.")
    )


class MailedMoveForm(MoveForm):
    """Move an order to a status of which customers are mailed."""

    notify = NotifyField(initial=True)


class ShipForm(MailedMoveForm):
    """Mark an order as shipped, with its carrier and tracking number."""

    carrier = CarrierField()
    tracking_number = TrackingNumberField()
    field_order = ("carrier", "tracking_number", "note", "notify")


class MarkPaidForm(SeenForm):
    """Record that what is due was paid."""

    def __init__(self, data: Any = None, *, order: Order) -> None:
        super().__init__(data, current=f"{order.amount_due:.2f}")
        self.order = order

    def report_change(self) -> str:
        amount = money.format_money(self.order.amount_due, self.order.currency)
        return gettext(
            "What is due of this order has changed in the meantime. Now it is %(amount)s."
        ) % {"amount": amount}


class TrackingForm(SeenForm):
    """Add or correct carrier and tracking number of an order that was shipped."""

    carrier = CarrierField()
    tracking_number = TrackingNumberField()
    notify = NotifyField(initial=EMAILS[ORDER_TRACKING].is_ticked)

    def __init__(self, data: Any = None, *, order: Order) -> None:
        initial = {"carrier": order.carrier, "tracking_number": order.tracking_number}
        super().__init__(data, current=" / ".join(initial.values()), initial=initial)

    def report_change(self) -> str:
        return gettext(
            "Someone else changed the tracking in the meantime. Now it is: %(tracking)s."
            " Save again to replace it."
        ) % {"tracking": self.current}


class RefundForm(SeenForm):
    """Record that money was paid back."""

    reason = NoteField(
        label=_("Reason"),
        required=False,
        max_length=200,
        help_text=_("Optional. The customer can read it."),
    )
    notify = NotifyField(initial=EMAILS[ORDER_REFUNDED].is_ticked)

    def __init__(self, data: Any = None, *, order: Order) -> None:
        self.order, decimals = order, money.shown_decimals(order.currency)
        super().__init__(data, current=f"{order.refunded_amount:.2f}")
        amount = AmountField(
            label=gettext("Amount in %(currency)s") % {"currency": order.currency},
            initial=round(order.refund_due, decimals) if order.refund_due else None,
            min_value=money.CENT,
            max_digits=15,
            decimal_places=decimals,
            help_text=_describe_refund(order),
        )
        self.fields = {"amount": amount, **self.fields}

    def report_change(self) -> str:
        amount = money.format_money(self.order.refunded_amount, self.order.currency)
        return gettext(
            "Someone else recorded a refund in the meantime: %(amount)s was paid back by now."
            " Check the amount."
        ) % {"amount": amount}


def _describe_refund(order: Order) -> str:
    """Say how much can be refunded, and from where on it lowers the order's price."""
    refundable, due = order.received_amount, order.refund_due
    sentences = [gettext("At most %(amount)s.")]
    if due and due < refundable:
        sentences = [
            gettext("%(due)s is due. More than that lowers the price of the order."),
            *sentences,
        ]
    elif not due:
        sentences.append(gettext("It lowers the price of the order."))
    names = {
        "amount": money.format_money(refundable, order.currency),
        "due": money.format_money(due, order.currency),
    }
    return " ".join(sentences) % names
