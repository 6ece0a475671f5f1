"""What is done to many products at once."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from shop import money
from shop.admin.base import action_fields, form_key, run_form_once, staff_user
from shop.admin.forms import PriceForm, ReceiveForm
from shop.models import Product
from shop.services import bulk_pricing, products, stock
from shop.services.errors import PricesChanged, ShopError

#: How many a page can show and a clerk can check.
AT_MOST = {"change_prices": 1000, "receive": 100}

type Chosen = models.QuerySet[Product]


class ProductActions(ModelAdmin):  # type: ignore[misc]
    """The list's actions. Those that ask answer with a page that sends the selection along."""

    actions = ("change_prices", "receive", "activate", "archive", "export_selected")

    @admin.action(description="Show selected products to customers", permissions=["action"])
    def activate(self, request: HttpRequest, chosen: Chosen) -> None:
        """Put them into the catalogue."""
        self._set_active(request, chosen, is_active=True)

    @admin.action(description="Archive selected products", permissions=["action"])
    def archive(self, request: HttpRequest, chosen: Chosen) -> None:
        """Take them out of the catalogue; carts say that they are unavailable."""
        self._set_active(request, chosen, is_active=False)

    def _set_active(self, request: HttpRequest, chosen: Chosen, *, is_active: bool) -> None:
        pks = list(chosen.values_list("pk", flat=True))
        changed = products.set_active(
            product_ids=pks, is_active=is_active, actor=staff_user(request)
        )
        done, already = ("activated", "active") if is_active else ("archived", "archived")
        messages.success(request, f"{changed} {done}, {len(pks) - changed} {already} already.")

    @admin.action(description="Change prices of selected products", permissions=["action"])
    def change_prices(self, request: HttpRequest, chosen: Chosen) -> HttpResponse | None:
        """Ask by how much, show old and new, and do just that."""
        pks = list(chosen.values_list("pk", flat=True))
        if self._is_too_many(request, pks):
            return None
        form = PriceForm(request.POST if "by" in request.POST else None)
        preview = None
        if form.is_valid():
            change = bulk_pricing.PriceChange(
                **{form.cleaned_data["by"]: form.cleaned_data["value"]}
            )
            seal = request.POST.get("seal", "")
            try:
                preview = bulk_pricing.preview_prices(product_ids=pks, change=change)
                if seal == preview.fingerprint:
                    count = bulk_pricing.change_prices(
                        product_ids=pks, change=change, fingerprint=seal, actor=staff_user(request)
                    )
                    messages.success(request, f"{_counted(count, 'price')} changed.")
                    return None
            except (PricesChanged, ValidationError) as error:
                form.add_error(None, error if isinstance(error, ValidationError) else str(error))
        rows = (
            [(p, money.format_money(p.price), money.format_money(new)) for p, new in preview.new]
            if preview
            else []
        )
        return self._page(
            request,
            form=form,
            title=f"Change {_counted(len(pks), 'price')}",
            hint="Nothing is changed before you have seen the new prices." if not rows else "",
            button=f"Change {_counted(len(rows), 'price')}" if rows else "Show new prices",
            rows=rows,
            hidden=[("seal", preview.fingerprint)] if preview else [],
        )

    @admin.action(description="Receive stock of selected products", permissions=["action"])
    def receive(self, request: HttpRequest, chosen: Chosen) -> HttpResponse | None:
        """Ask what came, product by product."""
        found = list(chosen.order_by("sku"))
        if self._is_too_many(request, found):
            return None
        form = ReceiveForm(request.POST if "reason" in request.POST else None, products=found)
        if form.is_valid():
            try:
                run_form_once(request, partial(self._receive, request, form))
            except (ShopError, ValidationError) as error:
                form.add_error(None, error if isinstance(error, ValidationError) else str(error))
            else:
                return None
        return self._page(
            request,
            form=form,
            title="Receive stock",
            hint="Each line goes into the ledger. Leave empty what did not come.",
            button="Receive",
            hidden=[form_key()],
        )

    def _receive(self, request: HttpRequest, form: ReceiveForm) -> str:
        values = form.cleaned_data
        came = stock.receive_stock(
            units=form.units(values), actor=staff_user(request), reason=values["reason"]
        )
        return f"{_counted(came, 'unit')} received."

    def _is_too_many(self, request: HttpRequest, chosen: list[Any]) -> bool:
        most = AT_MOST[request.POST["action"]]
        if len(chosen) > most:
            messages.error(
                request, f"Choose at most {most:,} products at a time; you chose {len(chosen):,}."
            )
        return len(chosen) > most

    def _page(
        self, request: HttpRequest, *, hidden: list[tuple[str, str]], **about: Any
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | about
        context |= {
            "opts": self.opts,
            "hidden": [*action_fields(request), *hidden],
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/shop/product/many.html", context)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
