"""The pages "Receive goods" and "Count stock", and the look-up of products that both use."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.widgets import BASE_INPUT_CLASSES

from shop.admin.action_form import add_service_error, render_action_form
from shop.admin.base import FORM_KEY_FIELD, form_key, run_form_once, staff_user
from shop.admin.change_sets.messages import result_message
from shop.admin.forms import is_key
from shop.admin.products.permissions import may_manage_stock
from shop.admin.products.stock_forms import MAX_ROWS, ReceiptForm, ShelfCountForm, StockRoomForm
from shop.admin.products.stock_texts import script_texts
from shop.models import Product
from shop.models.products import MAX_STOCK, PictureFile
from shop.services import goods
from shop.services.errors import DeliveryReceived, ShopError
from shop.services.goods import Count
from shop.services.product_lookup import find_products_by_codes, suggest_products
from shop.services.stock_since import StockSince, products_with_movement, read_movements_since

#: The camera, which the shop's other pages may not use, reads barcodes here.
CAMERA_POLICY = "camera=(self), geolocation=(), microphone=()"
#: Name of the button that books a count which was reviewed, or receives a delivery again.
CONFIRM_FIELD = "confirmed"


def describe_product(product: Product) -> dict[str, Any]:
    """Return what a row of the table shows of a product. No prices: the right is to stock only."""
    picture = cast("PictureFile", product.image)
    return {
        "id": product.pk,
        "name": product.name,
        "sku": product.sku,
        "picture": picture.small_url if picture else static("shop/no-picture.svg"),
        "stock": product.stock,
        "seen": getattr(product, "newest_movement", 0),
    }


def read_products(product_ids: Collection[int]) -> dict[int, Product]:
    """Return products by id, each with its newest movement, by one query."""
    if not product_ids:
        return {}
    return {p.pk: p for p in products_with_movement().filter(pk__in=product_ids)}


class StockRoomAdmin(ModelAdmin):  # type: ignore[misc]
    """The views of the stock room."""

    def has_stock_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may receive and count; Django calls it for `permissions=`."""
        return may_manage_stock(request)

    def get_urls(self) -> list[URLPattern]:
        views = {
            "receive": self.receive_goods,
            "count": self.count_shelf,
            "lookup": self.look_up_products,
        }
        urls: list[URLPattern] = super().get_urls()
        return [
            path(f"{route}/", self._stock_view(view), name=f"shop_product_{view.__name__}")
            for route, view in views.items()
        ] + urls

    def _stock_view(self, view: Any) -> Any:
        """Return the view for those who may work in the stock room; its page may use the camera."""

        def checked(request: HttpRequest) -> HttpResponse:
            if not self.has_stock_permission(request):
                raise PermissionDenied
            response: HttpResponse = view(request)
            return response

        return self.admin_site.admin_view(checked)

    def look_up_products(self, request: HttpRequest) -> HttpResponse:
        """Return as JSON the products with these codes or ids, in order, null for an unknown one.

        `?code=…` and `?id=…` may be repeated. `?text=…`, and a code that is unknown, are answered
        with suggestions.
        """
        codes, text = request.GET.getlist("code"), request.GET.get("text", "")
        ids = [int(key) for key in request.GET.getlist("id") if is_key(key)]
        by_code = find_products_by_codes(codes=codes, products=products_with_movement())
        by_id = read_products(ids)
        products = [*map(by_code.get, codes), *map(by_id.get, ids)]
        if len(codes) == 1 and not by_code:
            text = codes[0]
        suggestions = suggest_products(text=text) if text else []
        return JsonResponse(
            {
                "products": [product and describe_product(product) for product in products],
                "suggestions": [describe_product(product) for product in suggestions],
            }
        )

    # Receive goods

    def receive_goods(self, request: HttpRequest) -> HttpResponse:
        """Show the page; on POST add the units to the stock and show it again, empty."""
        if request.method != "POST":
            return self._receive_page(request, ReceiptForm())
        form = ReceiptForm(request.POST)
        products = read_products(form.product_ids()) if form.is_valid() else {}
        if not form.is_valid():
            return self._receive_page(request, form)
        receipts: list[Any] = []
        try:
            run_form_once(request, partial(self._receive, request, form, products), is_html=True)
            return _show_again(request, "receive_goods")
        except DeliveryReceived:
            values = form.cleaned_data
            receipts = goods.find_receipts(
                supplier=values["supplier"], delivery_note=values["delivery_note"]
            )
        except (ShopError, ValidationError) as error:
            add_service_error(form, error)
        rows = [
            describe_product(products[pk]) | {"quantity": units}
            for pk, units in form.units().items()
            if pk in products
        ]
        return self._receive_page(request, form, rows=rows, receipts=receipts)

    def _receive(
        self, request: HttpRequest, form: ReceiptForm, products: Mapping[int, Product]
    ) -> str:
        form.check_quantities(products)
        change_set = goods.receive_goods(
            units=form.units(),
            actor=staff_user(request),
            supplier=form.cleaned_data["supplier"],
            delivery_note=form.cleaned_data["delivery_note"],
            may_repeat=CONFIRM_FIELD in request.POST,
        )
        return result_message(change_set)

    def _receive_page(
        self, request: HttpRequest, form: ReceiptForm, *, receipts: Any = (), **options: Any
    ) -> HttpResponse:
        context = {"receipts": receipts, "suppliers": goods.list_suppliers()}
        return self._render(request, "receive_goods", form, context, **options)

    def receive_selected(self, request: HttpRequest, product_ids: list[int]) -> HttpResponse:
        """Show the page with these products in the table."""
        return self._receive_page(request, ReceiptForm(), selected=product_ids)

    # Count stock

    def count_shelf(self, request: HttpRequest) -> HttpResponse:
        """Show the page; on POST show the differences, and once these are confirmed book them."""
        if request.method != "POST":
            return self.count_selected(request, [])
        form = ShelfCountForm(request.POST)
        if not form.is_valid():
            return self._render(request, "count_shelf", form, {})
        products = read_products(form.product_ids())
        recounted: set[int] = set()
        try:
            form.check_quantities(products)
            if CONFIRM_FIELD not in request.POST:
                return self._review(request, form, products)
            run_form_once(request, partial(self._book, request, form), is_html=True)
            return _show_again(request, "count_shelf")
        except (ShopError, ValidationError) as error:
            add_service_error(form, error)
            recounted = _products_to_recount(error)
        rows = [
            _counted_row(products[pk], count, is_stale=pk in recounted)
            for pk, count in form.counts().items()
            if pk in products
        ]
        return self._render(request, "count_shelf", form, {}, rows=rows)

    def count_selected(self, request: HttpRequest, product_ids: list[int]) -> HttpResponse:
        """Show the page with these products in the table."""
        return self._render(request, "count_shelf", ShelfCountForm(), {}, selected=product_ids)

    def _book(self, request: HttpRequest, form: ShelfCountForm) -> str:
        change_set = goods.book_count(
            counts=form.counts(), actor=staff_user(request), note=form.cleaned_data["note"]
        )
        return result_message(change_set)

    def _review(
        self, request: HttpRequest, form: ShelfCountForm, products: Mapping[int, Product]
    ) -> HttpResponse:
        """Show the differences, and what moved meanwhile; without any, say so and book nothing."""
        counts = {pk: count for pk, count in form.counts().items() if pk in products}
        differing = {pk: count for pk, count in counts.items() if count.delta}
        if not differing:
            message = ngettext(
                "%(count)s product is as expected. Nothing was booked.",
                "All %(count)s products are as expected. Nothing was booked.",
                len(counts),
            )
            messages.success(request, message % {"count": f"{len(counts):,}"})
            return _show_again(request, "count_shelf")
        since = read_movements_since({pk: count.seen or 0 for pk, count in differing.items()})
        rows = [_review_row(products[pk], count, since.get(pk)) for pk, count in differing.items()]
        button = ngettext("Book %(count)s difference", "Book %(count)s differences", len(rows))
        return render_action_form(
            request,
            self,
            form=form,
            title=_("Review counts"),
            hint="",
            button=button % {"count": f"{len(rows):,}"},
            back_url=reverse("admin:shop_product_count_shelf"),
            hidden=[
                (FORM_KEY_FIELD, request.POST.get(FORM_KEY_FIELD) or form_key()[1]),
                (CONFIRM_FIELD, "1"),
            ],
            differences=rows,
            same=len(counts) - len(rows),
            template="admin/shop/product/count_review.html",
        )

    # Both

    def _render(
        self,
        request: HttpRequest,
        page: str,
        form: StockRoomForm,
        context: Mapping[str, Any],
        *,
        rows: Collection[Any] = (),
        selected: Collection[int] = (),
    ) -> HttpResponse:
        is_count = page == "count_shelf"
        state = self._script_state(request, page, form, rows=rows, selected=selected)
        title = _("Count stock") if is_count else _("Receive goods")
        shown = self.admin_site.each_context(request) | {
            "title": title,
            # Without `opts`, which would put the list's name into the header.
            "content_title": title,
            "form": form,
            "url": state["url"],
            "once": form_key(),
            "state": state,
            "is_count": is_count,
            "confirm_field": CONFIRM_FIELD,
            "input_class": " ".join(BASE_INPUT_CLASSES),
            **context,
        }
        response = TemplateResponse(request, f"admin/shop/product/{page}.html", shown)
        response["Permissions-Policy"] = CAMERA_POLICY
        return response

    def _script_state(
        self,
        request: HttpRequest,
        page: str,
        form: StockRoomForm,
        *,
        rows: Collection[Any],
        selected: Collection[int],
    ) -> dict[str, Any]:
        """Return what the page's script starts with."""
        is_count = page == "count_shelf"
        chosen = read_products(selected)
        return {
            "isCount": is_count,
            "url": reverse(f"admin:shop_product_{page}"),
            "lookup": reverse("admin:shop_product_look_up_products"),
            "list": reverse("admin:shop_product_changelist"),
            "draft": f"{page} {request.user.pk}",
            "done": request.GET.get("done", ""),
            "isPosted": form.is_bound and "rows" not in form.errors,
            "rows": list(rows),
            "selected": [describe_product(chosen[pk]) for pk in selected if pk in chosen],
            "maxRows": MAX_ROWS,
            "maxStock": MAX_STOCK,
            "texts": script_texts(is_count=is_count),
        }


def _show_again(request: HttpRequest, page: str) -> HttpResponse:
    """Redirect to the empty page, which forgets the draft of what was sent."""
    query = urlencode({"done": request.POST.get(FORM_KEY_FIELD, "")[:64]})
    return HttpResponseRedirect(f"{reverse(f'admin:shop_product_{page}')}?{query}")


def _products_to_recount(error: ShopError | ValidationError) -> set[int]:
    """Return the keys of the products that somebody else has counted."""
    errors = error.error_list if isinstance(error, ValidationError) else []
    return {
        one.params["product"].pk for one in errors if one.params and one.code == "counted_twice"
    }


def _counted_row(product: Product, count: Count, *, is_stale: bool) -> dict[str, Any]:
    """Return a row as it was sent; one that must be counted again without its number."""
    row = describe_product(product)
    if is_stale:
        return row | {"quantity": None}
    return row | {"quantity": count.counted, "stock": count.expected, "seen": count.seen}


def _review_row(product: Product, count: Count, since: StockSince | None) -> dict[str, Any]:
    sold = since.sold if since else 0
    return {
        "product": product,
        "count": count,
        "delta": f"{count.delta:+,}",
        "has_moved": product.stock != count.expected,
        "only_sold": bool(since and sold > 0 and since.delta == -sold),
        "sold": sold,
        "after": product.stock + count.delta,
    }
