"""The base of filters by choices that are not those of a field."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpRequest
from unfold.contrib.filters.admin import RadioFilter

from shop.admin.filters import Rows, titled, unreadable


class SimpleChoiceFilter(RadioFilter):  # type: ignore[misc]
    """Filter by one of `lookups`. A value that is no choice is an error."""

    errors: Sequence[str] = ()

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Return the rows of the choice; all rows and `errors` if there is no such choice."""
        value = (self.value() or "").strip()
        if value and value not in {str(choice) for choice, _label in self.lookup_choices}:
            self.errors = [unreadable(value, self.title)]
            return queryset
        return self.filter_rows(queryset, value) if value else queryset

    def filter_rows(self, rows: Rows, value: str) -> Rows:
        """Return the rows of this choice."""
        raise NotImplementedError

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield Unfold's form, under the title."""
        for choice in super().choices(changelist):
            yield titled(choice, self.title)
