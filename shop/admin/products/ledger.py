"""Stock movements in words: “3 units sold in order 7KX2-9M4Q”."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from shop.models import Product, StockMovement

MAX_MOVEMENTS = 20
Kind = StockMovement.Kind

#: Kind and whether units came -> sentence about the units of a movement.
type Sentences = Mapping[tuple[str, bool], Any]

SENTENCES: Sentences = {
    (Kind.INITIAL, True): ngettext_lazy(
        "%(count)d unit at the start", "%(count)d units at the start", "count"
    ),
    (Kind.RECEIVED, True): ngettext_lazy(
        "%(count)d unit received", "%(count)d units received", "count"
    ),
    (Kind.RETURNED, True): ngettext_lazy(
        "%(count)d unit returned", "%(count)d units returned", "count"
    ),
    (Kind.DAMAGED, False): ngettext_lazy(
        "%(count)d unit damaged or lost", "%(count)d units damaged or lost", "count"
    ),
    (Kind.COUNTED, True): ngettext_lazy(
        "%(count)d unit more was counted", "%(count)d units more were counted", "count"
    ),
    (Kind.COUNTED, False): ngettext_lazy(
        "%(count)d unit fewer was counted", "%(count)d units fewer were counted", "count"
    ),
    (Kind.CORRECTION, True): ngettext_lazy(
        "%(count)d unit added as a correction", "%(count)d units added as a correction", "count"
    ),
    (Kind.CORRECTION, False): ngettext_lazy(
        "%(count)d unit removed as a correction",
        "%(count)d units removed as a correction",
        "count",
    ),
}
#: The same of movements that belong to an order or a bulk change, with a link to it.
SOURCE_SENTENCES: Sentences = {
    (Kind.SALE, False): ngettext_lazy(
        "%(count)d unit sold in order %(source)s",
        "%(count)d units sold in order %(source)s",
        "count",
    ),
    (Kind.CANCELLATION, True): ngettext_lazy(
        "%(count)d unit back from the cancelled order %(source)s",
        "%(count)d units back from the cancelled order %(source)s",
        "count",
    ),
    (Kind.RETURNED, True): ngettext_lazy(
        "%(count)d unit returned from order %(source)s",
        "%(count)d units returned from order %(source)s",
        "count",
    ),
    (Kind.DAMAGED, False): ngettext_lazy(
        "%(count)d unit of order %(source)s damaged or lost",
        "%(count)d units of order %(source)s damaged or lost",
        "count",
    ),
    (Kind.ORDER_EDIT, True): ngettext_lazy(
        "%(count)d unit taken out of order %(source)s",
        "%(count)d units taken out of order %(source)s",
        "count",
    ),
    (Kind.ORDER_EDIT, False): ngettext_lazy(
        "%(count)d unit added to order %(source)s",
        "%(count)d units added to order %(source)s",
        "count",
    ),
    (Kind.RECEIVED, True): ngettext_lazy(
        "%(count)d unit received: %(source)s", "%(count)d units received: %(source)s", "count"
    ),
    (Kind.COUNTED, True): ngettext_lazy(
        "%(count)d unit more was counted: %(source)s",
        "%(count)d units more were counted: %(source)s",
        "count",
    ),
    (Kind.COUNTED, False): ngettext_lazy(
        "%(count)d unit fewer was counted: %(source)s",
        "%(count)d units fewer were counted: %(source)s",
        "count",
    ),
    (Kind.UNDONE, True): ngettext_lazy(
        "%(count)d unit added by undoing %(source)s",
        "%(count)d units added by undoing %(source)s",
        "count",
    ),
    (Kind.UNDONE, False): ngettext_lazy(
        "%(count)d unit removed by undoing %(source)s",
        "%(count)d units removed by undoing %(source)s",
        "count",
    ),
    (Kind.IMPORT, True): ngettext_lazy(
        "%(count)d unit added by the import of %(source)s",
        "%(count)d units added by the import of %(source)s",
        "count",
    ),
    (Kind.IMPORT, False): ngettext_lazy(
        "%(count)d unit removed by the import of %(source)s",
        "%(count)d units removed by the import of %(source)s",
        "count",
    ),
}


def describe_movements(product: Product, request: HttpRequest) -> list[dict[str, Any]]:
    """Return the latest movements, newest first, each with its sentence and who of staff did it."""
    movements = StockMovement.objects.filter(product=product).select_related(
        "order", "change_set", "actor"
    )
    return [
        {
            "movement": movement,
            "sentence": describe_movement(movement, request),
            # Of a bulk change it is the name that the sentence ends with.
            "reason": "" if movement.change_set else movement.reason,
            "actor": movement.actor if movement.actor and movement.actor.is_staff else None,
        }
        for movement in movements[:MAX_MOVEMENTS]
    ]


def describe_movement(movement: StockMovement, request: HttpRequest) -> SafeString:
    """Return what happened, as HTML; kind and number of a movement without a sentence."""
    source = movement.order or movement.change_set
    sentences = SOURCE_SENTENCES if source else SENTENCES
    sentence = sentences.get((movement.kind, movement.delta > 0))
    if sentence is None:
        values = {"kind": movement.get_kind_display(), "change": f"{movement.delta:+d}"}
        return format_html("{}", _("%(kind)s: %(change)s") % values)
    parts = {"count": abs(movement.delta), "source": _link(source, request) if source else ""}
    text: str = sentence % parts
    return mark_safe(text)  # noqa: S308 - our sentence with an escaped link


def _link(source: Model, request: HttpRequest) -> SafeString:
    """Return a link to an order or a bulk change; for those who may not see it, its name."""
    options = source._meta
    if not request.user.has_perm(f"{options.app_label}.view_{options.model_name}"):
        return format_html("{}", source)
    url = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[source.pk])
    return format_html('<a class="shop-link" href="{}">{}</a>', url, str(source))
