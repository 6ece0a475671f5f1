"""Days in the shop's time zone, `settings.TIME_ZONE`."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

DAY = timedelta(days=1)


def start_of_day(day: date) -> datetime:
    """Return the first moment of a day in the shop's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def shift_days(moment: datetime, days: int) -> datetime:
    """Return the same time of day some days later, or earlier, whatever the clock did between."""
    local = timezone.make_naive(moment) + days * DAY
    return timezone.make_aware(local)
