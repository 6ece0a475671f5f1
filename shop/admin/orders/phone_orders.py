"""The page "New order": enter an order by phone, check the summary, place it."""

import uuid
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from shop import money
from shop.admin.base import staff_user
from shop.admin.orders.phone_order_forms import (
    OrderSummaryForm,
    PhoneOrderForm,
    active_customers,
    customer_label,
    order_fields,
    user_fields,
)
from shop.admin.orders.phone_order_lines import (
    EXTRA_LINES,
    BaseOrderLineFormSet,
    OrderLineFormSet,
    product_label,
)
from shop.models import Order, Product, User
from shop.services import accounts
from shop.services.errors import ShopError, TotalChanged
from shop.services.idempotency import run_once
from shop.services.phone_orders import place_phone_order

MAX_SEARCH_RESULTS = 20
#: Buttons that only show the form again -> the rows that they add.
ADDED_LINES = {"more": EXTRA_LINES, "edit": 0}
NOT_REPEATED = ("csrfmiddlewaretoken", "step", "expected_total", "key")


def refusal_message(error: ShopError | ValidationError) -> str:
    """Say that nothing was ordered, and why."""
    reason = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
    if isinstance(error, TotalChanged):
        total = money.format_money(error.details["total_amount"])
        reason = _("The total is now %(total)s.") % {"total": total}
    return _("Nothing was ordered. %(reason)s") % {"reason": reason}


class PhoneOrderAdmin(ModelAdmin):  # type: ignore[misc]
    """The views of "New order". All buttons send one form; only "Place order" writes."""

    show_add_link = False  # the list has a button with words instead of a plus

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Require the right to add orders and to see orders, customers and products."""
        admins = (self.admin_site.get_model_admin(model) for model in (Order, User, Product))
        may_view = all(model_admin.has_view_permission(request) for model_admin in admins)
        return bool(may_view and request.user.has_perm("shop.add_order"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.search_choices)
        return [
            path("search/<str:what>/", view, name="shop_order_search_choices"),
            *super().get_urls(),
        ]

    def search_choices(self, request: HttpRequest, what: str) -> HttpResponse:
        """Return the search boxes' results as JSON: active customers or products for sale."""
        if not (self.has_add_permission(request) or self._may_add_products(request, what)):
            raise PermissionDenied
        term = request.GET.get("term", "")
        if what == "customer":
            results = self._search(request, active_customers(), term, customer_label)
        elif what == "product":
            for_sale = Product.objects.filter(is_active=True).order_by("name", "pk")
            results = self._search(request, for_sale, term, product_label)
        else:
            raise Http404
        return JsonResponse({"results": results})

    def _may_add_products(self, request: HttpRequest, what: str) -> bool:
        """Return whether the user may search for products to add to an order."""
        product_admin = self.admin_site.get_model_admin(Product)
        may_view = product_admin.has_view_permission(request)
        return bool(what == "product" and may_view and request.user.has_perm("shop.edit_order"))

    def _search(
        self, request: HttpRequest, queryset: Any, term: str, label: Any
    ) -> list[dict[str, str]]:
        model_admin = self.admin_site.get_model_admin(queryset.model)
        matches, _has_duplicates = model_admin.get_search_results(request, queryset, term)
        return [
            {"id": str(record.pk), "text": label(record)} for record in matches[:MAX_SEARCH_RESULTS]
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the form, check what was entered, or place what was checked."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        can_add = request.user.has_perm("shop.add_user")
        user_admin = self.admin_site.get_model_admin(User)
        form_class = partial(
            PhoneOrderForm,
            user_fields=user_fields(user_admin, request) if can_add else {},
            order_fields=order_fields(self, request),
        )
        step = request.POST.get("step", "")
        if request.method != "POST":
            form = form_class(initial=request.GET.dict())
            return self._form_page(request, form, OrderLineFormSet())
        if step in ADDED_LINES:
            rows = OrderLineFormSet(request.POST).submitted_rows()
            lines = OrderLineFormSet(rows=rows, extra=ADDED_LINES[step])
            return self._form_page(request, form_class(shown=request.POST), lines)
        lines = OrderLineFormSet(request.POST)
        form = form_class(request.POST, total=lines.total())
        return self._check_or_place(request, form, lines, place=step == "place")

    def _check_or_place(
        self,
        request: HttpRequest,
        form: PhoneOrderForm,
        lines: BaseOrderLineFormSet,
        *,
        place: bool,
    ) -> HttpResponse:
        summary = OrderSummaryForm(request.POST)
        refusal = ""
        if place and all([form.is_valid(), lines.is_valid(), summary.is_valid()]):
            try:
                return self._place(request, form, lines, summary)
            except (ShopError, ValidationError) as error:
                refusal = refusal_message(error)
                lines = OrderLineFormSet(request.POST)  # read the stock again
        # Both are validated, so that the page shows all errors together.
        is_valid = [
            form.is_valid() and form.check_email_is_free(),
            lines.is_valid() and lines.check_availability(),
        ]
        if all(is_valid):
            return self._summary_page(request, form, lines, refusal)
        return self._form_page(request, form, lines, refusal)

    def _place(
        self,
        request: HttpRequest,
        form: PhoneOrderForm,
        lines: BaseOrderLineFormSet,
        summary: OrderSummaryForm,
    ) -> HttpResponse:
        """Place the order and go to its page. Sent twice, both requests lead to the same order.

        Only the service checks the stock, under its locks: the first request's order may have
        taken the last units, and the second must still succeed.
        """

        def place() -> str:
            details = place_phone_order(
                customer=form.known_customer
                or accounts.add_customer(actor=staff_user(request), **form.new_customer_values()),
                lines={product.pk: quantity for product, quantity in lines.quantities().items()},
                actor=staff_user(request),
                expected_total=summary.cleaned_data["expected_total"],
                **form.order_values(),
            )
            return str(details.order.pk)

        key = str(summary.cleaned_data["key"])
        pk, _is_repeat = run_once(
            user=staff_user(request), key=key, request=request.POST.urlencode(), work=place
        )
        order = Order.objects.select_related("user").get(pk=pk)
        message = _("Order %(order)s was placed for %(customer)s.")
        messages.success(request, message % {"order": order, "customer": order.user})
        return HttpResponseRedirect(reverse("admin:shop_order_change", args=[pk]))

    def _form_page(
        self,
        request: HttpRequest,
        form: PhoneOrderForm,
        lines: BaseOrderLineFormSet,
        refusal: str = "",
    ) -> HttpResponse:
        context = {"form": form, "lines": lines, "refusal": refusal}
        return self._render(request, "phone_order_form", form, context)

    def _summary_page(
        self, request: HttpRequest, form: PhoneOrderForm, lines: BaseOrderLineFormSet, refusal: str
    ) -> HttpResponse:
        """Show what would be ordered, with the total and a new key in hidden inputs."""
        quantities = lines.quantities().items()
        total = lines.total() or Decimal(0)
        repeated = {name: texts for name, texts in request.POST.lists() if name not in NOT_REPEATED}
        checked = {
            "shipping_address": [form.cleaned_data["shipping_address"]],
            "expected_total": [total],
            "key": [uuid.uuid4()],
        }
        context = {
            "customer": customer_label(form.known_customer or form.new_customer()),
            "is_new": not form.known_customer,
            "details": [*form.new_customer_lines(), *form.summary_lines()],
            "rows": [
                {
                    "product": product,
                    "price": money.format_money(product.price),
                    "quantity": quantity,
                    "subtotal": money.format_money(product.price * quantity),
                }
                for product, quantity in quantities
            ],
            "total": money.format_money(total),
            "hidden": [(n, text) for n, texts in (repeated | checked).items() for text in texts],
            "refusal": refusal,
        }
        return self._render(request, "phone_order_summary", form, context)

    def _render(
        self, request: HttpRequest, template: str, form: PhoneOrderForm, context: dict[str, Any]
    ) -> HttpResponse:
        shared = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": _("New order"),
            "media": form.media,
        }
        return TemplateResponse(request, f"admin/shop/order/{template}.html", shared | context)
