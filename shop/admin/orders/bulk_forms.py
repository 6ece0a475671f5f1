"""Forms of the steps that change many orders at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.admin.forms import TextField
from shop.admin.orders.forms import CarrierField, CarrierInput, NoteField, NotifyField
from shop.models import Order
from shop.services.shipments import Shipment

#: How carriers and tracking numbers are typed: by a scanner, a spreadsheet, or a thumb.
CODE_ATTRS = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class BulkForm(forms.Form):
    """Confirms a step. `notify` is there if the step mails the customers."""

    notify = NotifyField(initial=True)

    def __init__(
        self, data: Any = None, *, orders: Sequence[Order], count: int, has_email: bool
    ) -> None:
        """`orders` are those that the page lists, `count` the number of all that it changes."""
        super().__init__(data)
        self.fields["notify"].label = ngettext(
            "Send %(count)s email to its customer", "Send %(count)s emails to the customers", count
        ) % {"count": f"{count:,}"}
        if not has_email:
            del self.fields["notify"]

    def visible_fields(self) -> list[forms.BoundField]:
        """Return the fields that the page shows above the orders: not those that it places."""
        return [field for field in super().visible_fields() if field.name != "notify"]

    def shipments(self) -> Mapping[int, Shipment]:
        """Return what was entered about the parcels, by the orders' keys."""
        return {}

    def example_shipment(self, order: Order) -> Shipment:
        """Return what an email to this order's customer says of the parcel."""
        return Shipment(order.carrier, order.tracking_number)


class BulkReasonForm(BulkForm):
    """Asks why many orders are cancelled."""

    note = NoteField(
        label=_("Reason"),
        required=False,
        help_text=_("Optional. The customers can read it, in the email too."),
    )


class CodeField(TextField):
    """A carrier or a tracking number."""

    def __init__(self, *, attrs: Mapping[str, Any], **options: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={**CODE_ATTRS, **attrs})
        super().__init__(required=False, max_length=60, widget=widget, **options)


class BulkShipForm(BulkForm):
    """Asks for carrier and tracking number of each order.

    The fields of an order are `carrier-<key>` and `tracking-<key>`. A row without a carrier gets
    the one for all.
    """

    carrier = CarrierField(
        label=_("Carrier for all"), help_text=_("Used where a row has no carrier of its own.")
    )

    def __init__(self, data: Any = None, *, orders: Sequence[Order], **options: Any) -> None:
        super().__init__(data, orders=orders, **options)
        self.orders = orders
        for order in orders:
            self.fields[f"carrier-{order.pk}"] = CodeField(
                label=gettext("Carrier of %(order)s") % {"order": order},
                attrs={
                    "list": CarrierInput.LIST_ID,
                    "data-ship": "carrier",
                    "enterkeyhint": "next",
                    "placeholder": _("Carrier"),
                },
            )
            self.fields[f"tracking-{order.pk}"] = CodeField(
                label=gettext("Tracking number of %(order)s") % {"order": order},
                attrs={
                    "data-ship": "tracking",
                    "enterkeyhint": "next",
                    "placeholder": _("Tracking number"),
                },
            )

    def visible_fields(self) -> list[forms.BoundField]:
        return [self["carrier"]]

    def row_fields(self, order: Order) -> list[forms.BoundField]:
        """Return the fields of an order's row."""
        return [self[f"carrier-{order.pk}"], self[f"tracking-{order.pk}"]]

    def shipments(self) -> Mapping[int, Shipment]:
        return {order.pk: self._shipment(order) for order in self.orders}

    def _shipment(self, order: Order) -> Shipment:
        """Return what was entered in the order's row; empty where it is invalid."""
        values = getattr(self, "cleaned_data", {})
        carrier = values.get(f"carrier-{order.pk}") or values.get("carrier", "")
        return Shipment(carrier, values.get(f"tracking-{order.pk}", ""))

    def example_shipment(self, order: Order) -> Shipment:
        """Return the order's carrier and number, or what stands for them in the email's preview."""
        entered = self._shipment(order)
        return Shipment(
            entered.carrier or gettext("(carrier)"),
            entered.tracking_number or gettext("(tracking number)"),
        )
