"""The period of a report: a named one such as the last month, or from a day to a day."""

from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.admin.period_filter import PERIOD_PARAMETER, PERIODS
from shop.models.order_status import Text
from shop.services.days import DayRange

DEFAULT_PERIOD = "this_month"
#: The periods that a report offers; its address may name the other ones of the order list too.
OFFERED_PERIODS = ("this_month", "last_month", "last_30_days", "this_year", "last_year")
#: Period without sales -> the one to look at next. One of dates leads to this year.
NEXT_PERIOD = {
    "today": "last_7_days",
    "yesterday": "last_7_days",
    "last_7_days": "last_30_days",
    "last_30_days": "this_year",
    "this_month": "last_month",
    "last_month": "this_year",
    "this_year": "last_year",
    "": "this_year",
}
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
#: A report has a row for each day.
MAX_DAYS = 3 * 366


class PeriodLink(NamedTuple):
    """A link to a named period."""

    label: Text
    query: str
    is_current: bool = False


class PeriodForm(forms.Form):
    """Reads the period of a report from its address. An empty address is DEFAULT_PERIOD.

    A value that can't be read is an error, and then there is no report.
    """

    period = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[(value, period.label) for value, period in PERIODS.items()],
        widget=forms.HiddenInput,
    )
    first = forms.DateField(
        label=_("From"), required=False, widget=UnfoldAdminTextInputWidget({"type": "date"})
    )
    last = forms.DateField(
        label=_("To"), required=False, widget=UnfoldAdminTextInputWidget({"type": "date"})
    )

    def __init__(self, query: QueryDict) -> None:
        super().__init__({name: query.get(name, "") for name in ("period", "first", "last")})

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        first, last = values.get("first"), values.get("last")
        for name, other in (("first", last), ("last", first)):
            if other and name not in self.errors and not values.get(name):
                self.add_error(name, ValidationError(_("Enter a date."), code="required"))
        for name in ("first", "last"):
            if values.get(name) and not FIRST_DAY <= values[name] <= LAST_DAY:
                message = _("Enter a date of this century or the next.")
                self.add_error(name, ValidationError(message, code="out_of_range"))
        if self.errors or not (first and last):
            return values
        if first > last:
            message = _("The last day is before the first.")
            self.add_error("last", ValidationError(message, code="reversed"))
        elif (last - first).days >= MAX_DAYS:
            message = _("Choose at most three years.")
            self.add_error("last", ValidationError(message, code="too_long"))
        return values

    @property
    def period_name(self) -> str:
        """The named period; empty for one of dates. Only of a valid form."""
        if self.cleaned_data["first"]:
            return ""
        return self.cleaned_data["period"] or DEFAULT_PERIOD

    @property
    def days(self) -> DayRange:
        """The days of the period. Only of a valid form."""
        if name := self.period_name:
            return DayRange(*PERIODS[name].days(timezone.localdate()))
        return DayRange(self.cleaned_data["first"], self.cleaned_data["last"])

    def fill_in_dates(self) -> None:
        """Show the days of a named period in the fields, as a start for other ones."""
        self.data = {name: getattr(self.days, name).isoformat() for name in ("first", "last")}

    def links(self) -> list[PeriodLink]:
        """Return the links to the periods that are offered."""
        current = self.period_name if self.is_valid() else None
        return [period_link(name, is_current=name == current) for name in OFFERED_PERIODS]

    def next_period(self) -> PeriodLink | None:
        """Return the link to a period that may have sales, if this one has none."""
        name = NEXT_PERIOD.get(self.period_name)
        return period_link(name) if name else None


def period_link(name: str, *, is_current: bool = False) -> PeriodLink:
    """Return the link to a named period."""
    return PeriodLink(PERIODS[name].label, f"{PERIOD_PARAMETER}={name}", is_current)
