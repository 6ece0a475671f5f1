"""Date filters of the admin lists. Days are UTC days."""

from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str

from shop.services.reports import start_of_day

RECENT_DAYS = {"1": _("Today"), "7": _("Last 7 days"), "30": _("Last 30 days")}


class RecentDaysFilter(admin.SimpleListFilter):
    """Filter by creation within the last days, today included."""

    title = _("period")
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(RECENT_DAYS.items())

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> models.QuerySet[Any]:
        days = self.value()
        if not days or days not in RECENT_DAYS:
            return queryset
        first = timezone.now().date() - timedelta(days=int(days) - 1)
        return queryset.filter(created_at__gte=start_of_day(first))


class WholeDaysFilter(RangeDateFilter):  # type: ignore[misc]
    """Filter by a range of days, the last day included, which Unfold's own filter leaves out.

    A date that cannot be parsed does not filter.
    """

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> models.QuerySet[Any]:
        first, last = self._parse_date("from"), self._parse_date("to")
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": start_of_day(first)})
        if last:
            end = start_of_day(last + timedelta(days=1))
            queryset = queryset.filter(**{f"{self.field_path}__lt": end})
        return queryset

    def _parse_date(self, suffix: str) -> date | None:
        text = self.used_parameters.get(f"{self.parameter_name}_{suffix}")
        parsed: date | None = parse_date_str(text) if text else None
        return parsed
