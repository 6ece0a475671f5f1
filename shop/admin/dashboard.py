"""The dashboard: open orders, sales and low stock, each part only for users who may see it."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop import caching, money
from shop.admin.rendering import status_label
from shop.models.order_status import PaymentStatus, Text
from shop.services import reports
from shop.services.days import DAY, start_of_day


class Period(NamedTuple):
    """The texts of a period; `previous` is what its figures are compared with."""

    label: Text
    title: Text
    previous: Text


class WaitingTile(NamedTuple):
    """The number of orders that wait for something, and the list of them."""

    orders: int
    label: str
    text: Text
    url: str


#: `?days=` -> period
PERIODS = {
    1: Period(_("Today"), _("Today"), _("yesterday at this time")),
    7: Period(_("7 days"), _("Last 7 days"), _("the previous 7 days")),
    30: Period(_("30 days"), _("Last 30 days"), _("the previous 30 days")),
}
DEFAULT_DAYS = 7
MIN_CHART_DAYS = 7
MAX_RECENT_ORDERS, MAX_LOW_STOCK_PRODUCTS = 10, 5
#: The figures of a period with more orders than this are cached for CACHE_SECONDS.
MANY_ORDERS, CACHE_SECONDS = 5_000, 60

#: A period compared with the previous one, its sales by day, its best sellers, and when they were
#: computed.
type SalesFigures = tuple[
    reports.Comparison, list[reports.DailySales], list[reports.BestSeller], datetime
]

# A grey that is legible on white; admin.css brightens the whole canvas in the dark theme.
TEXT_COLOUR, GRID_COLOUR = "#666b75", "#8885"
CHART_OPTIONS = json.dumps(
    {
        "animation": False,
        "maintainAspectRatio": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {
                "grid": {"display": False},
                "ticks": {"color": TEXT_COLOUR, "maxRotation": 0, "maxTicksLimit": 8},
            },
            "y": {
                "beginAtZero": True,
                "border": {"display": False},
                "grid": {"color": GRID_COLOUR},
                "ticks": {"color": TEXT_COLOUR, "precision": 0, "maxTicksLimit": 5},
            },
        },
    }
)


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the index page's context with the dashboard's figures; Unfold's DASHBOARD_CALLBACK."""
    sees_orders = request.user.has_perm("shop.view_order")
    sees_products = request.user.has_perm("shop.view_product")
    dashboard: dict[str, Any] = {"sees_orders": sees_orders, "sees_products": sees_products}
    if sees_orders:
        sees_revenue = request.user.has_perm("shop.view_revenue")
        dashboard |= sales_context(parse_period(request), sees_revenue=sees_revenue)
    if sees_products:
        low = reports.low_stock_products(MAX_LOW_STOCK_PRODUCTS)
        dashboard |= {"low": low, "has_products": bool(low) or reports.has_products()}
    return context | {"dashboard": dashboard}


def parse_period(request: HttpRequest) -> int:
    """Return the key of PERIODS in `?days=`, or DEFAULT_DAYS for anything else."""
    value = request.GET.get("days", "")
    return next((days for days in PERIODS if str(days) == value), DEFAULT_DAYS)


def sales_context(days: int, *, sees_revenue: bool) -> dict[str, Any]:
    """Return everything that is computed from orders; a shop without orders runs one query only.

    Without `sees_revenue` there are units and numbers of orders, but no sums.
    """
    recent = reports.recent_orders(MAX_RECENT_ORDERS)
    if not recent:
        return {"recent": recent}
    now, period = timezone.now(), PERIODS[days]
    sales, per_day, sellers, computed_at = load_sales_figures(days, now)
    return {
        "recent": [
            (order, status_label(order.status), money.format_money(order.total, order.currency))
            for order in recent
        ],
        "title": period.title,
        "computed_at": computed_at if computed_at != now else None,
        "periods": [(other.label, f"?days={key}", key == days) for key, other in PERIODS.items()],
        "waiting": waiting_tiles(),
        "sees_revenue": sees_revenue,
        "cards": sales_cards(sales, period.previous, sees_revenue=sees_revenue),
        "charts": sales_charts(per_day, sees_revenue=sees_revenue),
        "chart_options": CHART_OPTIONS,
        "sellers": [
            (row, money.format_money(row.revenue) if sees_revenue else "") for row in sellers
        ],
    }


def waiting_tiles() -> list[WaitingTile]:
    """Return a tile for each open status, and one for the refunds that are due, if any."""
    orders_url = reverse("admin:shop_order_changelist")
    tiles = [
        WaitingTile(
            orders=row.orders,
            label=status_label(row.status),
            text=row.status.facts.waiting_for,
            url=f"{orders_url}?status__exact={row.status}",
        )
        for row in reports.open_order_counts()
    ]
    refunds = reports.refunds_due()
    if refunds.orders:
        status = PaymentStatus.REFUND_DUE
        tile = WaitingTile(
            orders=refunds.orders,
            label=status_label(status),
            text=money.format_money(refunds.amount),
            url=f"{orders_url}?payment_status__exact={status}",
        )
        tiles.append(tile)
    return tiles


def load_sales_figures(days: int, now: datetime) -> SalesFigures:
    """Compute the figures of a period, or return cached ones, see MANY_ORDERS."""

    def compute() -> SalesFigures:
        today = timezone.localdate(now)
        since = start_of_day(today - (days - 1) * DAY)
        per_day = reports.daily_sales(max(days, MIN_CHART_DAYS), today)
        return reports.compare_sales(since, now), per_day, reports.best_sellers(since), now

    return caching.get_or_compute(
        f"figures_{days}",
        compute,
        CACHE_SECONDS,
        is_worth_caching=lambda figures: figures[0].current.orders > MANY_ORDERS,
    )


def sales_cards(
    sales: reports.Comparison, previous: Text, *, sees_revenue: bool
) -> list[tuple[str, str, str]]:
    """Return label, figure and comparison of each card."""
    now, before = sales.current, sales.previous
    revenue, average = money.format_money(now.revenue), money.format_money(now.average)
    cards: list[tuple[str, str, Decimal | int, Decimal | int, bool]] = [
        (gettext("Revenue"), revenue, now.revenue, before.revenue, sees_revenue),
        (gettext("Orders"), f"{now.orders:,}", now.orders, before.orders, True),
        (gettext("Average order"), average, now.average, before.average, sees_revenue),
        (gettext("Units sold"), f"{now.units:,}", now.units, before.units, True),
    ]
    return [
        (label, figure, format_comparison(value, earlier, previous))
        for label, figure, value, earlier, is_shown in cards
        if is_shown
    ]


def format_comparison(now: Decimal | int, before: Decimal | int, previous: Text) -> str:
    """Return a change in whole percent, such as `+12% vs. the previous 7 days`."""
    if not before:
        return gettext("Nothing to compare with")
    if now == before:
        return gettext("Same as %(period)s") % {"period": previous}
    percent = (Decimal(now - before) * 100 / Decimal(before)).quantize(Decimal(1), ROUND_HALF_UP)
    if not percent:
        return gettext("About the same as %(period)s") % {"period": previous}
    return gettext("%(percent)s vs. %(period)s") % {"percent": f"{percent:+,}%", "period": previous}


def sales_charts(days: Sequence[reports.DailySales], *, sees_revenue: bool) -> list[dict[str, Any]]:
    """Return the charts of revenue and orders per day, with the same numbers as table rows."""
    revenue = [(day.day, float(day.revenue), money.format_money(day.revenue)) for day in days]
    orders = [(day.day, day.orders, f"{day.orders:,}") for day in days]
    count = {"count": len(days)}
    title = gettext("Orders per day, last %(count)d days") % count
    charts = [chart_context(gettext("Orders"), title, "bar", orders)]
    if sees_revenue:
        title = gettext("Revenue per day, last %(count)d days") % count
        charts.insert(0, chart_context(gettext("Revenue"), title, "line", revenue))
    return charts


def chart_context(
    label: str, title: str, kind: str, points: Sequence[tuple[Any, float, str]]
) -> dict[str, Any]:
    """Return a chart's template context; a point is a day, its value, and the value as text."""
    colour = "var(--color-primary-600)"
    dataset = {
        "label": label,
        "data": [value for _day, value, _text in points],
        "borderColor": colour,
        "backgroundColor": colour,
        "borderWidth": 2 if kind == "line" else 0,
        "borderRadius": 3,
        "maxBarThickness": 28,
        "pointRadius": 2,
    }
    labels = [date_format(day, "j M") for day, _value, _text in points]
    return {
        "title": title,
        "label": label,
        "template": f"unfold/components/chart/{kind}.html",
        "data": json.dumps({"labels": labels, "datasets": [dataset]}),
        "rows": [(day, text) for day, _value, text in reversed(points)],
    }
