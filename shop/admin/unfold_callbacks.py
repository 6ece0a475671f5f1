"""Callbacks for `settings.unfold`: sidebar badges, environment label, account menu, context."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from shop.admin.base import staff_user
from shop.admin.pages import PAGE_GROUPS, AdminPage, is_page
from shop.admin.saved_views import saved_views_context
from shop.admin.two_factor import SETUP_VIEW
from shop.models.order_status import Text
from shop.services.groups import further_models
from shop.services.sidebar_badges import BADGE_MODELS, MAX_COUNTED, get_badge_counts
from shop.services.two_factor import OFF

#: SHOP_ENVIRONMENT -> colour of its label; any other environment, such as Staging, is a warning.
ENVIRONMENT_COLOURS = {"Development": "info", "Demo": "success"}


#: What a sidebar badge counts, by model. `number` is the count, `count` the same as shown.
BADGE_DESCRIPTIONS = {
    "order": ngettext_lazy(
        "%(count)s order to be confirmed", "%(count)s orders to be confirmed", "number"
    ),
    "product": ngettext_lazy(
        "%(count)s product is low or out of stock",
        "%(count)s products are low or out of stock",
        "number",
    ),
    "cartitem": ngettext_lazy(
        "%(count)s customer has an open cart", "%(count)s customers have an open cart", "number"
    ),
    "outboxmessage": ngettext_lazy(
        "%(count)s email failed this week", "%(count)s emails failed this week", "number"
    ),
}

#: The filter of the list that shows what its badge counts.
BADGE_QUERIES = {"product": "level=reorder"}


#: Colour of the badge; other models have none.
BADGE_VARIANTS = {
    "order": "warning",
    "outboxmessage": "danger",
    "product": "danger",
    "cartitem": "default",
}


#: Pages of the account menu, which have no entry in the sidebar.
OWN_PAGES = frozenset({SETUP_VIEW})
#: Read once for all badges of a page. An entry lives as long as its request.
_counts: WeakKeyDictionary[HttpRequest, dict[str, int]] = WeakKeyDictionary()


def _badge_counts(request: HttpRequest) -> dict[str, int]:
    """Return the counts of the lists that the user may view."""
    if request not in _counts:
        viewable = [model for model in BADGE_MODELS if request.user.has_perm(f"shop.view_{model}")]
        _counts[request] = get_badge_counts(staff_user(request), viewable)
    return _counts[request]


def _badge_callback(model: str) -> Callable[[HttpRequest], str]:
    def render_badge(request: HttpRequest) -> str:
        """Return the badge; empty for a count of 0 and for users who may not view the list."""
        number = _badge_counts(request).get(model, 0)
        if not number:
            return ""
        count = f"{number:,}" if number <= MAX_COUNTED else f"{MAX_COUNTED:,}+"
        return format_html(
            '<span title="{0}"><span aria-hidden="true">{1}</span>'
            '<span class="sr-only">{0}</span></span>',
            BADGE_DESCRIPTIONS[model] % {"number": number, "count": count},
            count,
        )

    return render_badge


# The items of the sidebar name these by model.
order, product, cartitem, outboxmessage = map(_badge_callback, BADGE_DESCRIPTIONS)


def sidebar_navigation(_request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar: the shop's own, its pages, and further catalogue models."""
    sales, *others = settings.UNFOLD["SIDEBAR"]["groups"]
    items = [
        (capfirst(model._meta.verbose_name_plural), "category", model._meta.model_name)
        for model in further_models()
    ]
    catalogue = [(_("Catalogue"), items)] if items else []
    pages = {str(title): list(map(_page_item, group)) for title, group in PAGE_GROUPS.items()}
    first, *rest = [
        {
            "title": title,
            "items": [*(_sidebar_item(*item) for item in items), *pages.pop(str(title), ())],
        }
        for title, items in (sales, *catalogue, *others)
    ]
    return [first, *({"title": title, "items": items} for title, items in pages.items()), *rest]


def _page_item(page: AdminPage) -> dict[str, Any]:
    """Return the link to a page, for those who may see it."""
    return {
        "title": page.title,
        "icon": page.icon,
        "link": page.url,
        "permission": page.is_permitted,
    }


def _sidebar_item(title: Text, icon: str, model: str) -> dict[str, Any]:
    """Return the link to a model's list, for those who may view it."""
    link = reverse(f"admin:shop_{model}_changelist")
    item = {
        "title": title,
        "icon": icon,
        "link": link,
        "permission": lambda request: request.user.has_perm(f"shop.view_{model}"),
        # The pages below a list have items of their own.
        "active": lambda request: (
            request.path.startswith(link)
            and not is_page(request.path)
            and request.resolver_match.view_name not in OWN_PAGES
        ),
    }
    if model in BADGE_VARIANTS:
        item["badge"] = f"shop.admin.unfold_callbacks.{model}"
        item["badge_variant"] = BADGE_VARIANTS[model]
    return item


def environment(_request: HttpRequest) -> tuple[str, str] | None:
    """Return text and colour of Unfold's environment label, so that a demo is not mistaken."""
    name = settings.SHOP_ENVIRONMENT
    return (name, ENVIRONMENT_COLOURS.get(name, "warning")) if name else None


def account_menu(request: HttpRequest) -> list[dict[str, str]]:
    """Return the links of the account menu."""
    links = [(_("Your sessions"), "admin:shop_user_own_sessions")]
    if settings.SHOP_TWO_FACTOR != OFF:
        links.insert(0, (_("Two-factor authentication"), "admin:shop_user_two_factor"))
    if request.user.is_authenticated and staff_user(request).has_usable_password():
        links.insert(0, (_("Change password"), "admin:password_change"))
    return [{"title": title, "link": reverse(name)} for title, name in links]


def badge_hint(request: HttpRequest) -> tuple[str, str] | None:
    """Return what the menu's number beside this list counts, and the query of a list of them.

    None if the list shows them already, and for a list whose tabs say so.
    """
    match = request.resolver_match
    model = (
        (match.url_name or "").removeprefix("shop_").removesuffix("_changelist") if match else ""
    )
    number = _badge_counts(request).get(model, 0) if model in BADGE_QUERIES else 0
    if not number or request.GET.urlencode() == BADGE_QUERIES[model]:
        return None
    count = f"{number:,}" if number <= MAX_COUNTED else f"{MAX_COUNTED:,}+"
    return BADGE_DESCRIPTIONS[model] % {"number": number, "count": count}, BADGE_QUERIES[model]


def template_context(request: HttpRequest) -> dict[str, Any]:
    """Return what every admin template can use beside Django's own context."""
    return {
        "demo_logins": settings.SHOP_DEMO_LOGINS,
        "saved_views": saved_views_context(request),
        "badge_hint": badge_hint(request),
    }
