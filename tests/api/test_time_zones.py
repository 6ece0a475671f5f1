"""The API's moments and days are UTC, whatever the shop's time zone."""

import datetime
import json
import re

import pytest
from support import world

from shop.models import Order

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[^\"]+")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_responses_are_in_utc(adas_app, carl, mug, settings, zone):
    settings.TIME_ZONE = zone
    order = world.create_order(carl, (mug, 1))
    placed = datetime.datetime(2026, 3, 1, 23, 30, tzinfo=datetime.UTC)
    Order.objects.filter(pk=order.pk).update(created_at=placed, shipped_at=placed)
    for url in ("/orders/", f"/orders/{order.pk}/", "/products/", "/auth/profile/"):
        response = adas_app.get(url)
        moments = MOMENT.findall(json.dumps(response.json()))
        assert response.status_code == 200
        assert moments
        assert [moment for moment in moments if not moment.endswith("Z")] == [], url
    assert adas_app.get(f"/orders/{order.pk}/").json()["created_at"] == "2026-03-01T23:30:00Z"
    for day, count in (("2026-03-01", 1), ("2026-03-02", 0)):
        query = f"created_from={day}&created_to={day}"
        assert adas_app.get(f"/orders/?{query}").json()["count"] == count, day
