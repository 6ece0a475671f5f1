"""The first page: what waits, what was sold, what runs out. Each part only for those who may see it."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import RedisError

from shop import money
from shop.services import reports

#: ?days= -> (in the switch, above the figures, what they are compared with)
PERIODS = {
    1: ("Today", "Today", "yesterday by this time"),
    7: ("7 days", "Last 7 days", "the 7 days before"),
    30: ("30 days", "Last 30 days", "the 30 days before"),
}
DEFAULT_DAYS = 7
CHART_DAYS = 7  # at least; one day alone is no curve
RECENT_ORDERS, LOW = 10, 5
#: A period of more orders is not counted again for so long.
MANY_ORDERS, KEPT_SECONDS = 5_000, 60

#: What a period brought: beside the one before, by day, by product; and when that was counted.
type Figures = tuple[
    reports.Comparison, list[reports.DailySales], list[reports.BestSeller], datetime
]

# One grey that can be read on white; in the dark theme the stylesheet brightens the whole canvas.
INK, RULE = "#666b75", "#8885"
CHART_OPTIONS = json.dumps(
    {
        "animation": False,
        "maintainAspectRatio": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {
                "grid": {"display": False},
                "ticks": {"color": INK, "maxRotation": 0, "maxTicksLimit": 8},
            },
            "y": {
                "beginAtZero": True,
                "border": {"display": False},
                "grid": {"color": RULE},
                "ticks": {"color": INK, "precision": 0, "maxTicksLimit": 5},
            },
        },
    }
)


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: the admin's context with this page's figures."""
    sees_orders = request.user.has_perm("shop.view_order")
    sees_products = request.user.has_perm("shop.view_product")
    dashboard: dict[str, Any] = {"sees_orders": sees_orders, "sees_products": sees_products}
    if sees_orders:
        dashboard |= _orders(_days(request))
    if sees_products:
        low = reports.low_stock_products(LOW)
        dashboard |= {"low": low, "has_products": bool(low) or reports.has_products()}
    return context | {"dashboard": dashboard}


def _days(request: HttpRequest) -> int:
    """The period that the address asks for; the usual one for whatever else it says."""
    asked = request.GET.get("days", "")
    return next((days for days in PERIODS if str(days) == asked), DEFAULT_DAYS)


def _orders(days: int) -> dict[str, Any]:
    """All that comes from orders. Where there are none yet, nothing more is asked."""
    latest = reports.recent_orders(RECENT_ORDERS)
    if not latest:
        return {"latest": latest}
    now = timezone.now()
    sales, per_day, sellers, counted = _figures(days, now)
    _, title, before = PERIODS[days]
    return {
        "latest": [(order, money.format_money(order.total)) for order in latest],
        "title": title,
        "counted": counted if counted != now else None,
        "switch": [(label, f"?days={key}", key == days) for key, (label, *_) in PERIODS.items()],
        "waiting": [(row, _list_of(row.status)) for row in reports.open_order_counts()],
        "cards": _cards(sales, before),
        "charts": _charts(per_day),
        "chart_options": CHART_OPTIONS,
        "sellers": [(row, money.format_money(row.revenue)) for row in sellers],
    }


def _figures(days: int, now: datetime) -> Figures:
    """What the period brought, and when that was counted: very many orders at most once a minute."""
    key = f"figures_{days}"
    with suppress(RedisError):
        kept: Figures | None = cache.get(key)
        if kept:
            return kept
    since = reports.start_of_day(now.date() - (days - 1) * reports.DAY)
    sales = reports.compare_sales(since, now)
    chart = reports.daily_sales(max(days, CHART_DAYS), now.date())
    found = (sales, chart, reports.best_sellers(since), now)
    if sales.current.orders > MANY_ORDERS:
        with suppress(RedisError):
            cache.set(key, found, KEPT_SECONDS)
    return found


def _list_of(status: str) -> str:
    return f"{reverse('admin:shop_order_changelist')}?status__exact={status}"


def _cards(sales: reports.Comparison, period: str) -> list[tuple[str, str, str]]:
    """Label, figure and comparison of each card."""
    now, before = sales.current, sales.previous
    return [
        (
            "Revenue",
            money.format_money(now.revenue),
            format_comparison(now.revenue, before.revenue, period),
        ),
        ("Orders", f"{now.orders:,}", format_comparison(now.orders, before.orders, period)),
        (
            "Average order",
            money.format_money(now.average),
            format_comparison(now.average, before.average, period),
        ),
        ("Units sold", f"{now.units:,}", format_comparison(now.units, before.units, period)),
    ]


def format_comparison(now: Decimal | int, before: Decimal | int, period: str) -> str:
    """`+12 % on the 7 days before`."""
    if not before:
        return "nothing to compare with"
    if now == before:
        return f"the same as {period}"
    percent = (Decimal(now - before) * 100 / Decimal(before)).quantize(Decimal(1), ROUND_HALF_UP)
    return f"{percent:+,} % on {period}" if percent else f"about the same as {period}"


def _charts(days: Sequence[reports.DailySales]) -> list[dict[str, Any]]:
    """What Chart.js draws, and the same numbers to read."""
    revenue = [(day.day, float(day.revenue), money.format_money(day.revenue)) for day in days]
    orders = [(day.day, day.orders, f"{day.orders:,}") for day in days]
    return [_chart("Revenue", "line", revenue), _chart("Orders", "bar", orders)]


def _chart(title: str, kind: str, rows: Sequence[tuple[Any, float, str]]) -> dict[str, Any]:
    colour = "var(--color-primary-600)"
    line = {
        "label": title,
        "data": [value for _, value, _ in rows],
        "borderColor": colour,
        "backgroundColor": colour,
        "borderWidth": 2 if kind == "line" else 0,
        "borderRadius": 3,
        "maxBarThickness": 28,
        "pointRadius": 2,
    }
    labels = [f"{day.day} {day:%b}" for day, *_ in rows]
    return {
        "title": f"{title} a day, last {len(rows)} days",
        "label": title,
        "template": f"unfold/components/chart/{kind}.html",
        "data": json.dumps({"labels": labels, "datasets": [line]}),
        "rows": [(day, shown) for day, _, shown in reversed(rows)],
    }
