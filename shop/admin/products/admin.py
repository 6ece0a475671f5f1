"""Products and their stock."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from unfold.contrib.filters.admin import BooleanRadioFilter, RangeNumericFilter
from unfold.decorators import display

from shop import exposure, money
from shop.admin.base import (
    ActionFormAdmin,
    ExposedModelAdmin,
    Fieldsets,
    ReadOnlyAdmin,
    staff_user,
)
from shop.admin.exports import ProductExports
from shop.admin.forms import ConfirmForm, CountForm, StockForm
from shop.admin.products.actions import ProductActions
from shop.admin.products.form import ProductForm
from shop.admin.rendering import render_label, render_thumbnail
from shop.models import OrderItem, Product, StockMovement
from shop.services import products, stock
from shop.services.errors import ConcurrentUpdate, ShopError

SHOWN_MOVEMENTS = 20
#: What a clerk should know of a product in this state, and what to do about it.
HINTS: tuple[tuple[Callable[[Product], bool], str], ...] = (
    (
        lambda p: not p.is_active,
        "Archived: customers do not see it. Tick “Active” to sell it again.",
    ),
    (lambda p: p.is_active and not p.stock, "Out of stock: customers see it and cannot buy it."),
    (lambda p: p.is_low and p.stock > 0, "Few are left: think of ordering more."),
    (lambda p: not p.price, "It costs nothing: customers get it for free."),
    (lambda p: not p.image, "It has no picture yet: products with one sell better."),
)


class LowStockFilter(admin.SimpleListFilter):
    """Out of stock, low, or enough."""

    title = "stock"
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("out", "Out of stock"), ("low", "Low"), ("enough", "Enough")]

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Product]
    ) -> models.QuerySet[Product]:
        wanted: dict[str, dict[str, Any]] = {
            "out": {"stock": 0},
            "low": {"is_low": True, "stock__gt": 0},
            "enough": {"is_low": False},
        }
        return queryset.filter(**wanted.get(self.value() or "", {}))


class PictureFilter(admin.SimpleListFilter):
    """With or without a picture."""

    title = "picture"
    parameter_name = "picture"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "No picture"), ("yes", "Has a picture")]

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Product]
    ) -> models.QuerySet[Product]:
        found = {"no": queryset.filter(image=""), "yes": queryset.exclude(image="")}
        return found.get(self.value() or "", queryset)


@admin.register(Product)
class ProductAdmin(ProductExports, ActionFormAdmin, ProductActions, ExposedModelAdmin):
    """The shelf."""

    empty = "Customers see a product as soon as it is here and active."
    add_label = "New product"
    form = ProductForm
    sections = (
        (None, ("name", "sku", "description", "image", "is_active")),
        ("Price and stock", ("price", "stock", "low_stock_threshold")),
    )
    first_columns = ("picture", "name", "sku", "money", "level", "is_active")
    not_columns = (
        "price",
        "stock",
        "in_stock",
        "is_low",
        "low_stock_threshold",
        "created_at",
        "updated_at",
    )
    list_display_links = ("picture", "name")
    list_filter = (
        LowStockFilter,
        ("is_active", BooleanRadioFilter),
        ("price", RangeNumericFilter),
        PictureFilter,
    )
    list_filter_submit = True
    search_fields = ("name", "sku", "description")
    search_help_text = "Name, SKU or description"
    change_form_outer_before_template = "admin/shop/product/banner.html"
    change_form_outer_after_template = "admin/shop/product/movements.html"
    action_views = {"stock": "adjust_stock", "count": "count_stock", "remove": "remove"}  # noqa: RUF012
    action_permission = "change_product"

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Removing is a step of its own, which knows to archive what was ever ordered."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Fieldsets:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            fields = fieldsets[1][1]["fields"]
            fields[fields.index("stock")] = "first_stock"
        shown = [(title, self._shown(options["fields"], obj)) for title, options in fieldsets]
        return [(title, {"fields": names}) for title, names in shown if names]

    def _shown(self, names: list[str], obj: models.Model | None) -> list[str]:
        """On the page of a new product, without what it does not have yet."""
        fixed = set(exposure.read_only_fields(self.model)) if obj is None else set()
        return [name for name in names if name not in fixed]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Give the page its hints, and the answer to "why is it 7?": the latest lines of the ledger."""
        if kwargs.get("obj"):
            context["hints"] = [hint for is_so, hint in HINTS if is_so(kwargs["obj"])]
        if kwargs.get("obj") and request.user.has_perm("shop.view_stockmovement"):
            lines = StockMovement.objects.filter(product=kwargs["obj"]).select_related(
                "order", "actor"
            )
            context["movements"] = lines[:SHOWN_MOVEMENTS]
        return super().render_change_form(request, context, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What the form could not know (a rival took the SKU, or removed the product) is told, not a 500."""
        try:
            answer: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except ConcurrentUpdate:
            return self.changeform_view(request, *args, **kwargs)
        except (ShopError, ValidationError) as error:
            said = error.messages if isinstance(error, ValidationError) else [str(error)]
            messages.error(request, " ".join(said))
            return HttpResponseRedirect(request.get_full_path())
        return answer

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: Any) -> None:
        """Write what was edited, and nothing else, through the service."""
        values = {name: getattr(obj, name) for name in form.changed_data if name != "first_stock"}

        def still_as_seen(locked: Product) -> None:
            """A colleague who saved while this form was being checked: then it is checked again."""
            now = {
                name: exposure.get_field(Product, name).value_from_object(locked) for name in values
            }
            if any(now[name] != form.initial[name] for name in values):
                raise ConcurrentUpdate

        if change:
            products.update_product(
                product_id=obj.pk, actor=staff_user(request), changes=values, check=still_as_seen
            )
            for said in form.meanwhile:
                messages.info(request, said)
        else:
            first = form.cleaned_data["first_stock"] or 0
            obj.pk = products.create_product(
                actor=staff_user(request), values=values, stock=first
            ).pk
        obj.refresh_from_db()

    def construct_change_message(self, *args: Any, **kwargs: Any) -> str:
        """Nothing: the service has logged it by then."""
        return ""

    log_addition = log_change = lambda *_: None

    @display(description="")
    def picture(self, product: Product) -> str:
        """A thumbnail, which is a link too."""
        return render_thumbnail(product, alt=product.name)

    @display(description="Price", ordering="price")
    def money(self, product: Product) -> str:
        """The price with its currency."""
        return money.format_money(product.price or Decimal(0))

    @display(description="Stock", ordering="stock")
    def level(self, product: Product) -> str:
        """Units in stock, highlighted at or below the reorder level."""
        if not product.is_low:
            return str(product.stock)
        if not product.stock:
            return render_label("danger", _("Out of stock"))
        return render_label("warning", _("%(stock)d left") % {"stock": product.stock})

    def adjust_stock(self, request: HttpRequest, product: Product) -> HttpResponse:
        """Add or remove units."""

        def adjust(form: StockForm) -> str:
            values = dict(form.cleaned_data)
            kind = StockMovement.Kind(values.pop("kind"))
            after = stock.adjust_stock(
                product_id=product.pk, kind=kind, actor=staff_user(request), **values
            )
            return f"{after}: {values['delta']:+d}, now {after.stock} in stock."

        return self.action_form_view(
            request,
            product,
            form_class=StockForm,
            title=f"Adjust stock: {product}",
            hint=f"There are {product.stock} in stock now.",
            button="Adjust stock",
            perform=adjust,
        )

    def count_stock(self, request: HttpRequest, product: Product) -> HttpResponse:
        """Set the stock to what was counted, unless it moved since the page was opened."""

        def count(form: CountForm) -> str:
            after = stock.count_stock(
                product_id=product.pk, actor=staff_user(request), **form.cleaned_data
            )
            return f"{after}: counted, now {after.stock} in stock."

        return self.action_form_view(
            request,
            product,
            form_class=partial(CountForm, stock=product.stock),
            title=f"Count: {product}",
            hint=f"There should be {product.stock}.",
            button="Save count",
            perform=count,
        )

    def remove(self, request: HttpRequest, product: Product) -> HttpResponse:
        """Erase it, or archive it if it was ever ordered: the same right as the API's DELETE."""
        if not request.user.has_perm("shop.delete_product"):
            raise PermissionDenied
        ordered = OrderItem.objects.filter(product=product).exists()
        hint = (
            "It was ordered before, so it is archived: customers no longer see it, past orders still do."
            if ordered
            else "It was never ordered, so it is erased together with its stock movements."
        )

        def remove(_: ConfirmForm) -> str:
            erased = products.remove_product(product_id=product.pk, actor=staff_user(request))
            return f"{product} was erased." if erased else f"{product} was archived."

        return self.action_form_view(
            request,
            product,
            form_class=ConfirmForm,
            title=f"Remove {product}?",
            hint=hint,
            button="Archive product" if ordered else "Erase product",
            perform=remove,
        )


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    """The ledger."""

    empty = "Each unit that comes or goes leaves a line here: sales, deliveries, counts."
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
    list_select_related = ("product", "order", "actor")
    search_fields = ("product__name", "product__sku", "order__order_number", "reason")
    search_help_text = "Product, SKU, order number or reason"

    @display(description="Change", ordering="delta")
    def change(self, movement: StockMovement) -> str:
        """Units with their sign."""
        return f"{movement.delta:+d}"
