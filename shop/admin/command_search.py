"""Ctrl+K search: orders, products and users by a few letters, from any page."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from shop import text_validation
from shop.admin.pages import permitted_pages
from shop.admin.reports.declarations import permitted_reports
from shop.db.row_search import search_rows, split_words
from shop.models import Order, Product, User
from shop.services.order_search import search_orders
from shop.services.product_lookup import normalize_search

MAX_RESULTS_PER_MODEL = 5
MIN_TERM_LENGTH = 2

type AnyQuerySet = models.QuerySet[Any]


@dataclass(frozen=True)
class CommandResult:
    """One result, with the attributes that Unfold's template shows."""

    title: str
    description: str
    link: str
    icon: str


def _search_by_text(rows: AnyQuerySet, term: str) -> AnyQuerySet:
    return search_rows(rows, ["search_text"], term).queryset


@dataclass(frozen=True)
class SearchGroup:
    """How one model is searched and shown."""

    icon: str
    search: Callable[[AnyQuerySet, str], AnyQuerySet]
    #: Returns title and description of a row.
    describe: Callable[[Any], tuple[str, str]]
    select_related: tuple[str, ...] = ()


SEARCH_GROUPS: dict[type[models.Model], SearchGroup] = {
    Order: SearchGroup(
        "shopping_bag",
        lambda orders, term: search_orders(orders, term, by_staff=True).queryset,
        lambda order: (order.order_number, f"{order.get_status_display()}, {order.user}"),
        select_related=("user",),
    ),
    Product: SearchGroup(
        "inventory_2",
        lambda products, term: _search_by_text(products, normalize_search(term)),
        lambda product: (product.name, product.sku),
    ),
    User: SearchGroup("person", _search_by_text, lambda user: (str(user), user.email)),
}


def command_search(request: HttpRequest) -> HttpResponse:
    """Answer Unfold's command search in place of `UnfoldAdminSite.search`.

    Unfold's own view returns every match and caches results for five minutes, longer than an order
    stays pending and longer than a withdrawn permission may last.
    """
    start = time.monotonic()
    term = text_validation.trim_text(request.GET.get("s", ""))
    if not term:
        return HttpResponse()
    results = [*_matching_lists(request, term), *_matching_records(request, term)]
    context = {
        "results": results,
        "page_obj": {"count": len(results)},
        "page_counter": 0,
        "execution_time": time.monotonic() - start,
    }
    return TemplateResponse(request, "unfold/helpers/command_results.html", context)


def _matching_lists(request: HttpRequest, term: str) -> Iterator[CommandResult]:
    """Yield the pages, lists and reports whose name contains the term."""
    for page in permitted_pages(request):
        if term.lower() in str(page.title).lower():
            yield CommandResult(str(page.title), _("Page"), page.url, page.icon)
    for app in admin.site.get_app_list(request):
        for model in app["models"]:
            name = str(model["name"]).capitalize()
            if term.lower() in name.lower() and model["admin_url"]:
                yield CommandResult(name, _("Page"), model["admin_url"], "list")
    for name, report in permitted_reports(request.user).items():
        title = str(report.title)
        if term.lower() in f"{_('Reports')}: {title}".lower():
            yield CommandResult(
                title, _("Report"), reverse("admin:report", args=[name]), "bar_chart"
            )


def _matching_records(request: HttpRequest, term: str) -> Iterator[CommandResult]:
    """Yield the newest matches of each model that the user may view."""
    if len(term) < MIN_TERM_LENGTH or not any(split_words(term)):
        return

    for model, group in SEARCH_GROUPS.items():
        model_admin = admin.site.get_model_admin(model)
        if not model_admin.has_view_permission(request):
            continue
        rows = group.search(model_admin.get_queryset(request), term)
        if group.select_related:
            rows = rows.select_related(*group.select_related)
        for record in rows[:MAX_RESULTS_PER_MODEL]:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            yield CommandResult(
                *group.describe(record), reverse(name, args=[record.pk]), group.icon
            )
