"""Configuration of Unfold, the admin's theme: brand, colours and sidebar."""

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from shop import __version__

#: (group title, [(title, icon, model of the linked changelist), ...])
SIDEBAR_GROUPS = [
    (
        _("Sales"),
        [
            (_("Orders"), "shopping_bag", "order"),
            (_("Invoices"), "receipt_long", "invoice"),
            (_("Emails"), "mail", "outboxmessage"),
            (_("Products"), "inventory_2", "product"),
            (_("Bulk changes"), "published_with_changes", "changeset"),
            (_("Stock movements"), "swap_vert", "stockmovement"),
            (_("Open carts"), "shopping_cart", "cartitem"),
            (_("Carriers"), "local_shipping", "carrier"),
        ],
    ),
    (
        _("People"),
        [
            (_("Customers and staff"), "group", "user"),
            (_("Sessions"), "devices", "session"),
            (_("Audit log"), "history", "auditentry"),
        ],
    ),
]


def unfold_settings(shop_name: str) -> dict[str, Any]:
    """Return the `UNFOLD` setting for a shop of this name."""
    return {
        "SITE_TITLE": shop_name,
        "SITE_HEADER": shop_name,
        "SITE_SUBHEADER": _("Back office"),
        "SITE_VERSION": __version__,
        "SITE_SYMBOL": "storefront",
        "SITE_URL": None,
        "SITE_FAVICONS": [
            {
                "rel": "icon",
                "type": "image/svg+xml",
                "href": lambda _request: static("shop/favicon.svg"),
            }
        ],
        "ACCOUNT": {"navigation": "shop.admin.unfold_callbacks.account_menu"},
        "DASHBOARD_CALLBACK": "shop.admin.dashboard.dashboard_context",
        "ENVIRONMENT": "shop.admin.unfold_callbacks.environment",
        "GLOBAL_CALLBACK": "shop.admin.unfold_callbacks.template_context",
        "STYLES": [lambda _request: static("shop/admin.css")],
        "SCRIPTS": [lambda _request: static("shop/admin.js")],
        "COLORS": {"primary": GREEN},
        "SHOW_HISTORY": lambda request: request.user.has_perm("shop.view_auditentry"),
        "SHOW_VIEW_ON_SITE": False,
        "SIDEBAR": {
            "show_search": True,
            # Makes the sidebar of SIDEBAR_GROUPS and the further models of the catalogue.
            "navigation": "shop.admin.unfold_callbacks.sidebar_navigation",
            "groups": SIDEBAR_GROUPS,
        },
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
