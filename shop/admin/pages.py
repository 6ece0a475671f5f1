"""Pages of the admin that are no list: in the sidebar, and found by the command search."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from shop.admin.products.permissions import may_manage_stock
from shop.admin.reports.declarations import permitted_reports
from shop.models.order_status import Text


@dataclass(frozen=True)
class AdminPage:
    """A page, and what it takes to see it."""

    title: Text
    icon: str
    url_name: str
    is_permitted: Callable[[HttpRequest], bool]

    @property
    def url(self) -> str:
        """The path of the page."""
        return reverse(f"admin:{self.url_name}")


#: Title of a group of the sidebar, which may have lists too -> its pages.
PAGE_GROUPS: dict[Text, list[AdminPage]] = {
    _("Sales"): [
        AdminPage(
            _("Reports"),
            "bar_chart",
            "reports",
            lambda request: bool(permitted_reports(request.user)),
        ),
    ],
    _("Stock room"): [
        AdminPage(
            _("Receive goods"), "move_to_inbox", "shop_product_receive_goods", may_manage_stock
        ),
        AdminPage(_("Count stock"), "checklist", "shop_product_count_shelf", may_manage_stock),
    ],
}


def permitted_pages(request: HttpRequest) -> Iterator[AdminPage]:
    """Yield the pages that the user may see."""
    for pages in PAGE_GROUPS.values():
        yield from (page for page in pages if page.is_permitted(request))


def is_page(path: str) -> bool:
    """Return whether this is the path of one of the pages."""
    return any(path == page.url for pages in PAGE_GROUPS.values() for page in pages)
