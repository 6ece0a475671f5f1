"""The form of a phone order: its customer, and the fields of a checkout."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from shop import exposure, money
from shop.admin.forms import TextField, add_model_error
from shop.admin.orders.phone_order_lines import SearchField, fetch_by_pk
from shop.documents.field_text import field_label, field_text
from shop.models import Order, User
from shop.services.crud import assign_values
from shop.services.payments import offered_methods

#: The fields of `customer_label`.
LABEL_FIELDS = ("email", "first_name", "last_name", "phone")
#: What the form says otherwise than the model.
OPTIONS: dict[str, dict[str, Any]] = {
    "shipping_address": {
        "form_class": TextField,
        "required": False,
        "help_text": _("Leave empty to use the address of the customer's last order."),
    },
    "payment_method": {
        "choices": lambda: [(m.value, m.label) for m in offered_methods(by_phone=True)]
    },
    "note": {
        "form_class": TextField,
        "help_text": _("The customer's request, such as “Ring twice”. The customer can read it."),
    },
}


def order_fields(model_admin: ModelAdmin, request: HttpRequest) -> dict[str, forms.Field]:
    """Return a form field for each field of a checkout, the address first."""
    names = sorted(exposure.checkout_fields(Order), key=lambda name: name != "shipping_address")
    return {
        name: build_form_field(model_admin, request, name, **OPTIONS.get(name, {}))
        for name in names
    }


def user_fields(model_admin: ModelAdmin, request: HttpRequest) -> dict[str, forms.Field]:
    """Return a form field for the email and each field that customers fill in; all optional."""
    names = ["email", *exposure.customer_writable_fields(User)]
    return {name: build_form_field(model_admin, request, name, required=False) for name in names}


def build_form_field(
    model_admin: ModelAdmin, request: HttpRequest, name: str, **options: Any
) -> forms.Field:
    """Return the field of the model's form, without links that open another form."""
    field = exposure.get_field(model_admin.model, name)
    form_field: forms.Field = model_admin.formfield_for_dbfield(field, request, **options)
    form_field.widget = getattr(form_field.widget, "widget", form_field.widget)
    if isinstance(form_field.widget, forms.Textarea):
        form_field.widget.attrs["rows"] = 3
    return form_field


def active_customers() -> models.QuerySet[User]:
    """Return the accounts that may order."""
    return User.objects.filter(is_active=True).order_by("first_name", "last_name", "pk")


def customer_label(user: User) -> str:
    """Return name, email and phone, to identify a customer on the phone."""
    return ", ".join(filter(None, [user.get_full_name(), user.email, user.phone]))


class PhoneOrderForm(forms.Form):
    """Customer, address and payment. Fields of a new customer only for staff who may add one.

    `user_fields` and `order_fields` are form fields by the name of the model's field. `total` is
    that of the products, if they are valid. `shown` is what to show again without checking it.
    """

    customer = SearchField(
        "customer",
        required=False,
        error_messages={"invalid_choice": _("This customer can't order. Choose another one.")},
    )

    def __init__(
        self,
        data: Any = None,
        *,
        initial: Any = None,
        shown: QueryDict | None = None,
        user_fields: Mapping[str, forms.Field],
        order_fields: Mapping[str, forms.Field],
        total: Decimal | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.total = total
        self.order_names = list(order_fields)
        taken = {"customer", *order_fields}
        self.user_names = {n: f"customer_{n}" if n in taken else n for n in user_fields}
        self.fields |= {self.user_names[name]: field for name, field in user_fields.items()}
        self.fields |= order_fields
        if shown is not None:
            self.initial = {
                name: field.widget.value_from_datadict(shown, MultiValueDict(), name)
                for name, field in self.fields.items()
            }
        customer_field: Any = self.fields["customer"]
        customer_field.set_label(gettext("Known customer"), gettext("name, email or phone"))
        key = str(self["customer"].value() or "")
        self.known_customer = fetch_by_pk(active_customers(), [key]).get(key)
        if self.known_customer:
            customer_field.set_choice(key, customer_label(self.known_customer))

    def new_customer_fields(self) -> list[forms.BoundField]:
        """Return the fields of a new customer; none if the user may not add one."""
        return [self[name] for name in self.user_names.values()]

    def has_new_customer(self) -> bool:
        """Return whether any field of a new customer is filled in."""
        return any(_is_filled_in(field) for field in self.new_customer_fields())

    def general_fields(self) -> list[forms.BoundField]:
        """Return the fields that don't depend on the customer."""
        return [self[name] for name in self.order_names]

    def clean(self) -> dict[str, Any]:
        """Require a known or a complete new customer and an address, and check the whole order."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.has_error("customer"):
            self._clean_customer()
        has_customer = self.known_customer or self.has_new_customer()
        has_address = values.get("shipping_address") or self.has_error("shipping_address")
        if has_customer and not has_address:
            self._use_last_address(values)
        self._clean_order()
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
            wrong = {name for name, shown in self.user_names.items() if shown in self.errors}
            self._check(self.new_customer(), {"password", *wrong}, self.user_names)

    def _clean_order(self) -> None:
        """Check the order as the service will; without customer or total only its fields."""
        order = Order(**self.order_values())
        unchecked = {field.name for field in exposure.concrete_fields(Order)}
        unchecked -= self.order_values().keys() - self.errors.keys()
        is_complete = not self.errors and self.total is not None
        if is_complete:
            order.user, order.total_amount = self.known_customer or self.new_customer(), self.total
        self._check(order, unchecked, {}, whole=is_complete)
        self.cleaned_data |= {name: getattr(order, name) for name in self.order_values()}

    def _check(
        self,
        record: models.Model,
        unchecked: set[str],
        names: Mapping[str, str],
        *,
        whole: bool = True,
    ) -> None:
        try:
            record.clean_fields(exclude=unchecked)
            if whole:
                record.clean()
        except ValidationError as error:
            add_model_error(self, error, names)

    def _use_last_address(self, values: dict[str, Any]) -> None:
        orders = Order.objects.filter(user=self.known_customer)
        last_order = orders.first() if self.known_customer else None
        if last_order:
            values["shipping_address"] = last_order.shipping_address
        else:
            message = gettext("Enter an address. This customer has no earlier order.")
            self.add_error("shipping_address", ValidationError(message, code="required"))

    def order_values(self) -> dict[str, Any]:
        """Return the values of the order's fields."""
        return self._model_values({name: name for name in self.order_names})

    def new_customer_values(self) -> dict[str, Any]:
        """Return the values of a new customer's fields."""
        return self._model_values(self.user_names)

    def _model_values(self, names: Mapping[str, str]) -> dict[str, Any]:
        return {
            name: self.cleaned_data[shown]
            for name, shown in names.items()
            if shown in self.cleaned_data
        }

    def new_customer(self) -> User:
        """Return the new customer, not saved."""
        user = User()
        assign_values(user, self.new_customer_values())
        return user

    def summary_lines(self) -> list[tuple[str, str]]:
        """Return label and text of each field of the order that is filled in."""
        return _summary_lines(Order, self.order_values())

    def new_customer_lines(self) -> list[tuple[str, str]]:
        """Return the same of a new customer, without what is in `customer_label`."""
        if self.known_customer:
            return []
        values = self.new_customer_values()
        return _summary_lines(User, {n: v for n, v in values.items() if n not in LABEL_FIELDS})

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


def _is_filled_in(field: forms.BoundField) -> bool:
    """Return whether a field holds something else than what an empty form does."""
    initial, value = field.field.initial, field.value()
    initial = initial() if callable(initial) else initial
    return bool(value) and field.field.has_changed(initial, value)


def _summary_lines(model: exposure.Model, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    fields = [exposure.get_field(model, name) for name in values]
    lines = [(field_label(field), field_text(field, values[field.name])) for field in fields]
    return [(label, text) for label, text in lines if text]


class OrderSummaryForm(forms.Form):
    """What the summary sends with "Place order": the total shown, and a key that orders it once."""

    expected_total = forms.DecimalField(max_digits=15, decimal_places=money.DECIMAL_PLACES)
    key = forms.UUIDField()
