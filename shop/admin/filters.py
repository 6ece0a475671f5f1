"""Filters of the admin lists, made from the models' fields. Days are UTC days."""

import copy
import math
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import Field, IntegerField, Q, QuerySet
from django.db.models.fields import DateTimeField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    AutocompleteSelectMultipleFilter,
    BooleanRadioFilter,
    ChoicesCheckboxFilter,
    FieldTextFilter,
    RangeDateFilter,
    RangeNumericFilter,
)
from unfold.contrib.filters.forms import HorizontalRadioForm
from unfold.utils import parse_date_str
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from shop import exposure, text_validation
from shop.exposure import FilterKind
from shop.services.reports import start_of_day

RECENT_DAYS = {"1": _("Today"), "7": _("Last 7 days"), "30": _("Last 30 days")}
#: Values of the parameter that asks for rows without, or with, a value.
EMPTY, NOT_EMPTY = "1", "0"
#: Numbers beyond it are not typed by people, and take long to convert.
MAX_NUMBER = Decimal(10) ** 30

type Rows = QuerySet[Any]


class RecentDaysFilter(admin.SimpleListFilter):
    """Filter by creation within the last days, today included."""

    title = _("period")
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(RECENT_DAYS.items())

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        days = self.value()
        if not days or days not in RECENT_DAYS:
            return queryset
        first = timezone.now().date() - timedelta(days=int(days) - 1)
        return queryset.filter(created_at__gte=start_of_day(first))


class FieldFilter(admin.FieldListFilter):
    """The base of the filters by one field; each also inherits from one of Unfold's.

    Rows that have one of the chosen values are shown. For a field that may be empty, a checkbox
    adds those without a value. Blank parameters, which forms send, do not filter.
    """

    used_parameters: dict[str, Any]

    def __init__(
        self, field: Any, request: Any, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        for name in [name for name in params if name.startswith(field_path)]:
            params[name] = [value for value in params[name] if value.strip()]
            if not params[name]:
                del params[name]
        self.emptiness_parameter = f"{field_path}__isempty"
        self.emptiness = params.pop(self.emptiness_parameter, [])
        #: The type of the values; a generated field has that of what it computes.
        self.value_field: Field[Any, Any] = copy.copy(getattr(field, "output_field", field))
        self.value_field.name, self.value_field.verbose_name = field.name, field.verbose_name
        super().__init__(self.value_field, request, params, model, model_admin, field_path)
        self.field = field
        self.title = field.verbose_name

    def expected_parameters(self) -> list[str | None]:
        return [*super().expected_parameters(), self.emptiness_parameter]

    def condition(self) -> Q:
        """Return the condition of the chosen values, which is empty without any.

        Raises ValueError or ValidationError for a value that the field can't have.
        """
        condition = Q()
        for lookup, values in self.used_parameters.items():
            for value in values:
                condition |= Q((lookup, value))
        return condition

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        try:
            condition = self.condition()
            if EMPTY in self.emptiness:
                condition |= self.is_empty()
            return queryset.filter(condition)
        except (ValueError, ValidationError) as error:
            raise IncorrectLookupParameters(error) from error

    def is_empty(self) -> Q:
        """Return the condition that the field has no value."""
        if self.value_field.empty_strings_allowed:
            return Q((self.field_path, "")) | Q((f"{self.field_path}__isnull", True))
        return Q((f"{self.field_path}__isnull", True))

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield Unfold's form, with the checkbox for rows without a value if there can be any."""
        choice: Any
        for choice in super().choices(changelist):
            if _may_be_empty(self.field):
                form = choice["form"]
                form.fields[self.emptiness_parameter] = forms.MultipleChoiceField(
                    label="",
                    required=False,
                    choices=[(EMPTY, _("Empty"))],
                    widget=UnfoldAdminCheckboxSelectMultipleWidget,
                )
                form.data = {**form.data, self.emptiness_parameter: self.emptiness}
            yield choice


def _may_be_empty(field: Any) -> bool:
    is_text = exposure.filter_kind(field) in {FilterKind.EXACT, FilterKind.CHOICE}
    return bool(field.null or field.many_to_many or (is_text and field.blank))


class BooleanFilter(FieldFilter, BooleanRadioFilter):  # type: ignore[misc]
    """Filter by yes or no."""


class ChoiceFilter(FieldFilter, ChoicesCheckboxFilter):  # type: ignore[misc]
    """Filter by one or more of the field's choices."""


class TextFilter(FieldFilter, FieldTextFilter):  # type: ignore[misc]
    """Filter by a part of a short text, regardless of case."""

    def condition(self) -> Q:
        condition = Q()
        for value in self.used_parameters.get(self.lookup_kwarg, []):
            text = text_validation.trim_text(value)
            # SQLite refuses very long patterns, and no row has such a text.
            is_too_long = len(text) > (self.value_field.max_length or len(text))
            condition |= Q(pk__in=[]) if is_too_long else Q((self.lookup_kwarg, text))
        return condition


class RelationFilter(FieldFilter, AutocompleteSelectMultipleFilter):  # type: ignore[misc]
    """Filter by one or more related records, which are found by typing."""

    def condition(self) -> Q:
        values = self.used_parameters.get(self.lookup_kwarg, [])
        keys = [self.field.target_field.to_python(value) for value in values]
        return self._is_related(keys) if keys else Q()

    def is_empty(self) -> Q:
        return ~self._is_related(None) if self.field.many_to_many else super().is_empty()

    def _is_related(self, keys: Collection[Any] | None) -> Q:
        """Return the condition that one of the records, or any, is related.

        Many-to-many fields get a subquery: a join would find rows more than once.
        """
        if not self.field.many_to_many:
            return Q((f"{self.field_path}__in", keys))
        links = self.field.remote_field.through._default_manager.all()
        if keys is not None:
            links = links.filter((f"{self.field.m2m_reverse_field_name()}__in", keys))
        return Q(pk__in=links.values(self.field.m2m_field_name()))


class NumberFilter(FieldFilter, RangeNumericFilter):  # type: ignore[misc]
    """Filter from a lowest to a highest number. What is not a number does not filter."""

    # Below each other, so that there is room for the checkbox.
    template = "unfold/filters/filters_date_range.html"

    def condition(self) -> Q:
        condition = Q()
        for suffix, lookup, rounded in (("from", "gte", math.ceil), ("to", "lte", math.floor)):
            number = self._parse_number(suffix)
            if number is not None:
                is_whole = isinstance(self.value_field, IntegerField)
                limit = rounded(number) if is_whole else number
                condition &= Q((f"{self.field_path}__{lookup}", limit))
        return condition

    def _parse_number(self, suffix: str) -> Decimal | None:
        text = self.used_parameters.get(f"{self.parameter_name}_{suffix}")
        try:
            number = Decimal(text or "NaN")
        except InvalidOperation:
            return None
        return number if number.is_finite() and abs(number) <= MAX_NUMBER else None


class WholeDaysFilter(FieldFilter, RangeDateFilter):  # type: ignore[misc]
    """Filter by a range of days, the last day included, which Unfold's own filter leaves out.

    A date that cannot be parsed does not filter.
    """

    def condition(self) -> Q:
        first, last = self._parse_date("from"), self._parse_date("to")
        condition = Q()
        has_time = isinstance(self.value_field, DateTimeField)
        if first:
            start = start_of_day(first) if has_time else first
            condition &= Q((f"{self.field_path}__gte", start))
        if last and not has_time:
            condition &= Q((f"{self.field_path}__lte", last))
        elif last == date.max:
            condition &= ~self.is_empty()
        elif last:
            end = start_of_day(last + timedelta(days=1))
            condition &= Q((f"{self.field_path}__lt", end))
        return condition

    def _parse_date(self, suffix: str) -> date | None:
        text = self.used_parameters.get(f"{self.parameter_name}_{suffix}")
        parsed: date | None = parse_date_str(text) if text else None
        return parsed


class FileFilter(FieldFilter):
    """Filter by whether there is a file."""

    template = "unfold/filters/filters_field.html"

    def expected_parameters(self) -> list[str | None]:
        return [self.emptiness_parameter]

    def condition(self) -> Q:
        return ~self.is_empty() if NOT_EMPTY in self.emptiness else Q()

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield a form of Unfold with two radio buttons."""
        yield {
            "form": HorizontalRadioForm(
                label=_("By %(filter_title)s") % {"filter_title": self.title},
                name=self.emptiness_parameter,
                choices=[("", _("All")), (NOT_EMPTY, _("Yes")), (EMPTY, _("No"))],
                data={self.emptiness_parameter: next(iter(self.emptiness), "")},
            )
        }


FILTERS: dict[FilterKind, type[FieldFilter]] = {
    FilterKind.BOOLEAN: BooleanFilter,
    FilterKind.CHOICE: ChoiceFilter,
    FilterKind.RELATION: RelationFilter,
    FilterKind.EXACT: TextFilter,
    FilterKind.NUMBER: NumberFilter,
    FilterKind.DATE: WholeDaysFilter,
    FilterKind.FILE: FileFilter,
}


def model_filters(model: exposure.Model) -> dict[str, type[FieldFilter]]:
    """Return the filter of each field of the model that has one, by the field's name."""
    kinds = {
        field.name: exposure.filter_kind(field)
        for field in exposure.all_fields(model)
        if not field.primary_key
    }
    return {name: FILTERS[kind] for name, kind in kinds.items() if kind}
