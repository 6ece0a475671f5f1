"""What the page of a bulk step and the message after it say, with links to orders, as HTML."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop.admin.orders.bulk_selection import MAX_NAMED_ORDERS, Selection
from shop.admin.orders.bulk_steps import BulkStep, Refused
from shop.models import Order
from shop.models.order_status import Text
from shop.services.errors import StockLimitReached


def order_url(order: Order) -> str:
    """Return the URL of an order's page."""
    return reverse("admin:shop_order_change", args=[order.pk])


def fill_html(text: Text, **values: Any) -> SafeString:
    """Fill the placeholders of a text; values that are no HTML are escaped."""
    escaped = {name: conditional_escape(value) for name, value in values.items()}
    # A plural chooses its form by the number.
    return mark_safe(text % {**escaped, "number": values.get("number", 0)})  # noqa: S308


def summary(selection: Selection) -> list[str]:
    """Return what the step will do, one sentence for each thing."""
    step = selection.step
    return [
        selection.total.describe(step.summary),
        *(total.describe(rule.text) for rule, total in selection.consequences),
    ]


def unlisted_text(selection: Selection) -> str:
    """Say how many orders the page does not list; empty if it lists them all."""
    count = selection.total.count - len(selection.listed)
    if not count:
        return ""
    text = ngettext("and %(count)s more order", "and %(count)s more orders", count)
    return text % {"count": f"{count:,}"}


def email_label(count: int) -> str:
    """Return the label of the email's preview, for the number of emails that are sent."""
    text = ngettext("Show the email", "Show one of the %(count)s emails", count)
    return text % {"count": f"{count:,}"}


def others_text(selection: Selection) -> SafeString | None:
    """Say which of the selected orders the step can't change, and why; None if there are none."""
    count, step = selection.other_count, selection.step
    if not count:
        return None
    orders = _name_others(selection)
    names = {"count": f"{count:,}", "orders": orders, **step.names}
    return fill_html(step.texts.refused, number=count, **names)


def nothing_ready_text(selection: Selection) -> SafeString:
    """Say that the step can change none of the selected orders, and why."""
    if not selection.other_count:
        return conditional_escape(_("No orders are selected."))
    step = selection.step
    return fill_html(step.texts.none_ready, orders=_name_others(selection), **step.names)


def result_text(
    selection: Selection, changed: Sequence[Order], refused: Refused, *, notify: bool
) -> SafeString:
    """Say what the step has done: the orders, the money, the emails, and what it left alone."""
    step, count = selection.step, len(changed)
    sentences: list[str] = [
        fill_html(step.texts.done, number=count, count=f"{count:,}", **step.names)
    ]
    if not refused:  # else the sums contain orders that were left alone
        done = [(rule.done, total) for rule, total in selection.consequences if rule.done]
        sentences += [conditional_escape(total.describe(text)) for text, total in done]
    if notify:
        text = ngettext(
            "%(count)s email is on its way.", "%(count)s emails are on their way.", count
        )
        sentences.append(fill_html(text, count=f"{count:,}"))
    unchanged = len(refused) + selection.other_count
    if unchanged:
        reasons = [(order, _reason(selection, order, error)) for order, error in refused]
        reasons += [(order, step.describe_refusal(order)) for order in selection.others]
        text = ngettext(
            "%(count)s order was not changed: %(orders)s.",
            "%(count)s orders were not changed: %(orders)s.",
            unchanged,
        )
        orders = _name_orders(reasons, unchanged)
        sentences.append(fill_html(text, count=f"{unchanged:,}", orders=orders))
    sentences.append(_link_to_changed(step))
    return format_html_join(" ", "{}", [(sentence,) for sentence in sentences])


def _link_to_changed(step: BulkStep) -> SafeString:
    """Return a link to the orders that are now as the step leaves them."""
    url = reverse("admin:shop_order_changelist")
    query = urlencode({f"{step.filter_field}__exact": step.filter_value})
    label = _("Show %(status)s orders") % step.names
    return format_html('<a class="shop-link" href="{}?{}">{}</a>', url, query, label)


def _reason(selection: Selection, order: Order, error: Exception) -> str:
    if isinstance(error, StockLimitReached):
        return _("stock limit")
    return selection.step.describe_refusal(order)


def _name_others(selection: Selection) -> SafeString:
    """Name the orders that the step can't change."""
    reasons = [(order, selection.step.describe_refusal(order)) for order in selection.others]
    return _name_orders(reasons, selection.other_count)


def _name_orders(reasons: Sequence[tuple[Order, str]], count: int) -> SafeString:
    """Return links to the first MAX_NAMED_ORDERS orders, each with its reason."""
    named = [
        format_html(
            '<a class="shop-link whitespace-nowrap" href="{}">{}</a> ({})',
            order_url(order),
            order,
            reason,
        )
        for order, reason in reasons[:MAX_NAMED_ORDERS]
    ]
    orders = format_html_join(", ", "{}", [(link,) for link in named])
    if count == len(named):
        return orders
    more = f"{count - len(named):,}"
    return fill_html(_("%(orders)s and %(count)s more"), orders=orders, count=more)
