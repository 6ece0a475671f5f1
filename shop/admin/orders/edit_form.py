"""The form that edits an order: address, note, and a row per product."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop import money
from shop.admin.orders.forms import NoteField, NotifyField, SeenForm, UnitsField
from shop.admin.orders.phone_order_lines import AddedLineFormSet, fetch_by_pk
from shop.models import Order, OrderItem, Product
from shop.models.outbox import EMAILS, ORDER_EDITED
from shop.services import audit
from shop.services.errors import InsufficientStock, ProductUnavailable, ShopError
from shop.services.order_edit import OrderChanges, edit_version

QUANTITY = "quantity_"


class OrderEditForm(SeenForm):
    """Address, note and quantities of an order, and rows for added products.

    Each field about the order carries what it held when the page was opened. If someone else
    changed the order meanwhile, a field that only they changed takes their value, and one that
    both changed keeps what was entered, with an error that names theirs.
    """

    reason = NoteField(
        label=_("Message about the change"),
        required=False,
        help_text=_("Optional. It is in the timeline and in the email."),
    )
    notify = NotifyField(initial=EMAILS[ORDER_EDITED].is_ticked)

    def __init__(
        self,
        data: Any = None,
        *,
        order: Order,
        items: Sequence[OrderItem],
        text_fields: Mapping[str, forms.Field],
        can_add: bool,
    ) -> None:
        self.order, self.items, self.text_names = order, items, list(text_fields)
        quantities = {f"{QUANTITY}{item.product_id}": self._quantity_field(item) for item in items}
        initial = {name: getattr(order, name) for name in text_fields}
        super().__init__(data, current=edit_version(order, items), initial=initial)
        for name, field in quantities.items() if data is not None else ():
            self.data.setdefault(name, str(field.initial))  # an item that was added meanwhile
        self.order_names = [*text_fields, *quantities]
        self.fields = {**text_fields, **quantities, **self.fields}
        for name in self.order_names:
            self.fields[name].show_hidden_initial = True
        self.fields[self.text_names[0]].widget.attrs["autofocus"] = True
        self.lines = AddedLineFormSet(data, extra=3) if can_add else None

    def _quantity_field(self, item: OrderItem) -> UnitsField:
        label = gettext("Quantity of %(product)s") % {"product": item.name}
        return UnitsField(label=label, initial=item.quantity)

    def is_valid(self) -> bool:
        """Validate the form and the rows of added products, so that all errors are shown."""
        are_lines_valid = self.lines is None or self.lines.is_valid()
        return super().is_valid() and are_lines_valid

    @property
    def media(self) -> forms.Media:
        """The scripts of the search boxes."""
        media: forms.Media = super().media
        return media + self.lines.forms[0].media if self.lines and self.lines.forms else media

    def text_rows(self) -> list[forms.BoundField]:
        """Return the fields of the order's texts."""
        return [self[name] for name in self.text_names]

    def item_rows(self) -> list[dict[str, Any]]:
        """Return each `item` with its `price` as text and the field of its `quantity`."""
        return [
            {
                "item": item,
                "price": money.format_money(item.price, self.order.currency),
                "quantity": self[f"{QUANTITY}{item.product_id}"],
            }
            for item in self.items
        ]

    def other_fields(self) -> list[forms.BoundField]:
        """Return the fields about the change itself."""
        return [self["reason"], self["notify"]]

    def changes(self) -> OrderChanges:
        """Return what to change of the order. A product that is added again has the sum."""
        quantities = {
            item.product_id: self.cleaned_data[f"{QUANTITY}{item.product_id}"]
            for item in self.items
        }
        added = self.lines.quantities() if self.lines else {}
        for product, quantity in added.items():
            quantities[product.pk] = quantities.get(product.pk, 0) + quantity
        texts = {name: self.cleaned_data[name] for name in self.text_names}
        return OrderChanges(**texts, quantities=quantities)

    def report_change(self) -> str:
        """Merge what someone else changed into the form and say what it is."""
        told = [
            gettext("Someone else changed this order in the meantime. Check it and save again."),
            *self._describe_removed(),
            *(text for name in self.order_names if (text := self._merge(name))),
        ]
        return " ".join(told)

    def _merge(self, name: str) -> str:
        """Take over another's value, or add an error if the user has entered one; say so."""
        field, bound = self.fields[name], self[name]
        hidden, current = self.add_initial_prefix(name), self.get_initial_for_field(field, name)
        is_new = hidden not in self.data
        if not is_new and not field.has_changed(current, self.data[hidden]):
            return ""
        values = {"field": field.label, "value": audit.format_value(current)}
        is_entered = not is_new and name in self.changed_data
        if is_entered and field.has_changed(current, bound.data):
            message = gettext("Someone else changed it to “%(value)s”. Save again to keep yours.")
            self.add_error(name, ValidationError(message % values, code="changed"))
        else:
            self.data[name] = str(current)
        self.data[hidden] = str(current)
        return gettext("%(field)s is now “%(value)s”.") % values

    def _describe_removed(self) -> list[str]:
        """Say which products are in the order no more."""
        start = self.add_initial_prefix(QUANTITY)
        shown = {name.removeprefix(start) for name in self.data if name.startswith(start)}
        removed = shown - {str(item.product_id) for item in self.items}
        products = fetch_by_pk(Product.objects.order_by("pk"), removed)
        message = gettext("%(product)s was removed from the order.")
        return [message % {"product": product.name} for product in products.values()]

    def show_refused_items(self, error: ShopError) -> None:
        """Add the service's refusal to the rows of the products that it names."""
        refused = {item["product_id"]: item for item in error.details.get("items", ())}
        for item in self.items:
            if item.product_id in refused:
                name = f"{QUANTITY}{item.product_id}"
                self.add_error(name, _refusal(error, refused[item.product_id]))
        for line in self.lines or ():
            if line.chosen_product and line.chosen_product.pk in refused:
                line.add_error(None, _refusal(error, refused[line.chosen_product.pk]))


def _refusal(error: ShopError, item: Mapping[str, int]) -> ValidationError:
    if isinstance(error, ProductUnavailable):
        message = gettext("This product isn't for sale any more.")
    elif isinstance(error, InsufficientStock) and item["available"]:
        message = gettext("Only %(available)d more in stock.") % item
    else:
        message = gettext("No more in stock.")
    return ValidationError(message, code=error.code)
