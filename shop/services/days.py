"""Days in the shop's time zone, `settings.TIME_ZONE`."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby

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
