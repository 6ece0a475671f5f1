"""Admin pages of products and their stock movements."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop.admin.base import ReadOnlyAdmin, staff_user
from shop.admin.changelists import NUMBER_FORMAT
from shop.admin.choice_filter import SimpleChoiceFilter
from shop.admin.exports import ProductExports
from shop.admin.forms import ConfirmForm
from shop.admin.products.actions import ProductActions
from shop.admin.products.forms import CountForm, StockForm
from shop.admin.products.page import ProductPage
from shop.admin.products.quick_edit import QuickEdit, render_price
from shop.admin.products.table_page import ProductTable
from shop.admin.rendering import render_label
from shop.models import OrderItem, Product, StockMovement
from shop.services import products, stock
from shop.services.product_lookup import normalize_search


class StockLevelFilter(SimpleChoiceFilter):
    """Filter by stock: out of stock, low, or enough."""

    title = _("stock")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("reorder", gettext("Low or out of stock, on sale")),
            ("out", gettext("Out of stock")),
            ("low", gettext("Low")),
            ("enough", gettext("Enough")),
        ]

    def filter_rows(self, rows: models.QuerySet[Product], value: str) -> models.QuerySet[Product]:
        lookups: dict[str, dict[str, Any]] = {
            "reorder": {"is_low": True, "is_active": True},
            "out": {"stock": 0},
            "low": {"is_low": True, "stock__gt": 0},
            "enough": {"is_low": False},
        }
        return rows.filter(**lookups[value])


@admin.register(Product)
class ProductAdmin(ProductExports, ProductTable, QuickEdit, ProductActions, ProductPage):
    """The list of products and a product's page."""

    empty_text = _("Customers see every product that is active.")
    add_label = _("New product")
    first_columns = ("picture", "name", "sku", "money", "level", "is_active")
    hidden_columns = (
        "price",
        "stock",
        "in_stock",
        "is_low",
        "low_stock_threshold",
        "created_at",
        "updated_at",
    )
    list_display_links = ("picture", "name")
    list_filter = (StockLevelFilter,)
    # The search finds names and codes, and the filter by stock level the rest.
    hidden_filters = ("name", "sku", "barcode", "stock", "in_stock", "is_low")
    search_fields = ("search_text",)
    search_help_text = _("Name, SKU, barcode or description")
    action_views = {  # noqa: RUF012
        "stock": "adjust_stock",
        "count": "count_stock",
        "remove": "remove",
        "duplicate": "duplicate",
        "quick-edit": "quick_edit",
    }
    action_permission = "change_product"
    view_permissions = {  # noqa: RUF012
        "adjust_stock": "manage_stock",
        "count_stock": "manage_stock",
        "duplicate": "add_product",
    }

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Return False: `remove` replaces Django's deletion, as ordered products are archived."""
        return False

    def search_rows(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Find a barcode in any spelling."""
        return super().search_rows(request, queryset, normalize_search(search_term))

    @display(description=_("Price"), ordering="price", formatting=NUMBER_FORMAT)
    def money(self, product: Product) -> str:
        """Return the price with its currency, and as it is edited in the list."""
        return render_price(product)

    @display(description=_("Stock"), ordering="stock", formatting=NUMBER_FORMAT)
    def level(self, product: Product) -> str:
        """Return the units in stock, highlighted at or below the reorder level."""
        if not product.is_low:
            return str(product.stock)
        if not product.stock:
            return render_label("danger", gettext("Out of stock"))
        return render_label("warning", gettext("%(stock)d left") % {"stock": product.stock})

    def adjust_stock(self, request: HttpRequest, product: Product) -> HttpResponse:
        """Ask for a number of units, then add or remove them."""

        def perform(form: StockForm) -> str:
            values = dict(form.cleaned_data)
            kind = StockMovement.Kind(values.pop("kind"))
            adjusted = stock.adjust_stock(
                product_id=product.pk, kind=kind, actor=staff_user(request), **values
            )
            return gettext("%(product)s: %(change)s, now %(stock)d in stock.") % {
                "product": adjusted,
                "change": f"{values['delta']:+d}",
                "stock": adjusted.stock,
            }

        return self.action_form_view(
            request,
            product,
            form_class=StockForm,
            title=gettext("Adjust stock: %(product)s") % {"product": product},
            hint=gettext("%(stock)d in stock now.") % {"stock": product.stock},
            button=gettext("Adjust stock"),
            perform=perform,
        )

    def count_stock(self, request: HttpRequest, product: Product) -> HttpResponse:
        """Ask for the counted units, then set the stock unless it changed meanwhile."""

        def perform(form: CountForm) -> str:
            counted = stock.count_stock(
                product_id=product.pk, actor=staff_user(request), **form.cleaned_data
            )
            return gettext("%(product)s: counted, now %(stock)d in stock.") % {
                "product": counted,
                "stock": counted.stock,
            }

        return self.action_form_view(
            request,
            product,
            form_class=partial(CountForm, stock=product.stock),
            title=gettext("Count stock: %(product)s") % {"product": product},
            hint=gettext("Expected: %(stock)d.") % {"stock": product.stock},
            button=gettext("Save count"),
            perform=perform,
        )

    def remove(self, request: HttpRequest, product: Product) -> HttpResponse:
        """Ask, then delete the product, or archive it if it was ever ordered.

        Needs the right to delete products, as does DELETE in the API.
        """
        if not request.user.has_perm("shop.delete_product"):
            raise PermissionDenied
        if OrderItem.objects.filter(product=product).exists():
            title, button = gettext("Archive %(product)s?"), gettext("Archive product")
            hint = gettext("Customers will no longer see it. It stays on past orders.")
        else:
            title, button = gettext("Delete %(product)s?"), gettext("Delete product")
            hint = gettext("It was never ordered. It is deleted with its stock movements.")

        def perform(_form: ConfirmForm) -> str:
            is_erased = products.remove_product(product_id=product.pk, actor=staff_user(request))
            message = (
                gettext("%(product)s was deleted.")
                if is_erased
                else gettext("%(product)s was archived.")
            )
            return message % {"product": product}

        return self.action_form_view(
            request,
            product,
            form_class=ConfirmForm,
            title=title % {"product": product},
            hint=hint,
            button=button,
            button_kind="danger",
            perform=perform,
        )


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    """The list of all stock movements, read-only."""

    empty_text = _("Every stock change appears here: sales, deliveries, counts.")
    list_display = (
        "created_at",
        "product",
        "change",
        "kind",
        "balance_after",
        "order",
        "actor",
        "reason",
    )
    list_filter = ("kind",)
    card_title = "product"
    card_corner = "change"
    list_select_related = ("product", "order", "actor")
    search_fields = ("product__search_text", "order__order_number", "reason")
    search_help_text = _("Product, SKU, order number or reason")

    @display(description=_("Change"), ordering="delta", formatting=NUMBER_FORMAT)
    def change(self, movement: StockMovement) -> str:
        """Return the units with their sign."""
        return f"{movement.delta:+d}"
