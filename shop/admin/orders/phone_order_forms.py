"""Forms of the page "New order", on which staff enter orders by phone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
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
from shop.services.payments import offered_methods

EXTRA_LINES = 5
MAX_PK_DIGITS = 18  # fits into a 64-bit integer
NEW_CUSTOMER_FIELDS = ("email", "first_name", "last_name", "phone")


def active_customers() -> models.QuerySet[User]:
    """Return the accounts that may order."""
    return User.objects.filter(is_active=True).order_by("first_name", "last_name", "pk")


def customer_label(user: User) -> str:
    """Return name, email and phone, to identify a customer on the phone."""
    return ", ".join(filter(None, [user.get_full_name(), user.email, user.phone]))


def product_label(product: Product) -> str:
    """Return name, SKU, price and stock, since several products may share a name."""
    stock = gettext("%(stock)d in stock") % {"stock": product.stock}
    if not product.stock:
        stock = gettext("out of stock")
    return f"{product.name} · {product.sku} · {money.format_money(product.price)} · {stock}"


def fetch_by_pk[M: models.Model](
    queryset: models.QuerySet[M], values: Iterable[Any]
) -> dict[str, M]:
    """Return primary key, as text -> record, in one query; malformed keys are ignored."""
    pks = {value for value in map(str, values) if value.isdecimal() and len(value) <= MAX_PK_DIGITS}
    return {str(record.pk): record for record in queryset.filter(pk__in=pks)} if pks else {}


class SearchField(forms.ChoiceField):
    """A choice of one record in a search box. The page contains only the chosen one."""

    def __init__(self, what: str, **options: Any) -> None:
        url = reverse_lazy("admin:shop_order_search_choices", args=[what])
        widget = UnfoldAdminAutocompleteModelChoiceFieldWidget(attrs={"data-ajax--url": url})
        super().__init__(widget=widget, **options)

    def set_label(self, label: str, placeholder: str) -> None:
        """Set the label, and the placeholder, which screen readers read until there is a choice."""
        self.label = label
        self.widget.attrs["data-placeholder"] = f"{label}: {placeholder}"

    def set_choice(self, key: str, label: str) -> None:
        """Allow this record, and show it as the chosen one."""
        self.choices = [(key, label)]


class OrderLineForm(forms.Form):
    """A product and its quantity. An empty row is ignored."""

    product = SearchField(
        "product",
        error_messages={
            "required": _("Choose a product for this quantity."),
            "invalid_choice": _("This product no longer exists. Choose another one."),
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
        number = {"number": int(str(self.prefix).rpartition("-")[2]) + 1}
        product_field: Any = self.fields["product"]
        product_field.set_label(gettext("Product %(number)d") % number, gettext("name or SKU"))
        self.fields["quantity"].label = gettext("Quantity %(number)d") % number
        self.chosen_product = products.get(str(self["product"].value()))
        if self.chosen_product:
            product_field.set_choice(
                str(self.chosen_product.pk), product_label(self.chosen_product)
            )

    def clean_quantity(self) -> int:
        """Default to 1."""
        return self.cleaned_data["quantity"] or 1

    def check_availability(self, quantity: int) -> None:
        """Add an error if this quantity of the product cannot be sold now."""
        product = self.chosen_product
        if product is None:
            return
        values = {"product": product, "quantity": quantity, "stock": product.stock}
        if not product.is_active:
            message = gettext("%(product)s is archived. Choose another product.")
            self.add_error("product", ValidationError(message % values, code="archived"))
        elif quantity > MAX_QUANTITY:
            message = gettext(
                "%(product)s: %(quantity)d ordered. Order at most %(max)d of a product."
            )
            values["max"] = MAX_QUANTITY
            self.add_error("quantity", ValidationError(message % values, code="max_quantity"))
        elif not product.stock:
            message = gettext("%(product)s is out of stock.")
            self.add_error("product", ValidationError(message % values, code="out_of_stock"))
        elif quantity > product.stock:
            message = gettext("%(product)s: %(quantity)d ordered, only %(stock)d in stock.")
            self.add_error("quantity", ValidationError(message % values, code="low_stock"))


class BaseOrderLineFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """The rows of products. Their products are read in one query."""

    def __init__(
        self, data: Any = None, *, rows: Sequence[Mapping[str, str]] = (), extra: int = EXTRA_LINES
    ) -> None:
        super().__init__(data, prefix="lines", initial=rows)
        self.extra = len(rows) + extra
        pks = [row["product"] for row in rows or self.submitted_rows()]
        self.form_kwargs["products"] = fetch_by_pk(Product.objects.all(), pks)

    def initial_form_count(self) -> int:
        """Return 0, since any row may be left empty."""
        return 0

    def submitted_rows(self) -> list[dict[str, str]]:
        """Return product and quantity of each row as they were sent, not validated."""
        if not self.is_bound:
            return []
        return [
            {name: self.data.get(f"lines-{n}-{name}", "") for name in ("product", "quantity")}
            for n in range(self.total_form_count())
        ]

    def clean(self) -> None:
        """Require at least one product."""
        if not any(self.errors) and not self.quantities():
            raise ValidationError(gettext("Choose at least one product."), code="empty")

    def quantities(self) -> Counter[Product]:
        """Return product -> quantity; rows with the same product are added up."""
        quantities = Counter[Product]()
        for form in self.forms:
            if form.chosen_product and form.cleaned_data:
                quantities[form.chosen_product] += form.cleaned_data["quantity"]
        return quantities

    def check_availability(self) -> bool:
        """Return whether all quantities can be sold now; add errors to the rows that cannot."""
        so_far = Counter[Product]()
        for form in self.forms:
            if form.chosen_product and form.cleaned_data:
                so_far[form.chosen_product] += form.cleaned_data["quantity"]
                form.check_availability(so_far[form.chosen_product])
        return not any(self.errors)


OrderLineFormSet: Any = forms.formset_factory(
    OrderLineForm,
    formset=BaseOrderLineFormSet,
    max_num=MAX_LINES,
    absolute_max=MAX_LINES,
    validate_max=True,
)


class SingleLineField(TextField):
    """An optional line of text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextInputWidget, **options)


class PhoneOrderForm(forms.Form):
    """Customer, address and payment. Fields of a new customer only for staff who may add one."""

    customer = SearchField(
        "customer",
        required=False,
        error_messages={"invalid_choice": _("This customer can't order. Choose another one.")},
    )
    email = forms.EmailField(label=_("Email"), required=False, widget=UnfoldAdminEmailInputWidget)
    first_name = SingleLineField(label=_("First name"), max_length=100)
    last_name = SingleLineField(label=_("Last name"), max_length=100)
    phone = SingleLineField(label=_("Phone"), max_length=30)
    shipping_address = TextField(
        label=_("Shipping address"),
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Leave empty to use the address of the customer's last order."),
    )
    payment_method = forms.ChoiceField(
        label=_("Payment"),
        choices=lambda: [(m.value, m.label) for m in offered_methods(by_phone=True)],
        widget=UnfoldAdminSelectWidget,
    )
    note = TextField(
        label=_("Customer's note"),
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("The customer's request, such as “Ring twice”. The customer can read it."),
    )

    def __init__(self, data: Any = None, *, initial: Any = None, can_add: bool) -> None:
        super().__init__(data, initial=initial)
        for name in () if can_add else NEW_CUSTOMER_FIELDS:
            del self.fields[name]
        customer_field: Any = self.fields["customer"]
        customer_field.set_label(gettext("Known customer"), gettext("name, email or phone"))
        key = str(self["customer"].value() or "")
        self.known_customer = fetch_by_pk(active_customers(), [key]).get(key)
        if self.known_customer:
            customer_field.set_choice(key, customer_label(self.known_customer))

    def new_customer_fields(self) -> list[forms.BoundField]:
        """Return the fields of a new customer; none if the user may not add one."""
        return [self[name] for name in NEW_CUSTOMER_FIELDS if name in self.fields]

    def has_new_customer(self) -> bool:
        """Return whether any field of a new customer is filled in."""
        return any(field.value() for field in self.new_customer_fields())

    def general_fields(self) -> list[forms.BoundField]:
        """Return the fields that don't depend on the customer."""
        return [self[name] for name in ("shipping_address", "payment_method", "note")]

    def clean(self) -> dict[str, Any]:
        """Require a known or a complete new customer, and an address."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.has_error("customer"):
            self._clean_customer()
        has_customer = self.known_customer or self.has_new_customer()
        has_address = values.get("shipping_address") or self.has_error("shipping_address")
        if has_customer and not has_address:
            self._use_last_address(values)
        return values

    def _clean_customer(self) -> None:
        if self.known_customer and self.has_new_customer():
            message = gettext("Choose a known customer or fill in a new one, not both.")
            self.add_error(None, ValidationError(message, code="two_customers"))
        elif not self.known_customer and not self.has_new_customer():
            message = gettext("Choose a customer.")
            if self.new_customer_fields():
                message = gettext("Choose a customer or fill in a new one.")
            self.add_error("customer", ValidationError(message, code="required"))
        elif not self.known_customer:
            try:
                self.new_customer().clean_fields(exclude=["password", *self.errors])
            except ValidationError as error:
                self.add_error(None, error)

    def _use_last_address(self, values: dict[str, Any]) -> None:
        orders = Order.objects.filter(user=self.known_customer)
        last_order = orders.first() if self.known_customer else None
        if last_order:
            values["shipping_address"] = last_order.shipping_address
        else:
            message = gettext("Enter an address. This customer has no earlier order.")
            self.add_error("shipping_address", ValidationError(message, code="required"))

    def new_customer_values(self) -> dict[str, str]:
        """Return the values of a new customer's fields."""
        return {name: self.cleaned_data.get(name, "") for name in NEW_CUSTOMER_FIELDS}

    def new_customer(self) -> User:
        """Return the new customer, not saved."""
        return User(**self.new_customer_values())

    def check_email_is_free(self) -> bool:
        """Return whether a new customer's email is unused; add an error if an account has it."""
        if self.known_customer:
            return True
        owner = User.objects.filter(email=self.cleaned_data["email"]).first()
        if owner and owner.is_active:
            message = gettext(
                "%(customer)s already has this email. Choose them as a known customer."
            )
            error = ValidationError(message % {"customer": owner}, code="email_taken")
            self.add_error("email", error)
        elif owner:
            message = gettext(
                "%(customer)s already has this email, and their account is deactivated."
            )
            error = ValidationError(message % {"customer": owner}, code="email_taken")
            self.add_error("email", error)
        return not owner


class OrderSummaryForm(forms.Form):
    """What the summary sends with "Place order": the total shown, and a key that orders it once."""

    expected_total = forms.DecimalField(max_digits=15, decimal_places=money.DECIMAL_PLACES)
    key = forms.UUIDField()
