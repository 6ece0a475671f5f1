"""List actions on many products: prices, stock, archiving."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from shop import money
from shop.admin.action_form import add_service_error, render_action_form
from shop.admin.base import action_fields, staff_user
from shop.admin.change_sets.messages import result_message
from shop.admin.products.forms import PriceForm
from shop.admin.products.stock_room import StockRoomAdmin
from shop.models import Product
from shop.services import bulk_pricing, products
from shop.services.bulk_pricing import PriceChange, PricePreview
from shop.services.errors import ProductsChanged, ShopError

#: Action -> the most products that its page can show and a person can check.
MAX_SELECTED = {"change_prices": 1000, "receive": 500, "count": 500}

type Products = models.QuerySet[Product]
#: Shows a page with the products of these keys.
type StockPage = Callable[[HttpRequest, list[int]], HttpResponse]


class ProductActions(StockRoomAdmin):
    """The actions of the product list. Those that ask send the selection along in their form."""

    actions = ("change_prices", "receive", "count", "activate", "archive", "export_selected")

    @admin.action(description=_("Publish selected products"), permissions=["action"])
    def activate(self, request: HttpRequest, selected: Products) -> None:
        """Show the products to customers."""
        self._set_active(request, selected, is_active=True)

    @admin.action(description=_("Archive selected products"), permissions=["action"])
    def archive(self, request: HttpRequest, selected: Products) -> None:
        """Hide the products from customers; carts list them as unavailable."""
        self._set_active(request, selected, is_active=False)

    def _set_active(self, request: HttpRequest, selected: Products, *, is_active: bool) -> None:
        try:
            change_set = products.set_active(
                product_ids=list(selected.values_list("pk", flat=True)),
                is_active=is_active,
                actor=staff_user(request),
            )
        except (ShopError, ValidationError) as error:
            messages.warning(request, " ".join(getattr(error, "messages", [str(error)])))
        else:
            messages.success(request, result_message(change_set))

    @admin.action(description=_("Change prices of selected products"), permissions=["action"])
    def change_prices(self, request: HttpRequest, selected: Products) -> HttpResponse | None:
        """Ask by how much, show current and new prices, then write exactly the shown prices."""
        pks = list(selected.values_list("pk", flat=True))
        if self._is_too_many(request, len(pks)):
            return None
        form = PriceForm(request.POST if "by" in request.POST else None)
        preview = None
        if form.is_valid():
            change = PriceChange(**{form.cleaned_data["by"]: form.cleaned_data["value"]})
            fingerprint = request.POST.get("fingerprint", "")
            try:
                preview = bulk_pricing.preview_prices(product_ids=pks, change=change)
                if fingerprint == preview.fingerprint:
                    change_set = bulk_pricing.change_prices(
                        product_ids=pks,
                        change=change,
                        fingerprint=fingerprint,
                        actor=staff_user(request),
                    )
                    messages.success(request, result_message(change_set))
                    return None
            except (ProductsChanged, ValidationError) as error:
                add_service_error(form, error)
        return self._price_page(request, form, len(pks), preview)

    def _price_page(
        self, request: HttpRequest, form: PriceForm, count: int, preview: PricePreview | None
    ) -> HttpResponse:
        rows = [
            (product, money.format_money(product.price), money.format_money(new))
            for product, new in (preview.new if preview else ())
        ]
        title = ngettext(
            "Change the price of %(count)d product",
            "Change the prices of %(count)d products",
            count,
        )
        button, hint = (
            gettext("Show new prices"),
            gettext("Prices change only after you confirm the preview."),
        )
        if rows:
            button = ngettext("Change %(count)d price", "Change %(count)d prices", len(rows))
            button, hint = button % {"count": len(rows)}, ""
        return self._selection_form(
            request,
            form=form,
            title=title % {"count": count},
            hint=hint,
            button=button,
            rows=rows,
            hidden=[("fingerprint", preview.fingerprint)] if preview else [],
            template="admin/shop/product/price_preview.html",
        )

    @admin.action(description=_("Receive selected products"), permissions=["stock"])
    def receive(self, request: HttpRequest, selected: Products) -> HttpResponse | None:
        """Lead to the page "Receive goods" with the products in its table."""
        return self._open_stock_room(request, selected, self.receive_selected)

    @admin.action(description=_("Count selected products"), permissions=["stock"])
    def count(self, request: HttpRequest, selected: Products) -> HttpResponse | None:
        """Lead to the page "Count stock" with the products in its table."""
        return self._open_stock_room(request, selected, self.count_selected)

    def _open_stock_room(
        self, request: HttpRequest, selected: Products, show: StockPage
    ) -> HttpResponse | None:
        pks = list(selected.order_by("name", "pk").values_list("pk", flat=True))
        return None if self._is_too_many(request, len(pks)) else show(request, pks)

    def _is_too_many(self, request: HttpRequest, count: int) -> bool:
        """Return whether the action's page can't show that many products, and say so."""
        maximum = MAX_SELECTED[request.POST["action"]]
        if count > maximum:
            message = gettext("Select at most %(max)s products at a time. You selected %(count)s.")
            messages.error(request, message % {"max": f"{maximum:,}", "count": f"{count:,}"})
        return count > maximum

    def _selection_form(
        self, request: HttpRequest, *, hidden: list[tuple[str, str]], **options: Any
    ) -> HttpResponse:
        """Render a list action's form, which sends the selection along."""
        return render_action_form(
            request,
            self,
            back_url=request.get_full_path(),
            hidden=[*action_fields(request), *hidden],
            **options,
        )
