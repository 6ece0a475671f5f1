"""Ctrl+K search: orders, products and users by a few letters, from any page."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from shop import text_validation
from shop.admin.search import search_rows, split_words
from shop.models import Order, Product, User

MAX_RESULTS_PER_MODEL = 5
MIN_TERM_LENGTH = 2
ORDER_NUMBER_PREFIX = 4  # characters before the dash

type AnyQuerySet = models.QuerySet[Any]
#: Returns the ids of the users that match the term; runs its query on the first call only.
type MatchingUsers = Callable[[], list[int]]


@dataclass(frozen=True)
class CommandResult:
    """One result, with the attributes that Unfold's template shows."""

    title: str
    description: str
    link: str
    icon: str


def _search_users(users: AnyQuerySet, _term: str, matching_users: MatchingUsers) -> AnyQuerySet:
    return users.filter(pk__in=matching_users())


def _search_orders(orders: AnyQuerySet, term: str, matching_users: MatchingUsers) -> AnyQuerySet:
    """Match the customer, or the start of the order number, with or without its dash.

    A union of two queries, so that each of them can use its index.
    """
    number = term.replace("-", "").upper()
    if len(number) > ORDER_NUMBER_PREFIX:
        number = f"{number[:ORDER_NUMBER_PREFIX]}-{number[ORDER_NUMBER_PREFIX:]}"
    pks = Order.objects.order_by().values("pk")
    by_customer = pks.filter(user__in=matching_users())
    return orders.filter(pk__in=pks.filter(order_number__startswith=number).union(by_customer))


@dataclass(frozen=True)
class SearchGroup:
    """How one model is searched and shown."""

    icon: str
    search: Callable[[AnyQuerySet, str, MatchingUsers], AnyQuerySet]
    #: Returns title and description of a row.
    describe: Callable[[Any], tuple[str, str]]
    select_related: tuple[str, ...] = ()


SEARCH_GROUPS: dict[type[models.Model], SearchGroup] = {
    Order: SearchGroup(
        "shopping_bag",
        _search_orders,
        lambda order: (order.order_number, f"{order.get_status_display()}, {order.user}"),
        select_related=("user",),
    ),
    Product: SearchGroup(
        "inventory_2",
        lambda products, term, _users: search_rows(products, ["search_text"], term).queryset,
        lambda product: (product.name, product.sku),
    ),
    User: SearchGroup("person", _search_users, lambda user: (str(user), user.email)),
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
    """Yield the lists whose name contains the term."""
    for app in admin.site.get_app_list(request):
        for model in app["models"]:
            name = str(model["name"]).capitalize()
            if term.lower() in name.lower() and model["admin_url"]:
                yield CommandResult(name, _("Page"), model["admin_url"], "list")


def _matching_records(request: HttpRequest, term: str) -> Iterator[CommandResult]:
    """Yield the newest matches of each model that the user may view."""
    if len(term) < MIN_TERM_LENGTH or not any(split_words(term)):
        return

    @cache
    def matching_users() -> list[int]:
        users = search_rows(User.objects.all(), ["search_text"], term).queryset
        return [user.pk for user in users[:MAX_RESULTS_PER_MODEL]]

    for model, group in SEARCH_GROUPS.items():
        model_admin = admin.site.get_model_admin(model)
        if not model_admin.has_view_permission(request):
            continue
        rows = group.search(model_admin.get_queryset(request), term, matching_users)
        if group.select_related:
            rows = rows.select_related(*group.select_related)
        for record in rows[:MAX_RESULTS_PER_MODEL]:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            yield CommandResult(
                *group.describe(record), reverse(name, args=[record.pk]), group.icon
            )
