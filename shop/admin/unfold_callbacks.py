"""What is around every page: counts in the menu, the badge of where this runs, kept filters, demo logins."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from shop.admin.saved_views import saved_views_context
from shop.services.sidebar_badges import get_badge_counts
from shop.services.two_factor import OFF

#: What is counted in the menu: model -> what its number means, one and many.
MEANING = {
    "order": ("order to be confirmed", "orders to be confirmed"),
    "product": ("product is low or out of stock", "products are low or out of stock"),
    "cartitem": ("customer has an open cart", "customers have an open cart"),
}
#: Colours of the badge; any other word, such as Staging, is a warning.
ENVIRONMENTS = {"Development": "info", "Demo": "success"}


def _badge(model: str) -> Callable[[HttpRequest], str]:
    def badge(request: HttpRequest) -> str:
        """The number beside a menu's item; nothing for none, or for those who may not see the list."""
        count = (
            get_badge_counts().get(model, 0) if request.user.has_perm(f"shop.view_{model}") else 0
        )
        if not count:
            return ""
        meaning = MEANING[model][count != 1]
        return format_html(
            '<span title="{0} {1}">{0}<span class="sr-only"> {1}</span></span>',
            f"{count:,}",
            meaning,
        )

    return badge


order, product, cartitem = map(_badge, MEANING)


def environment(_: HttpRequest) -> tuple[str, str] | None:
    """Unfold's ENVIRONMENT: a word and its colour, so that nobody takes a trial for the shop."""
    word = settings.SHOP_ENVIRONMENT
    return (word, ENVIRONMENTS.get(word, "warning")) if word else None


def account_menu(_: HttpRequest) -> list[dict[str, str]]:
    """Unfold's ACCOUNT: what is in the menu under one's own name."""
    if settings.SHOP_TWO_FACTOR == OFF:
        return []
    return [{"title": "Second factor", "link": reverse("admin:shop_user_second_factor")}]


def template_context(request: HttpRequest) -> dict[str, Any]:
    """Unfold's GLOBAL_CALLBACK: what the templates of this folder's pages find beside Django's own."""
    return {"demo_logins": settings.SHOP_DEMO_LOGINS, "filters": saved_views_context(request)}
