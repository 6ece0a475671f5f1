"""Ctrl+K: an order, a product or a person, from any page."""

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

from shop.admin.search import search_rows
from shop.models import Order, Product, User

FEW = 5
SHORTEST = 2
DASH_AFTER = 4


@dataclass(frozen=True)
class Result:
    """One line of the palette, in Unfold's words."""

    title: str
    description: str
    link: str
    icon: str


PERSON = ("email", "first_name", "last_name", "phone")


type Rows = models.QuerySet[Any]
#: The keys of the people whom the term names; asked at most once.
type Named = Callable[[], list[int]]


def _people(rows: Rows, _: str, named: Named) -> Rows:
    return rows.filter(pk__in=named())


def _products(rows: Rows, term: str, _: Named) -> Rows:
    return search_rows(rows, ("name", "sku"), term).queryset


def _orders(rows: Rows, term: str, named: Named) -> Rows:
    """By the beginning of its number, with or without the dash, or by its customer: found by index, each."""
    bare = term.replace("-", "").upper()
    number = f"{bare[:4]}-{bare[4:]}" if len(bare) > DASH_AFTER else bare
    keys = Order.objects.order_by().values("pk")
    theirs = keys.filter(user__in=named())
    return rows.filter(pk__in=keys.filter(order_number__startswith=number).union(theirs))


@dataclass(frozen=True)
class SearchGroup:
    """What is looked through: its symbol, how it is found, what is told of it."""

    icon: str
    looked_for: Callable[[Rows, str, Named], Rows]
    told: Callable[[Any], tuple[str, str]]
    related: str = ""


SEARCH_GROUPS: dict[type[models.Model], SearchGroup] = {
    Order: SearchGroup(
        "shopping_bag",
        _orders,
        lambda order: (order.order_number, f"{order.get_status_display()}, {order.user}"),
        related="user",
    ),
    Product: SearchGroup("inventory_2", _products, lambda product: (product.name, product.sku)),
    User: SearchGroup("person", _people, lambda user: (str(user), user.email)),
}


def command_search(request: HttpRequest) -> HttpResponse:
    """Answers Unfold's palette in the place of `UnfoldAdminSite.search`.

    That one shows each row it finds, however many, and keeps them for five minutes: longer than an order
    stays pending, and longer than a right that was taken away.
    """
    start = time.monotonic()
    term = request.GET.get("s", "").strip()
    if not term:
        return HttpResponse()
    results = [*_pages(request, term), *_records(request, term)]
    context = {
        "results": results,
        "page_obj": {"count": len(results)},
        "page_counter": 0,
        "execution_time": time.monotonic() - start,
    }
    return TemplateResponse(request, "unfold/helpers/command_results.html", context)


def _pages(request: HttpRequest, term: str) -> Iterator[Result]:
    for app in admin.site.get_app_list(request):
        for model in app["models"]:
            if term.lower() in str(model["name"]).lower() and model["admin_url"]:
                yield Result(str(model["name"]).capitalize(), "Page", model["admin_url"], "list")


def _records(request: HttpRequest, term: str) -> Iterator[Result]:
    """A few of each kind that this member of staff may see, the newest first."""

    @cache
    def named() -> list[int]:
        people = search_rows(User.objects.all(), PERSON, term).queryset[:FEW]
        return [person.pk for person in people]

    for model, kind in SEARCH_GROUPS.items():
        screen = admin.site.get_model_admin(model)
        if len(term) < SHORTEST or not screen.has_view_permission(request):
            continue
        rows = kind.looked_for(screen.get_queryset(request), term, named)
        if kind.related:
            rows = rows.select_related(kind.related)
        for record in rows[:FEW]:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            yield Result(*kind.told(record), reverse(name, args=[record.pk]), kind.icon)
