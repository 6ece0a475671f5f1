"""The admin's brand and its sidebar."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

#: group -> (title, icon, admin list)
SIDEBAR = {
    "Sell": [
        ("Orders", "shopping_bag", "order"),
        ("Products", "inventory_2", "product"),
        ("Imports", "upload_file", "productimport"),
        ("Stock movements", "swap_vert", "stockmovement"),
        ("Open carts", "shopping_cart", "cartitem"),
    ],
    "People": [
        ("Customers and staff", "group", "user"),
        ("Sessions", "devices", "session"),
        ("Audit log", "history", "auditentry"),
    ],
}
#: Lists with a number beside their item -> its colour.
COUNTED = {"order": "warning", "product": "danger", "cartitem": "default"}


def configuration(shop_name: str) -> dict[str, Any]:
    """Unfold's settings for a shop of this name."""
    return {
        "SITE_TITLE": shop_name,
        "SITE_HEADER": shop_name,
        "SITE_SUBHEADER": "Back office",
        "SITE_SYMBOL": "storefront",
        "SITE_URL": None,
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("shop/favicon.svg")}
        ],
        "ACCOUNT": {"navigation": "shop.admin.unfold_callbacks.account_menu"},
        "DASHBOARD_CALLBACK": "shop.admin.dashboard.dashboard_context",
        "ENVIRONMENT": "shop.admin.unfold_callbacks.environment",
        "GLOBAL_CALLBACK": "shop.admin.unfold_callbacks.template_context",
        "STYLES": [lambda _: static("shop/admin.css")],
        "SCRIPTS": [lambda _: static("shop/admin.js")],
        "COLORS": {"primary": GREEN},
        "SHOW_HISTORY": lambda request: request.user.has_perm("shop.view_auditentry"),
        "SHOW_VIEW_ON_SITE": False,
        "SIDEBAR": {
            "show_search": True,
            "navigation": [
                {"title": group, "items": [_item(*entry) for entry in entries]}
                for group, entries in SIDEBAR.items()
            ],
        },
    }


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    colour = COUNTED.get(model)
    badge = (
        {"badge": f"shop.admin.unfold_callbacks.{model}", "badge_variant": colour} if colour else {}
    )
    return {
        **badge,
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:shop_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"shop.view_{model}"),
    }


GREEN = {
    "50": "oklch(97% .02 160)",
    "100": "oklch(94% .04 160)",
    "200": "oklch(88% .07 160)",
    "300": "oklch(80% .10 160)",
    "400": "oklch(68% .12 160)",
    "500": "oklch(62% .12 160)",
    "600": "oklch(47% .095 160)",
    "700": "oklch(40% .08 160)",
    "800": "oklch(33% .065 160)",
    "900": "oklch(28% .05 160)",
    "950": "oklch(20% .035 160)",
}
