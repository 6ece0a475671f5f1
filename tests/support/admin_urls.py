"""Every address of the back office, read from the resolver: a new one comes by itself, or fails by name."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.urls import URLResolver, reverse

from shop.models import Order

#: Addresses that have a word beside the key of a record -> all such words.
URL_ARGUMENTS = {
    "shop_order_move": ("confirmed", "shipped", "delivered", "cancelled"),
    "shop_order_print_one": ("packing slip", "invoice"),
    "shop_order_pick": ("customer", "product"),
    "app_list": ("shop", "auth"),
}
KEYS = {"pk", "object_id", "id"}
#: Which record an address needs to have something to do; any other takes the first.
SUITABLE = {
    "shop_order_move": lambda to: {
        "status__in": [status for status, ways in Order.FLOW.items() if to in ways]
    },
    "shop_order_mark_paid": lambda: {"status": "pending", "payment_status": "pending"},
    "shop_productimport_undo": lambda: {"state": "applied"},
    "shop_productimport_run_now": lambda: {"state": "uploaded"},
    "auth_user_password_change": lambda: {"role": "admin"},
    "shop_user_sign_out_everywhere": lambda: {"role": "customer"},
    "shop_user_hand_out": lambda: {"role": "customer"},
    "shop_user_take_second_factor": lambda: {"totpdevice__isnull": False},
    "shop_user_erase": lambda: {"role": "customer", "orders": None},
}
#: A link to a site that we do not have, and Django's redirects for addresses without a name.
LEAD_ELSEWHERE = {"view_on_site", None}


@dataclass(frozen=True)
class AdminUrl:
    """One address of a page, and the name by which it is registered."""

    name: str
    path: str


def admin_urls(only=""):
    """All of them, or those whose name ends so, on the rows that are there: one of each model is needed."""
    patterns = [found for found in _patterns(admin.site.get_urls()) if found[0].endswith(only)]
    return [found for pattern in patterns for found in _addresses(*pattern)]


def _patterns(entries, prefix=""):
    for entry in entries:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns, route)
        elif entry.name not in LEAD_ELSEWHERE:
            yield (
                entry.name,
                route,
                list(entry.pattern.converters) or list(entry.pattern.regex.groupindex),
            )


def _addresses(name, route, arguments):
    more = len(set(arguments) - KEYS)
    assert more < 2, f"Tell tests/addresses.py how to call {route}"
    assert not more or name in URL_ARGUMENTS, (
        f"Tell WORDS in tests/addresses.py what {name} puts into {route}"
    )
    for word in URL_ARGUMENTS[name] if more else [None]:
        given = [] if word is None else [word]
        keys = [_row(name, route, given).pk] if KEYS & set(arguments) else []
        yield AdminUrl(name, reverse(f"admin:{name}", args=[*keys, *given]))


def _row(name: str, route: str, given: list[str]) -> Any:
    model = apps.get_model(*route.split("/")[:2])
    wanted = SUITABLE[name](*given) if name in SUITABLE else {}
    found = model._default_manager.filter(**wanted).order_by("pk").first()
    assert found is not None, f"tests/scene.py makes no {model.__name__} for {route}"
    return found
