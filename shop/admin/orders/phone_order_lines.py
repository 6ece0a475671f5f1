"""The products of a phone order: rows of a product, found by a search, and a quantity."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminAutocompleteModelChoiceFieldWidget,
    UnfoldAdminIntegerFieldWidget,
)

from shop import money
from shop.admin.forms import is_key
from shop.models import Product
from shop.models.cart import MAX_LINES, MAX_QUANTITY

EXTRA_LINES = 5


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
    texts = map(str, values)
    pks = {text for text in texts if is_key(text)}
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

    def total(self) -> Decimal | None:
        """Return the total of the rows, or None if one of them is invalid."""
        if not self.is_valid():
            return None
        return money.order_total((p.price, quantity) for p, quantity in self.quantities().items())

    def check_availability(self) -> bool:
        """Return whether all quantities can be sold now; add errors to the rows that cannot."""
        so_far = Counter[Product]()
        for form in self.forms:
            if form.chosen_product and form.cleaned_data:
                so_far[form.chosen_product] += form.cleaned_data["quantity"]
                form.check_availability(so_far[form.chosen_product])
        return not any(self.errors)


class BaseAddedLineFormSet(BaseOrderLineFormSet):
    """Rows of products that are added to an order; there may be none."""

    def clean(self) -> None:
        """Accept that no product is added."""


def _line_formset(formset: type[BaseOrderLineFormSet]) -> Any:
    limits: dict[str, Any] = {"max_num": MAX_LINES, "absolute_max": MAX_LINES, "validate_max": True}
    return forms.formset_factory(OrderLineForm, formset=formset, **limits)


OrderLineFormSet: Any = _line_formset(BaseOrderLineFormSet)
AddedLineFormSet: Any = _line_formset(BaseAddedLineFormSet)
