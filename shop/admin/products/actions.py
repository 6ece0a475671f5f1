"""List actions on many products: prices, stock, archiving."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop.admin.action_form import add_service_error
from shop.admin.base import staff_user
from shop.admin.change_sets.messages import result_message
from shop.admin.products.forms import PriceForm
from shop.admin.products.price_page import CONFIRM_FIELD, PREVIEW_BUTTON, price_page
from shop.admin.products.stock_room import StockRoomAdmin
from shop.admin.products.table_page import MAX_ROWS, table_url
from shop.models import Product
from shop.services import bulk_pricing, products
from shop.services.bulk_pricing import PricePreview
from shop.services.errors import ProductsChanged, ShopError

#: Action -> the most products that its page can show and a person can check.
MAX_SELECTED = {"change_prices": 1000, "receive": 500, "count": 500, "edit_in_table": MAX_ROWS}

type Products = models.QuerySet[Product]
#: Shows a page with the products of these keys.
type StockPage = Callable[[HttpRequest, list[int]], HttpResponse]


class ProductActions(StockRoomAdmin):
    """The actions of the product list. Those that ask send the selection along in their form."""

    actions = (
        "edit_in_table",
        "change_prices",
        "receive",
        "count",
        "activate",
        "archive",
        "export_selected",
    )

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

    @admin.action(description=_("Edit selected products in a table"), permissions=["action"])
    def edit_in_table(self, request: HttpRequest, selected: Products) -> HttpResponse | None:
        """Lead to the table of these products."""
        pks = list(selected.values_list("pk", flat=True))
        if self._is_too_many(request, len(pks)):
            return None
        return HttpResponseRedirect(table_url(pks, request.GET.urlencode()))

    @admin.action(description=_("Change prices of selected products"), permissions=["action"])
    def change_prices(self, request: HttpRequest, selected: Products) -> HttpResponse | None:
        """Ask by how much, show current and new prices, then write exactly the shown prices."""
        pks = list(selected.values_list("pk", flat=True))
        if self._is_too_many(request, len(pks)):
            return None
        form = PriceForm(request.POST if "by" in request.POST else None)
        preview = None
        if form.is_valid():
            change = form.price_change()
            try:
                preview = bulk_pricing.preview_prices(product_ids=pks, change=change)
                if self._is_confirmed_preview(request, preview):
                    change_set = bulk_pricing.change_prices(
                        product_ids=pks,
                        change=change,
                        fingerprint=preview.fingerprint,
                        actor=staff_user(request),
                        is_confirmed=CONFIRM_FIELD in request.POST,
                    )
                    messages.success(request, result_message(change_set))
                    return None
            except (ProductsChanged, ValidationError) as error:
                add_service_error(form, error)
        return price_page(self, request, form=form, count=len(pks), preview=preview)

    def _is_confirmed_preview(self, request: HttpRequest, preview: PricePreview) -> bool:
        """Return whether this preview was shown, and the button to change the prices pressed."""
        is_shown = request.POST.get("fingerprint") == preview.fingerprint
        return is_shown and PREVIEW_BUTTON not in request.POST

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
