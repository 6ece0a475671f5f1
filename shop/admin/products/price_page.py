"""The page of "Change prices": a form, and the preview of what it would do."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from shop import money
from shop.admin.action_form import render_action_form
from shop.admin.base import action_fields
from shop.admin.products.forms import PriceForm
from shop.services.bulk_pricing import NewPrice, PricePreview

#: The button that shows new prices again, and the box that confirms large changes.
PREVIEW_BUTTON, CONFIRM_FIELD = "preview", "confirm"


def price_page(
    model_admin: ModelAdmin,
    request: HttpRequest,
    *,
    form: PriceForm,
    count: int,
    preview: PricePreview | None,
) -> HttpResponse:
    """Render the form, below it the new prices if there is a preview."""
    title = ngettext(
        "Change the price of %(count)d product", "Change the prices of %(count)d products", count
    )
    button = ""
    if preview and preview.changed:
        changed = len(preview.changed)
        button = ngettext("Change %(count)d price", "Change %(count)d prices", changed)
        button %= {"count": changed}
    return render_action_form(
        request,
        model_admin,
        form=form,
        title=title % {"count": count},
        hint=_hint(request, preview),
        button=button,
        preview_button=PREVIEW_BUTTON,
        confirm_field=CONFIRM_FIELD,
        confirm_label=_describe_large(preview),
        summary=_summarize(preview),
        rows=[_row_texts(row) for row in preview.rows] if preview else [],
        back_url=request.get_full_path(),
        hidden=[
            *action_fields(request),
            *([("fingerprint", preview.fingerprint)] if preview else []),
        ],
        template="admin/shop/product/price_preview.html",
    )


def _hint(request: HttpRequest, preview: PricePreview | None) -> str:
    if not preview:
        return _("Prices change only after you confirm the preview.")
    shown = request.POST.get("fingerprint", preview.fingerprint)
    if shown != preview.fingerprint and PREVIEW_BUTTON not in request.POST:
        return _("Nothing was changed: these new prices are not the ones that you saw before.")
    return ""


def _row_texts(row: NewPrice) -> dict[str, Any]:
    return {
        "product": row.product,
        "old": money.format_money(row.product.price),
        "new": money.format_money(row.price),
        "percent": _format_percent(row),
        "is_changed": row.is_changed,
    }


def _format_percent(row: NewPrice) -> str:
    """Return the difference such as `+5.0 %`; nothing where there is none, or from 0."""
    if row.percent is None or not row.is_changed:
        return ""
    return _("%(percent)s %%") % {"percent": f"{row.percent:+,.1f}"}


def _summarize(preview: PricePreview | None) -> str:
    """Return how many prices stay as they are, if any do."""
    unchanged = len(preview.rows) - len(preview.changed) if preview else 0
    if not preview or not unchanged:
        return ""
    if not preview.changed:
        return _("No price would change.")
    text = ngettext(
        "%(count)s price stays as it is.", "%(count)s prices stay as they are.", unchanged
    )
    return text % {"count": f"{unchanged:,}"}


def _describe_large(preview: PricePreview | None) -> str:
    """Return what the box says that confirms large changes; nothing if there are none."""
    if not preview or not preview.large:
        return ""
    text = ngettext(
        "Yes, change %(count)s price to more than double or less than half:"
        " %(product)s from %(old)s to %(new)s.",
        "Yes, change %(count)s prices to more than double or less than half. The largest change:"
        " %(product)s from %(old)s to %(new)s.",
        len(preview.large),
    )
    largest = _row_texts(preview.large[0])
    return text % {"count": f"{len(preview.large):,}", **largest}
