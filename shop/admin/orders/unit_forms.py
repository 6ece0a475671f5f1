"""Forms that ask what becomes of each unit of an order: put back into stock, or written off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from shop.admin.orders.forms import NoteField, NotifyField, SeenForm, UnitsField
from shop.models import OrderItem
from shop.services.returns import ReturnedUnits


@dataclass(frozen=True)
class UnitRow:
    """A product of the order with its two fields; `units` is how many the customer has."""

    item: OrderItem
    units: int
    put_back: forms.BoundField
    write_off: forms.BoundField

    @property
    def fields(self) -> tuple[forms.BoundField, forms.BoundField]:
        """Both fields."""
        return self.put_back, self.write_off


class UnitsForm(SeenForm):
    """A row per product with the units to put back and to write off.

    `check_units` is called when the form's key is known to be new, since a second press of the
    same button finds other numbers.
    """

    #: Whether all units come back, as with a cancellation; otherwise none need to.
    returns_all: bool

    note = NoteField(
        label=_("Reason"), required=False, help_text=_("Optional. The customer can read it.")
    )
    notify = NotifyField(initial=True)

    def __init__(
        self, data: Any = None, *, items: Sequence[OrderItem], current: str, note: str = ""
    ) -> None:
        super().__init__(data, current=current, initial={"note": note})
        self.items = [item for item in items if item.kept_quantity]
        fields = {}
        for item in self.items:
            put_back = gettext("%(product)s: put back") % {"product": item.name}
            write_off = gettext("%(product)s: write off") % {"product": item.name}
            count = item.kept_quantity if self.returns_all else 0
            fields[f"put_back_{item.product_id}"] = UnitsField(
                label=put_back, initial=count, required=False
            )
            fields[f"write_off_{item.product_id}"] = UnitsField(
                label=write_off, initial=0, required=False
            )
        self.fields = {**fields, **self.fields}

    def rows(self) -> list[UnitRow]:
        """Return the products with their fields."""
        return [
            UnitRow(
                item,
                item.kept_quantity,
                self[f"put_back_{item.product_id}"],
                self[f"write_off_{item.product_id}"],
            )
            for item in self.items
        ]

    def other_fields(self) -> list[forms.BoundField]:
        """Return the fields that belong to no product."""
        return [self[name] for name in ("note", "notify")]

    def units(self) -> dict[int, ReturnedUnits]:
        """Return what comes back, by product id. Where all does, an empty field is the rest."""
        return {item.product_id: self._units(item) for item in self.items}

    def _units(self, item: OrderItem) -> ReturnedUnits:
        put_back = self.cleaned_data[f"put_back_{item.product_id}"]
        write_off = self.cleaned_data[f"write_off_{item.product_id}"] or 0
        if put_back is None and self.returns_all:
            put_back = max(item.kept_quantity - write_off, 0)
        return ReturnedUnits(put_back or 0, write_off)

    def check_units(self) -> None:
        """Raise ValidationError, at the first field of each row with a wrong number of units."""
        errors = {}
        for item in self.items:
            units, wanted = item.kept_quantity, self._units(item).units
            if self.returns_all and wanted != units:
                message = gettext("Put back and write off must add up to %(units)d.")
                code = "sum"
            elif wanted > units:
                message = gettext("The customer has %(units)d, so at most that many can come back.")
                code = "max_value"
            else:
                continue
            error = ValidationError(message % {"units": units}, code=code)
            errors[f"put_back_{item.product_id}"] = error
        if errors:
            raise ValidationError(errors)


class CancelForm(UnitsForm):
    """Cancel an order, or book it as refused: all units come back."""

    returns_all = True


class ReturnForm(UnitsForm):
    """Take back units of a delivered order."""

    returns_all = False

    def __init__(self, data: Any = None, *, items: Sequence[OrderItem]) -> None:
        self.returned = sum(item.returned_quantity for item in items)
        super().__init__(data, items=items, current=str(self.returned))

    def report_change(self) -> str:
        return ngettext(
            "Someone else took a return of this order in the meantime: %(units)d unit came back"
            " by now. Check what came back.",
            "Someone else took a return of this order in the meantime: %(units)d units came back"
            " by now. Check what came back.",
            self.returned,
        ) % {"units": self.returned}
