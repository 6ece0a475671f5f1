"""What staff type while a customer orders by telephone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse_lazy
from unfold.widgets import (
    UnfoldAdminAutocompleteModelChoiceFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from shop import money
from shop.admin.forms import TextField
from shop.models import Order, Product, User
from shop.models.cart import MAX_LINES, MAX_QUANTITY
from shop.services.payments import PHONE_METHODS

ROWS = 5
LONGEST_KEY = 18  # digits, so that a database can hold the number
NEW = ("email", "first_name", "last_name", "phone")


def customers() -> models.QuerySet[User]:
    """Who may order."""
    return User.objects.filter(is_active=True).order_by("first_name", "last_name", "pk")


def customer_label(user: User) -> str:
    """A customer as the search shows them, and as one asks on the telephone whether it is they."""
    return ", ".join(filter(None, [user.get_full_name(), user.email, user.phone]))


def product_label(product: Product) -> str:
    """A product as the search shows it: a name alone may be that of several."""
    left = f"{product.stock} in stock" if product.stock else "out of stock"
    return f"{product.name} · {product.sku} · {money.format_money(product.price)} · {left}"


def with_keys[M: models.Model](found: models.QuerySet[M], typed: Iterable[Any]) -> dict[str, M]:
    """The records that the page names, by what it calls them, in one query."""
    keys = {value for value in map(str, typed) if value.isdecimal() and len(value) <= LONGEST_KEY}
    return {str(record.pk): record for record in found.filter(pk__in=keys)} if keys else {}


class PickField(forms.ChoiceField):
    """One record, found by typing: the page holds what was picked, not all that there is."""

    def __init__(self, what: str, **options: Any) -> None:
        address = reverse_lazy("admin:shop_order_pick", args=[what])
        widget = UnfoldAdminAutocompleteModelChoiceFieldWidget(attrs={"data-ajax--url": address})
        super().__init__(widget=widget, **options)

    def named(self, label: str, placeholder: str) -> None:
        """Call it so; a screen reader reads the placeholder as long as nothing is picked."""
        self.label = label
        self.widget.attrs["data-placeholder"] = f"{label}: {placeholder}"

    def know(self, key: str, label: str) -> None:
        """What is picked already."""
        self.choices = [(key, label)]


class LineForm(forms.Form):
    """One product and how many of it; an empty row counts for nothing."""

    product = PickField(
        "product",
        error_messages={
            "required": "Pick a product for this quantity.",
            "invalid_choice": "There is no such product any more.",
        },
    )
    quantity = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_QUANTITY,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": "1", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, products: Mapping[str, Product], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = int(str(self.prefix).rpartition("-")[2]) + 1
        pick: Any = self.fields["product"]
        pick.named(f"Product {number}", "name or SKU")
        self.fields["quantity"].label = f"Quantity {number}"
        self.picked = products.get(str(self["product"].value()))
        if self.picked:
            pick.know(str(self.picked.pk), product_label(self.picked))

    def clean_quantity(self) -> int:
        """One, if nobody says another number."""
        return self.cleaned_data["quantity"] or 1

    def refuse(self, wanted: int) -> None:
        """Say what stands in the way of selling so many of it."""
        product = self.picked
        if product is None:
            return
        if not product.is_active:
            self.add_error("product", f"{product} is archived: it is not for sale.")
        elif wanted > MAX_QUANTITY:
            self.add_error(
                "quantity", f"Of one product, order at most {MAX_QUANTITY}: {wanted} of {product}."
            )
        elif not product.stock:
            self.add_error("product", f"{product} is out of stock.")
        elif wanted > product.stock:
            self.add_error("quantity", f"{product}: {wanted} wanted, {product.stock} in stock.")


class LineFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """The rows. All products that they name are read by one query."""

    def __init__(
        self, data: Any = None, *, rows: Sequence[Mapping[str, str]] = (), more: int = ROWS
    ) -> None:
        super().__init__(data, prefix="lines", initial=rows)
        self.extra = len(rows) + more
        products = with_keys(
            Product.objects.all(), [row["product"] for row in rows or self.typed()]
        )
        self.form_kwargs["products"] = products

    def initial_form_count(self) -> int:
        """None: any row may be left empty."""
        return 0

    def typed(self) -> list[dict[str, str]]:
        """What stands in the rows that were sent."""
        if not self.is_bound:
            return []
        return [
            {name: self.data.get(f"lines-{n}-{name}", "") for name in ("product", "quantity")}
            for n in range(self.total_form_count())
        ]

    def clean(self) -> None:
        """An order has at least one line."""
        if not any(self.errors) and not self.wanted():
            raise ValidationError("Pick at least one product.")

    def wanted(self) -> Counter[Product]:
        """How many of each product; rows with the same one add up."""
        wanted = Counter[Product]()
        for form in self.forms:
            if form.picked and form.cleaned_data:
                wanted[form.picked] += form.cleaned_data["quantity"]
        return wanted

    def can_be_sold(self) -> bool:
        """Look at the shelf, and say at each row what stands in the way."""
        so_far = Counter[Product]()
        for form in self.forms:
            if form.picked and form.cleaned_data:
                so_far[form.picked] += form.cleaned_data["quantity"]
                form.refuse(so_far[form.picked])
        return not any(self.errors)


LineForms: Any = forms.formset_factory(
    LineForm, formset=LineFormSet, max_num=MAX_LINES, absolute_max=MAX_LINES, validate_max=True
)


def _line(max_length: int, **options: Any) -> TextField:
    return TextField(
        required=False, max_length=max_length, widget=UnfoldAdminTextInputWidget, **options
    )


class PhoneOrderForm(forms.Form):
    """Who orders, where it goes and how it is paid; a new customer only where the clerk may add one."""

    customer = PickField(
        "customer", required=False, error_messages={"invalid_choice": "This customer cannot order."}
    )
    email = forms.EmailField(required=False, widget=UnfoldAdminEmailInputWidget)
    first_name = _line(100)
    last_name = _line(100)
    phone = _line(30)
    shipping_address = TextField(
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Left empty, it goes where this customer's last order went.",
    )
    payment_method = forms.ChoiceField(
        label="Payment",
        choices=[(method.value, method.label) for method in PHONE_METHODS],
        widget=UnfoldAdminSelectWidget,
    )
    note = TextField(
        label="Customer's note",
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="What the customer asks for, such as “Ring twice”. The customer can read it.",
    )

    def __init__(self, data: Any = None, *, initial: Any = None, can_add: bool) -> None:
        super().__init__(data, initial=initial)
        for name in () if can_add else NEW:
            del self.fields[name]
        pick: Any = self.fields["customer"]
        pick.named("Known customer", "name, email or phone")
        key = str(self["customer"].value() or "")
        self.who = with_keys(customers(), [key]).get(key)
        if self.who:
            pick.know(key, customer_label(self.who))

    def newcomer(self) -> list[forms.BoundField]:
        """The fields of a new customer."""
        return [self[name] for name in NEW if name in self.fields]

    def has_newcomer(self) -> bool:
        """Whether anything stands there."""
        return any(field.value() for field in self.newcomer())

    def rest(self) -> list[forms.BoundField]:
        """The fields that any order has."""
        return [self[name] for name in ("shipping_address", "payment_method", "note")]

    def clean(self) -> dict[str, Any]:
        """Know the customer, or what is needed to add one; know the address."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.has_error("customer"):
            self._clean_customer()
        is_somebody = self.who or self.has_newcomer()
        if (
            is_somebody
            and not values.get("shipping_address")
            and not self.has_error("shipping_address")
        ):
            last = Order.objects.filter(user=self.who).first() if self.who else None
            if last:
                values["shipping_address"] = last.shipping_address
            else:
                told = "Enter an address: there is no earlier order to take it from."
                self.add_error("shipping_address", told)
        return values

    def _clean_customer(self) -> None:
        if self.who and self.has_newcomer():
            self.add_error(None, "Pick a known customer or fill in a new one, not both.")
        elif not self.who and not self.has_newcomer():
            new = ", or fill in a new one" if self.newcomer() else ""
            self.add_error("customer", f"Pick a customer{new}.")
        elif not self.who:
            try:
                self.new_customer().clean_fields(exclude=["password", *self.errors])
            except ValidationError as error:
                self.add_error(None, error)

    def newcomer_values(self) -> dict[str, str]:
        """What a new customer is made of."""
        return {name: self.cleaned_data.get(name, "") for name in NEW}

    def new_customer(self) -> User:
        """The customer as they would be, not saved."""
        return User(**self.newcomer_values())

    def can_be_added(self) -> bool:
        """Whether a new customer's email is free; if not, say whose it is."""
        taken = None if self.who else User.objects.filter(email=self.cleaned_data["email"]).first()
        if taken:
            then = "pick it above" if taken.is_active else "it is switched off"
            self.add_error("email", f"{taken} has an account with this email: {then}.")
        return not taken


class ShownForm(forms.Form):
    """What the summary showed, the total, and the key under which it is ordered once."""

    expected_total = forms.DecimalField(max_digits=15, decimal_places=money.DIGITS)
    key = forms.UUIDField()
