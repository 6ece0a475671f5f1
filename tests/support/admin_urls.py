"""Every URL of the admin, read from the URLconf: a new one is included, or fails by name."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.urls import URLResolver, reverse

from shop.admin.reports.declarations import REPORTS
from shop.models.order_status import OrderStatus

#: URL name -> all values of its argument beside the primary key.
URL_ARGUMENTS = {
    "shop_order_move": [status.value for status in OrderStatus if status.facts.action],
    "shop_order_print_document": ["packing slip", "invoice"],
    "shop_order_search_choices": ["customer", "product"],
    "app_list": ["shop", "auth"],
    "report": list(REPORTS),
}
PRIMARY_KEY_ARGUMENTS = {"pk", "object_id", "id"}
#: URL name -> the filter for a record on which the page can act; others use the first record.
RECORD_FILTERS = {
    "shop_order_move": lambda to: {
        "status__in": [status for status in OrderStatus if to in status.facts.next]
    },
    "shop_order_mark_paid": lambda: {"status": "pending", "payment_status": "pending"},
    "shop_order_edit_order": lambda: {"status": "pending"},
    "shop_order_edit_tracking": lambda: {"status": "shipped"},
    "shop_order_return_items": lambda: {"status": "delivered"},
    "shop_order_refund": lambda: {"status": "delivered", "paid_amount__gt": 0},
    "shop_changeset_undo": lambda: {"state": "applied"},
    "shop_changeset_run_now": lambda: {"state": "uploaded"},
    "shop_user_invite_again": lambda: {"email": "ines@example.com"},
    "shop_user_sign_out_everywhere": lambda: {"role": "customer"},
    "shop_user_export_personal_data": lambda: {"role": "customer"},
    "shop_user_disable_two_factor": lambda: {"totpdevice__isnull": False},
    "shop_user_erase_personal_data": lambda: {"role": "customer", "orders": None},
}
#: The link to a public site, which the shop has not, and Django's redirects without a name.
IGNORED_NAMES = {"view_on_site", None}


@dataclass(frozen=True)
class AdminUrl:
    """One path of the admin, and its URL name."""

    name: str
    path: str


def admin_urls(only=""):
    """Return the URLs whose name ends with `only`. Each model in a URL needs at least one row."""
    return [
        url
        for name, route, arguments in _url_patterns(admin.site.get_urls())
        if name.endswith(only)
        for url in _build_urls(name, route, arguments)
    ]


def _url_patterns(entries, prefix=""):
    """Yield name, route and argument names of each URL pattern."""
    for entry in entries:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _url_patterns(entry.url_patterns, route)
        elif entry.name not in IGNORED_NAMES:
            arguments = list(entry.pattern.converters) or list(entry.pattern.regex.groupindex)
            yield entry.name, route, arguments


def _build_urls(name, route, arguments):
    has_pk = bool(PRIMARY_KEY_ARGUMENTS & set(arguments))
    others = set(arguments) - PRIMARY_KEY_ARGUMENTS
    assert len(others) < 2, f"{route} has more arguments than tests/support/admin_urls.py can fill"
    assert not others or name in URL_ARGUMENTS, f"Add {name} to URL_ARGUMENTS for {route}"

    for values in [[value] for value in URL_ARGUMENTS[name]] if others else [[]]:
        pks = [_find_record(name, route, values).pk] if has_pk else []
        yield AdminUrl(name, reverse(f"admin:{name}", args=[*pks, *values]))


def _find_record(name: str, route: str, values: list[str]) -> Any:
    model = apps.get_model(*route.split("/")[:2])
    filters = RECORD_FILTERS[name](*values) if name in RECORD_FILTERS else {}
    record = model._default_manager.filter(**filters).order_by("pk").first()
    assert record is not None, f"tests/support/world.py has no {model.__name__} for {route}"
    return record
