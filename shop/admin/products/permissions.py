"""What it takes to work in the stock room."""

from django.http import HttpRequest

#: To receive goods and to count stock, and to undo either.
STOCK_PERMISSION = "shop.manage_stock"


def may_manage_stock(request: HttpRequest) -> bool:
    """Return whether the user may receive goods and count stock."""
    return bool(request.user.has_perm(STOCK_PERMISSION))
