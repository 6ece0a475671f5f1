"""Days in the shop's time zone, `settings.TIME_ZONE`."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple

from django.utils import timezone

DAY = timedelta(days=1)


def start_of_day(day: date) -> datetime:
    """Return the first moment of a day in the shop's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def shift_days(moment: datetime, days: int) -> datetime:
    """Return the same time of day some days later, or earlier, whatever the clock did between."""
    local = timezone.make_naive(moment) + days * DAY
    return timezone.make_aware(local)


def constant_offsets(days: Sequence[date]) -> Iterator[tuple[datetime, date | int]]:
    """Yield the parts of consecutive days that have one offset from UTC, by their ends.

    A part is the offset in seconds, or the day itself if the clock changes on it.
    """

    def part_of(day: date) -> date | int:
        start, end = (start_of_day(edge).utcoffset() or timedelta() for edge in (day, day + DAY))
        return int(start.total_seconds()) if start == end else day

    for part, part_days in groupby(days, part_of):
        *_others, last = part_days
        yield start_of_day(last + DAY), part


class DayRange(NamedTuple):
    """A range of days, both included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        """The first moment of the range."""
        return start_of_day(self.first)

    @property
    def until(self) -> datetime:
        """The first moment after the range."""
        return start_of_day(self.last + DAY)

    @property
    def days(self) -> list[date]:
        """Every day of the range."""
        return [self.first + number * DAY for number in range((self.last - self.first).days + 1)]
