"""Filters of the lists."""

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str


class LatelyFilter(admin.SimpleListFilter):
    """Placed today, or within the last 7 or 30 days, today included."""

    title = "age"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Today"), ("7", "Last 7 days"), ("30", "Last 30 days")]

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> models.QuerySet[Any]:
        if self.value() not in {"1", "7", "30"}:
            return queryset
        first = timezone.localdate() - timedelta(days=int(self.value() or 1) - 1)
        return queryset.filter(created_at__gte=_midnight(first))


class WholeDaysFilter(RangeDateFilter):  # type: ignore[misc]
    """From one day to another, the last one whole (Unfold's own drops it); nonsense filters nothing."""

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> models.QuerySet[Any]:
        first = _day(self.used_parameters.get(f"{self.parameter_name}_from"))
        last = _day(self.used_parameters.get(f"{self.parameter_name}_to"))
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _midnight(first)})
        if last:
            queryset = queryset.filter(
                **{f"{self.field_path}__lt": _midnight(last + timedelta(days=1))}
            )
        return queryset


def _day(text: str | None) -> Any:
    return parse_date_str(text) if text else None


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
