"""The page of a product: what customers see of it, its form and its stock movements."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from shop import money
from shop.admin.base import ActionFormAdmin, form_key, staff_user
from shop.admin.exposed import ExposedModelAdmin, Fieldsets
from shop.admin.forms import ConfirmForm
from shop.admin.products.ledger import describe_movements
from shop.admin.products.product_form import ProductForm
from shop.admin.rendering import render_label
from shop.models import Product, User
from shop.models.order_status import Text
from shop.services import products

#: Names of the submit buttons that also decide whether customers see the product.
PUBLISH, UNPUBLISH = "_publish", "_unpublish"
#: Button -> what is said when it was pressed.
MESSAGES: dict[str, Text] = {
    PUBLISH: gettext_lazy("%(product)s is published. Customers can buy it."),
    UNPUBLISH: gettext_lazy("%(product)s is a draft now. Customers can't see it."),
}
#: Hints on a product's page: when each applies, and its text.
HINTS: tuple[tuple[Callable[[Product], bool], Text], ...] = (
    (
        lambda product: not product.is_active,
        _("Customers can't see this draft. Publish it to sell it."),
    ),
    (
        lambda product: product.is_active and not product.stock,
        _("Out of stock: customers can see it but can't buy it."),
    ),
    (
        lambda product: product.is_low and product.stock > 0,
        _("Stock is low: consider ordering more."),
    ),
    (lambda product: not product.price, _("The price is 0: customers get it for free.")),
    (lambda product: not product.image, _("No picture yet: products with a picture sell better.")),
)


class ProductPage(ActionFormAdmin, ExposedModelAdmin):
    """A product's page. A new product is a draft until somebody presses “Publish”."""

    form = ProductForm
    sections = (
        (
            None,
            (
                "name",
                ("price", "low_stock_threshold", "tax_rate"),
                ("sku", "barcode"),
                "description",
            ),
        ),
        (None, ("image",)),
    )
    #: The banner shows stock and state; the audit log knows the times.
    fields_elsewhere = frozenset(
        {"stock", "in_stock", "is_low", "is_active", "created_at", "updated_at"}
    )
    change_form_outer_before_template = "admin/shop/product/banner.html"
    change_form_outer_after_template = "admin/shop/product/movements.html"

    class Media:
        css = {"all": ["shop/record-form.css"]}  # noqa: RUF012 - Django's

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Fieldsets:
        fieldsets = super().get_fieldsets(request, obj)
        (_title, main), (_picture, aside), *_more = fieldsets
        aside["classes"] = ["shop-aside"]
        if obj is None:
            main["fields"] = [
                ("price", "first_stock", *row[1:]) if row[0] == "price" else row
                for row in main["fields"]
            ]
        return fieldsets

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Add the page's context: state, price, hints and the latest stock movements."""
        product: Product | None = kwargs.get("obj")
        if product:
            context |= {
                "state_label": render_label("success", gettext("Published"))
                if product.is_active
                else render_label("warning", gettext("Draft")),
                "price": money.format_money(product.price),
                "hints": [text for applies, text in HINTS if applies(product)],
                "form_key": form_key(),
            }
            if request.user.has_perm("shop.view_stockmovement"):
                context["movements"] = describe_movements(product, request)
        return super().render_change_form(request, context, **kwargs)

    def submitted_values(self, request: HttpRequest, form: Any, *, change: bool) -> dict[str, Any]:
        values = super().submitted_values(request, form, change=change)
        if not change or {PUBLISH, UNPUBLISH} & request.POST.keys():
            values["is_active"] = PUBLISH in request.POST
        return values

    def create_record(self, *, actor: User, values: Mapping[str, Any], form: Any) -> Product:
        """Create the product and record the units that are there."""
        units = form.cleaned_data["first_stock"] or 0
        return products.create_product(actor=actor, values=values, stock=units)

    def update_record(self, record: models.Model, **options: Any) -> None:
        products.update_product(product_id=record.pk, **options)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        return self._say_state(request, obj) or super().response_add(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        return self._say_state(request, obj) or super().response_change(request, obj)

    def _say_state(self, request: HttpRequest, product: Product) -> HttpResponse | None:
        """Say what a button did to the product's state, and go to the list; None for others."""
        button = next((name for name in MESSAGES if name in request.POST), None)
        if button is None:
            return None
        messages.success(request, MESSAGES[button] % {"product": product})
        response: HttpResponse = self.response_post_save_change(request, product)
        return response

    def duplicate(self, request: HttpRequest, product: Product) -> HttpResponse:
        """Copy the product, and open the copy. The page's button asks nothing: it is a draft."""
        copies: list[Product] = []

        def perform(_form: ConfirmForm) -> str:
            copies.append(
                products.duplicate_product(product_id=product.pk, actor=staff_user(request))
            )
            message = gettext("This is a copy of %(product)s. It is a draft without stock.")
            return message % {"product": product}

        response = self.action_form_view(
            request,
            product,
            form_class=ConfirmForm,
            title=gettext("Duplicate %(product)s?") % {"product": product},
            hint=gettext("The copy is a draft, with a SKU of its own and without stock."),
            button=gettext("Duplicate product"),
            perform=perform,
        )
        return self.redirect_to_record(copies[0]) if copies else response
