"""Query strings and selections that no page of the admin sends: refused, with nothing changed."""

import pytest
from support import factories, world
from unfold.views import ChangeList

from shop.models import Order

ORDERS, PRODUCTS = "/admin/shop/order/", "/admin/shop/product/"


@pytest.fixture
def orders(ada, carl, dora):
    return world.create_world(ada, carl, dora)


@pytest.mark.parametrize(
    "query",
    [
        "created_at__year=0",
        "created_at__year=-1",
        "created_at__year=99999999999999999999",
        "created_at__date=0000-01-01",
        "user__id__exact=x",
        "nothing__exact=1",
        "status__exact__exact=1",
    ],
)
@pytest.mark.parametrize("page", [ORDERS, f"{ORDERS}export/"])
def test_a_value_that_cannot_be_compared_leads_to_an_error(adas_browser, orders, page, query):
    response = adas_browser.get(f"{page}?{query}")
    assert (response.status_code, response["Location"]) == (302, f"{ORDERS}?e=1")
    assert list(adas_browser.get(response["Location"]).context["cl"].result_list) == []
    assert adas_browser.get(f"{ORDERS}?e=1&{query}").status_code == 200


def test_a_search_under_a_value_that_cannot_be_compared_is_no_server_error(adas_browser, orders):
    assert adas_browser.get(f"{ORDERS}?q=mug&created_at__year=0").status_code == 302


@pytest.mark.parametrize(
    "query",
    [
        "user__exact=9223372036854775808",
        "id__in=1,9223372036854775808",
        "id__exact=-1",
        "total_amount__exact=1e400",
        "created_at__gte=9999-12-31T23:59:59-14:00",
    ],
)
@pytest.mark.parametrize("page", [ORDERS, f"{ORDERS}export/"])
def test_a_number_beyond_the_column_is_no_error(adas_browser, orders, page, query):
    assert adas_browser.get(f"{page}?{query}").status_code in {200, 302}


@pytest.mark.parametrize("error", [AttributeError, TypeError, ValueError, OverflowError])
def test_a_value_that_a_lookup_cannot_convert_is_no_error(adas_browser, orders, monkeypatch, error):
    """Django raises an AttributeError for a text that is compared with a duration on SQLite."""

    def refuse(_query):
        raise error

    rows = Order.objects.all()
    monkeypatch.setattr(type(rows.query), "sql_with_params", refuse)
    monkeypatch.setattr(ChangeList, "get_queryset", lambda *_arguments: rows)
    assert adas_browser.get(f"{ORDERS}?id__gte=1").status_code == 302


@pytest.mark.parametrize("lookup", ["regex", "iregex", "range"])
@pytest.mark.parametrize("page", [ORDERS, f"{ORDERS}export/", "/admin/shop/savedview/"])
def test_an_expensive_lookup_is_refused(adas_browser, orders, page, lookup):
    field = "name" if "savedview" in page else "note"
    assert adas_browser.get(f"{page}?{field}__{lookup}=(a").status_code == 400


@pytest.mark.parametrize(
    "query",
    ["created_at__year=2026", "user__id__exact=1", "status__in=pending,shipped", "id__gte=2"],
)
def test_other_lookups_still_filter(adas_browser, orders, query):
    assert adas_browser.get(f"{ORDERS}?{query}").status_code == 200


@pytest.mark.parametrize("key", ["x", "", "1.5", "9" * 30, "-99999999999999999999", "a\0b"])
@pytest.mark.parametrize("action", ["move_to_cancelled", "export_selected", "delete_selected"])
def test_a_malformed_key_is_refused(adas_browser, orders, action, key):
    url = "/admin/shop/savedview/" if action == "delete_selected" else ORDERS
    before = factories.all_rows()
    values = {"action": action, "_selected_action": [orders[0].pk, key], "once": "k"}
    assert adas_browser.post(url, values).status_code == 400
    assert factories.all_rows() == before


@pytest.mark.parametrize("key", ["-1", "0", str(2**31), str(2**63 - 1)])
def test_a_key_without_a_record_selects_nothing(adas_browser, orders, key):
    statuses = list(Order.objects.values_list("pk", "status"))
    values = {"action": "move_to_cancelled", "_selected_action": [key], "once": "k"}
    assert adas_browser.post(ORDERS, values).status_code == 302
    assert list(Order.objects.values_list("pk", "status")) == statuses


@pytest.mark.parametrize(
    ("url", "actions"),
    [
        (PRODUCTS, ["receive", "export_selected"]),
        (PRODUCTS, ["archive", "archive"]),
        (ORDERS, ["move_to_cancelled", "move_to_confirmed"]),
    ],
)
def test_two_actions_are_refused(adas_browser, orders, url, actions):
    before = factories.all_rows()
    values = {"action": actions, "_selected_action": ["1"], "note": "x", "reason": "x"}
    assert adas_browser.post(url, values).status_code == 400
    assert factories.all_rows() == before


@pytest.mark.parametrize("note", ["x", "x" * 1001, "\u202e", ["a", "b"]])
def test_a_note_belongs_to_a_cancellation_only(adas_browser, orders, note):
    values = {
        "action": "move_to_confirmed",
        "_selected_action": [orders[0].pk],
        "note": note,
        "once": "k",
    }
    assert adas_browser.post(ORDERS, values).status_code == 302
    orders[0].refresh_from_db()
    event = orders[0].events.order_by("pk").last()
    assert (orders[0].status, event.status, event.note) == ("confirmed", "confirmed", "")


@pytest.mark.parametrize("note", ["x" * 1001, "\u202e", "a\0b"])
def test_an_invalid_reason_cancels_nothing(adas_browser, orders, note):
    before = factories.all_rows()
    selected = {"action": "move_to_cancelled", "_selected_action": [orders[0].pk]}
    values = {**selected, "note": note, "once": "k"}
    response = adas_browser.post(ORDERS, values)
    assert list(response.context["form"].errors) == ["note"]
    assert factories.all_rows() == before


def test_an_empty_to_field_is_ignored(adas_browser, orders):
    for url in (f"{ORDERS}{orders[0].pk}/change/", f"{ORDERS}{orders[0].pk}/delete/"):
        expected = adas_browser.get(url).status_code
        assert adas_browser.get(f"{url}?_to_field=").status_code == expected
