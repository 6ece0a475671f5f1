"""Orders by telephone: type them, check them, place them once."""

import uuid
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from shop import money
from shop.admin.base import staff_user
from shop.admin.orders.phone_order_forms import (
    ROWS,
    LineForms,
    LineFormSet,
    PhoneOrderForm,
    ShownForm,
    customer_label,
    customers,
    product_label,
)
from shop.models import Order, Product, User
from shop.services import accounts
from shop.services.errors import ShopError, TotalChanged
from shop.services.idempotency import run_once
from shop.services.phone_orders import place_phone_order

FOUND_AT_MOST = 20
#: Buttons that only show the page again, with so many rows more.
MORE = {"more": ROWS, "edit": 0}
NOT_TYPED = ("csrfmiddlewaretoken", "step", "expected_total", "key")


def _reason(error: ShopError | ValidationError) -> str:
    if isinstance(error, TotalChanged):
        return f"The total is {money.format_money(error.details['total_amount'])} now."
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)


class PhoneOrders(ModelAdmin):  # type: ignore[misc]
    """The page "New order". Its buttons send one form: nothing is written before "Place order"."""

    show_add_link = False  # the list has a button with words instead of a plus

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may add orders, and see what the page shows: orders, customers and products."""
        screens = (self.admin_site.get_model_admin(model) for model in (Order, User, Product))
        may_see = all(screen.has_view_permission(request) for screen in screens)
        return bool(may_see and request.user.has_perm("shop.add_order"))

    def get_urls(self) -> list[URLPattern]:
        search = self.admin_site.admin_view(self.pick)
        return [path("pick/<str:what>/", search, name="shop_order_pick"), *super().get_urls()]

    def pick(self, request: HttpRequest, what: str) -> HttpResponse:
        """What the search boxes offer: customers who may order, or products that are for sale."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        term = request.GET.get("term", "").replace("\x00", "")
        if what == "customer":
            users, _ = self.admin_site.get_model_admin(User).get_search_results(
                request, customers(), term
            )
            found = [(user.pk, customer_label(user)) for user in users[:FOUND_AT_MOST]]
        elif what == "product":
            for_sale = Product.objects.filter(is_active=True).order_by("name", "pk")
            shelf, _ = self.admin_site.get_model_admin(Product).get_search_results(
                request, for_sale, term
            )
            found = [(product.pk, product_label(product)) for product in shelf[:FOUND_AT_MOST]]
        else:
            raise Http404
        return JsonResponse({"results": [{"id": str(pk), "text": label} for pk, label in found]})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the page; check what was typed; place what was checked."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        ask = partial(PhoneOrderForm, can_add=request.user.has_perm("shop.add_user"))
        step = request.POST.get("step", "")
        if request.method != "POST":
            return self._page(request, ask(initial=request.GET.dict()), LineForms())
        if step in MORE:
            typed = LineForms(request.POST).typed()
            return self._page(
                request, ask(initial=request.POST.dict()), LineForms(rows=typed, more=MORE[step])
            )
        form, lines, shown = ask(request.POST), LineForms(request.POST), ShownForm(request.POST)
        refusal = ""
        if step == "place" and all([form.is_valid(), lines.is_valid(), shown.is_valid()]):
            try:
                return self._place(request, form, lines, shown)
            except (ShopError, ValidationError) as error:
                refusal = f"Nothing was ordered. {_reason(error)}"
                lines = LineForms(request.POST)  # as the shelf is by now
        # Both are asked, so that all that is wrong is said at once.
        if all([form.is_valid() and form.can_be_added(), lines.is_valid() and lines.can_be_sold()]):
            return self._summary(request, form, lines, refusal)
        return self._page(request, form, lines, refusal)

    def _place(
        self, request: HttpRequest, form: PhoneOrderForm, lines: LineFormSet, shown: ShownForm
    ) -> HttpResponse:
        """Place it and go to its page. Pressed twice, both presses end on the same order's.

        Stock is looked at under the service's locks only: to the second press, the first one's order may
        have taken the last unit.
        """

        def place() -> str:
            story = place_phone_order(
                customer=form.who
                or accounts.add_customer(actor=staff_user(request), **form.newcomer_values()),
                lines={product.pk: quantity for product, quantity in lines.wanted().items()},
                actor=staff_user(request),
                expected_total=shown.cleaned_data["expected_total"],
                **{
                    name: form.cleaned_data[name]
                    for name in ("shipping_address", "payment_method", "note")
                },
            )
            return str(story.order.pk)

        key = str(shown.cleaned_data["key"])
        pk, _ = run_once(
            user=staff_user(request), key=key, request=request.POST.urlencode(), work=place
        )
        order = Order.objects.select_related("user").get(pk=pk)
        messages.success(request, f"Order {order} was placed for {order.user}.")
        return HttpResponseRedirect(reverse("admin:shop_order_change", args=[pk]))

    def _page(
        self, request: HttpRequest, form: PhoneOrderForm, lines: LineFormSet, refusal: str = ""
    ) -> HttpResponse:
        return self._answer(
            request, "phone", form, {"form": form, "lines": lines, "refusal": refusal}
        )

    def _summary(
        self, request: HttpRequest, form: PhoneOrderForm, lines: LineFormSet, refusal: str
    ) -> HttpResponse:
        """What would be ordered. The page sends what it shows, and a key under which it is ordered once."""
        wanted = lines.wanted()
        total = money.order_total((product.price, quantity) for product, quantity in wanted.items())
        typed = {name: value for name, value in request.POST.items() if name not in NOT_TYPED}
        checked = {
            "shipping_address": form.cleaned_data["shipping_address"],
            "expected_total": total,
            "key": uuid.uuid4(),
        }
        context = {
            "customer": customer_label(form.who or form.new_customer()),
            "is_new": not form.who,
            "values": form.cleaned_data,
            "payment": Order.PaymentMethod(form.cleaned_data["payment_method"]).label,
            "rows": [
                {
                    "product": product,
                    "price": money.format_money(product.price),
                    "quantity": quantity,
                    "subtotal": money.format_money(product.price * quantity),
                }
                for product, quantity in wanted.items()
            ],
            "total": money.format_money(total),
            "hidden": (typed | checked).items(),
            "refusal": refusal,
        }
        return self._answer(request, "phone_check", form, context)

    def _answer(
        self, request: HttpRequest, template: str, form: PhoneOrderForm, context: dict[str, Any]
    ) -> HttpResponse:
        shared = self.admin_site.each_context(request) | {"opts": self.opts, "title": "New order"}
        return TemplateResponse(
            request,
            f"admin/shop/order/{template}.html",
            shared | {"media": form.media} | context,
        )
