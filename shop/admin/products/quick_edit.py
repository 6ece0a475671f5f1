"""Edit one name or price in the list of products; `quick-edit.js` sends it."""

from functools import partial
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from shop import exposure, money
from shop.admin.base import staff_user
from shop.admin.products.table_columns import TableColumn, describe_conflict
from shop.models import Product
from shop.services import audit, products
from shop.services.errors import ConcurrentUpdate, NotFound

QUICK_FIELDS = frozenset({"name", "price"})


class QuickEdit(ModelAdmin):  # type: ignore[misc]
    """Adds the view that saves one field of a product."""

    def quick_edit(self, request: HttpRequest, product: Product) -> HttpResponse:
        """Save `value` in `field` if that is still what was shown, `old`; answer with JSON.

        The answer has the new `value` and its `text` in the list. A refusal has a `message`: of
        status 422 for an invalid value; of 409 for a conflict, with the current value as `old`.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if request.POST.get("field") not in QUICK_FIELDS:
            raise BadRequest("This field is not edited in the list.")
        column = TableColumn(exposure.get_field(Product, request.POST["field"]))
        old = request.POST.get("old", "")
        try:
            value = column.parse(request.POST.get("value", ""))
            saved = products.update_product(
                product_id=product.pk,
                actor=staff_user(request),
                changes={column.name: value},
                check=partial(_check_shown, column, old, value),
            )
        except ConcurrentUpdate:
            return _conflict(column, product)
        except NotFound as error:
            return JsonResponse({"message": str(error)}, status=HTTPStatus.NOT_FOUND)
        except ValidationError as error:
            message = " ".join(error.messages)
            return JsonResponse({"message": message}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        new = column.field.value_from_object(saved)
        text = money.format_money(new) if column.name == "price" else new
        return JsonResponse({"value": column.format(new), "text": text})


def _check_shown(column: TableColumn, old: str, value: Any, product: Product) -> None:
    """Raise ConcurrentUpdate if the product has neither the value that was shown nor the new."""
    current = column.field.value_from_object(product)
    if current != value and column.format(current) != old:
        raise ConcurrentUpdate


def _conflict(column: TableColumn, product: Product) -> HttpResponse:
    product.refresh_from_db()
    current = column.field.value_from_object(product)
    entry = audit.last_entry(product)
    message = describe_conflict(column, current=current, editor=str(entry.actor) if entry else "")
    body = {"message": message, "old": column.format(current)}
    return JsonResponse(body, status=HTTPStatus.CONFLICT)


def render_price(product: Product) -> str:
    """Return a product's price with its currency, and its digits for `quick-edit.js`."""
    html = '<span data-value="{}">{}</span>'
    digits = money.MoneyFormField().prepare_value(product.price)
    return format_html(html, digits, money.format_money(product.price))
