"""The filter by date: a range of days, or a named period such as the last month."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget

from shop.admin.filters import WholeDaysFilter, unreadable
from shop.models.order_status import Text
from shop.services.days import DAY, start_of_day

PERIOD_PARAMETER = "period"


class Period(NamedTuple):
    """A named range of days: its label, and its first and last day as of today."""

    label: Text
    days: Callable[[date], tuple[date, date]]


def _last_month(today: date) -> tuple[date, date]:
    last = today.replace(day=1) - DAY
    return last.replace(day=1), last


def _last_year(today: date) -> tuple[date, date]:
    year = today.year - 1
    return date(year, 1, 1), date(year, 12, 31)


#: Value of `period` -> what it stands for.
PERIODS = {
    "today": Period(_("Today"), lambda today: (today, today)),
    "yesterday": Period(_("Yesterday"), lambda today: (today - DAY, today - DAY)),
    "last_7_days": Period(_("Last 7 days"), lambda today: (today - 6 * DAY, today)),
    "last_30_days": Period(_("Last 30 days"), lambda today: (today - 29 * DAY, today)),
    "this_month": Period(_("This month"), lambda today: (today.replace(day=1), today)),
    "last_month": Period(_("Last month"), _last_month),
    "this_year": Period(_("This year"), lambda today: (today.replace(month=1, day=1), today)),
    "last_year": Period(_("Last year"), _last_year),
}


class PeriodFilter(WholeDaysFilter):
    """Filter by days, or by one of PERIODS, such as the last month. Its parameter is `period`."""

    def __init__(self, field: Any, request: Any, params: Any, *args: Any, **kwargs: Any) -> None:
        self.periods = [value for value in params.pop(PERIOD_PARAMETER, []) if value.strip()]
        super().__init__(field, request, params, *args, **kwargs)
        if self.periods:
            self.used_parameters[PERIOD_PARAMETER] = self.periods[-1]

    def expected_parameters(self) -> list[str | None]:
        return [PERIOD_PARAMETER, *super().expected_parameters()]

    def condition(self) -> Q:
        condition = super().condition()
        for period in self.periods[-1:]:
            if period not in PERIODS:
                raise ValidationError(unreadable(period, self.title))
            first, last = PERIODS[period].days(timezone.localdate())
            condition &= Q((f"{self.field_path}__gte", start_of_day(first)))
            condition &= Q((f"{self.field_path}__lt", start_of_day(last + DAY)))
        return condition

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield the form of the range, with the periods above it."""
        choice: Any
        for choice in super().choices(changelist):
            form = choice["form"]
            labels = [(value, period.label) for value, period in PERIODS.items()]
            period_field = forms.ChoiceField(
                label="",
                required=False,
                choices=[("", _("Any time")), *labels],
                widget=UnfoldAdminRadioSelectWidget,
            )
            form.fields = {PERIOD_PARAMETER: period_field, **form.fields}
            form.data = {**form.data, PERIOD_PARAMETER: "".join(self.periods[-1:])}
            yield choice
