import importlib
import re
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import connection
from support import factories

from shop.admin.view_filters import describe_query
from shop.models import AuditEntry, SavedView
from shop.models.saved_views import normalize_query

ADD = "/admin/shop/savedview/add/"
QUERY = "payment_status__exact=pending&status__exact=shipped"
VALUES = {"name": "To chase", "screen": "order", "query": QUERY}


def save_view(owner, name="To chase", screen="order", query=QUERY, **values):
    return SavedView.objects.create(owner=owner, name=name, screen=screen, query=query, **values)


def shown_views(browser, screen="order", query=""):
    """Return the names of the saved views above a list, and the URL to save the current one."""
    context = browser.get(f"/admin/shop/{screen}/?{query}").context["saved_views"]
    return [view.name for view in context["views"]], context["save_url"]


@pytest.fixture
def cleo(staff_client_with):
    browser = staff_client_with("view_order")
    return factories.User.objects.get(email="cleo@example.com"), browser


def test_a_view_is_saved_from_its_list(adas_browser, ada):
    _, link = shown_views(
        adas_browser, query="status__exact=shipped&p=2&payment_status__exact=pending&q="
    )
    form = adas_browser.get(link).context["adminform"].form
    assert (form["screen"].value(), form["query"].value()) == ("order", QUERY)
    answer = adas_browser.post(link, VALUES)
    assert answer.url == f"/admin/shop/order/?{QUERY}"
    view = SavedView.objects.get()
    assert (view.owner, view.name, view.screen, view.query) == (ada, "To chase", "order", QUERY)
    assert view.is_shared is False


def test_a_saved_view_is_shown_above_its_list_only(adas_browser, ada):
    save_view(ada)
    text = adas_browser.get("/admin/shop/order/").content.decode()
    assert f'<a href="?{QUERY.replace("&", "&amp;")}">To chase</a>' in text
    assert "/admin/shop/savedview/" in text
    for screen in ("product", "user"):
        assert shown_views(adas_browser, screen) == ([], "")
    assert adas_browser.get("/admin/shop/session/").context["saved_views"] is None


def test_a_saved_query_cannot_be_saved_again(adas_browser, ada):
    save_view(ada)
    text = adas_browser.get(f"/admin/shop/order/?p=1&{QUERY}").content.decode()
    assert 'aria-current="page">To chase</a>' in text
    assert "Save this view" not in text


@pytest.mark.parametrize("query", ["", "p=2", "e=1", "q="])
def test_a_list_without_filters_cannot_be_saved(adas_browser, query):
    assert shown_views(adas_browser, query=query) == ([], "")


def test_colleagues_see_shared_views(adas_browser, ada, cleo):
    save_view(ada, "Mine")
    save_view(ada, "Shared", is_shared=True)
    assert shown_views(cleo[1])[0] == ["Shared"]
    assert (
        'title="Shared by Ada Staff">Shared</a>'
        in cleo[1].get("/admin/shop/order/").content.decode()
    )
    assert shown_views(adas_browser)[0] == ["Mine", "Shared"]


def test_views_shared_by_an_inactive_user_are_hidden(ada, cleo):
    save_view(ada, is_shared=True)
    ada.is_active = False
    ada.save()
    assert shown_views(cleo[1])[0] == []


def test_a_shared_view_needs_the_permission_to_view_its_list(ada, cleo):
    save_view(ada, screen="product", query="level=low", is_shared=True)
    answer = cleo[1].get("/admin/shop/product/")
    assert answer.status_code == 403
    assert b"To chase" not in answer.content


def test_users_cannot_change_or_delete_views_of_others(ada, cleo):
    theirs = save_view(ada, is_shared=True)
    page = f"/admin/shop/savedview/{theirs.pk}"
    assert theirs.name not in cleo[1].get("/admin/shop/savedview/").content.decode()
    cleo[1].post(f"{page}/change/", VALUES | {"name": "Cleo's"})
    cleo[1].post(f"{page}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [theirs.pk], "post": "yes"}
    cleo[1].post("/admin/shop/savedview/", chosen)
    assert list(SavedView.objects.values_list("owner", "name")) == [(ada.pk, "To chase")]


def test_users_change_and_delete_their_own_views(cleo):
    mine = save_view(cleo[0])
    page = f"/admin/shop/savedview/{mine.pk}"
    assert (
        cleo[1].post(f"{page}/change/", VALUES | {"name": "Late", "is_shared": "on"}).status_code
        == 302
    )
    mine.refresh_from_db()
    assert (mine.name, mine.is_shared, mine.owner) == ("Late", True, cleo[0])
    cleo[1].post(f"{page}/delete/", {"post": "yes"})
    assert not SavedView.objects.exists()


def test_saving_a_view_needs_the_permission_to_view_its_list(cleo):
    answer = cleo[1].post(ADD, VALUES | {"screen": "product", "query": "level=low"})
    assert "screen" in answer.context["adminform"].form.errors
    assert not SavedView.objects.exists()


def test_staff_without_any_list_cannot_save_views(staff_client_with):
    browser = staff_client_with("view_session")
    assert browser.post(ADD, VALUES).status_code == 403
    assert browser.get("/admin/shop/savedview/").status_code == 403
    assert not SavedView.objects.exists()


def test_the_owner_is_the_user_who_saves(ada, cleo):
    cleo[1].post(ADD, VALUES | {"owner": ada.pk})
    assert SavedView.objects.get().owner == cleo[0]


def test_a_name_is_unique_per_owner_and_list(ada, cleo):
    save_view(ada)
    for number in (1, 1):
        answer = cleo[1].post(ADD, VALUES)
        assert SavedView.objects.filter(owner=cleo[0]).count() == number
    assert "You already have a view with this name for this list." in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "normalized"),
    [
        ("?status__exact=shipped", "status__exact=shipped"),
        ("b=2&a=1&a=0&p=3&_popup=1", "a=0&a=1&b=2"),
        ("q=caf%C3%A9+noir", "q=caf%C3%A9+noir"),
        ("q=a%26b%23c", "q=a%26b%23c"),
        ("https://evil.example/?q=1", "https%3A%2F%2Fevil.example%2F%3Fq=1"),
        ("q=1\r\nLocation: x", "q=1%0D%0ALocation%3A+x"),
        ("p=3", ""),
        ("", ""),
    ],
)
def test_normalize_query(query, normalized):
    assert normalize_query(query) == normalized


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("nonsense", "blank"),
        ("p=2", "blank"),
        ("//evil.example", "blank"),
        ("q=" + "é" * 400, "max_length"),
        ("", "required"),
    ],
)
def test_an_invalid_query_is_refused(adas_browser, query, code):
    response = adas_browser.post(ADD, VALUES | {"query": query})
    [error] = response.context["adminform"].form.errors.as_data()["query"]
    assert error.code == code
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_a_list_with_saved_views_is_six_queries(adas_browser, ada, dora, statements, number):
    dora.user_permissions.set(Permission.objects.all())
    for name in range(number):
        save_view(dora, str(name), is_shared=True)
        save_view(ada, str(name))
    with statements(6):
        adas_browser.get("/admin/shop/order/")


def test_a_concurrent_duplicate_is_refused_with_an_error(adas_browser, ada, monkeypatch):
    original, skip = SavedView.validate_constraints, [True]

    def validate_constraints(view, **options):
        if not skip or not skip.pop():
            original(view, **options)

    save_view(ada)
    monkeypatch.setattr(SavedView, "validate_constraints", validate_constraints)
    answer = adas_browser.post(ADD, VALUES)
    assert answer.context["adminform"].form.non_field_errors()
    assert SavedView.objects.count() == 1


def test_a_saved_view_is_logged(adas_browser, ada):
    adas_browser.post(ADD, VALUES)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.model_name, entry.record_label) == (
        ada,
        "added",
        "savedview",
        "To chase",
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("picture=no", "image__isempty=1"),
        ("level=low&picture=yes&q=mug", "image__isempty=0&level=low&q=mug"),
        ("picture=maybe&q=mug", "picture=maybe&q=mug"),
        ("q=picture%3Dno", "q=picture%3Dno"),
        (f"picture=no&q={'x' * 985}", f"picture=no&q={'x' * 985}"),
    ],
)
def test_the_migration_renames_the_filter_by_picture(ada, old, new):
    migration = importlib.import_module("shop.migrations.0007_order_fields_and_updates")
    save_view(ada, screen="product", query=old)
    save_view(ada, query="picture=no")
    migration.rename_picture_filter(apps, connection.schema_editor(atomic=False))
    queries = SavedView.objects.order_by("-screen").values_list("query", flat=True)
    assert list(queries) == [new, "picture=no"]


@pytest.mark.parametrize(
    ("query", "migrated"),
    [
        ("days=7", "period=last_7_days"),
        ("q=a+b&status__exact=pending&days=1", "period=today&q=a+b&status__exact=pending"),
        ("days=5&q=x", "q=x"),
        ("q=days", "q=days"),
    ],
)
def test_the_migration_renames_the_periods_of_saved_views(ada, query, migrated):
    migration = importlib.import_module("shop.migrations.0010_order_search")
    view = SavedView.objects.create(owner=ada, screen="order", name="Late", query=query)
    products = SavedView.objects.create(owner=ada, screen="product", name="Late", query="days=7")
    migration.name_periods(apps, None)
    view.refresh_from_db()
    products.refresh_from_db()
    assert (view.query, products.query) == (migrated, "days=7")
    migration.number_periods(apps, None)
    view.refresh_from_db()
    if "days=5" not in query:
        assert sorted(view.query.split("&")) == sorted(query.split("&"))


def test_a_saved_view_that_cannot_be_read_shows_the_error(adas_browser, ada):
    view = SavedView.objects.create(
        owner=ada, screen="order", name="Old", query="created_at_from=31.11.2026"
    )
    response = adas_browser.get(f"/admin/shop/order/?{view.query}")
    assert len(response.context["cl"].filter_errors) == 1
    assert list(response.context["cl"].result_list) == []


@pytest.mark.parametrize(
    ("query", "migrated"),
    [("o=3", "o=5"), ("o=-7.2&q=a", "o=-8.2&q=a"), ("o=1", "o=1"), ("o=&q=o%3D3", "o=&q=o%3D3")],
)
def test_the_migration_keeps_the_columns_that_saved_views_sort_by(ada, query, migrated):
    migration = importlib.import_module("shop.migrations.0010_order_search")
    view = SavedView.objects.create(owner=ada, screen="order", name="Late", query=query)
    migration.move_columns(apps, None)
    view.refresh_from_db()
    assert view.query == migrated


@pytest.mark.parametrize(
    ("screen", "query", "filters"),
    [
        (
            "order",
            QUERY,
            [("Payment", ["Not yet paid"]), ("Status", ["Shipped"])],
        ),
        (
            "order",
            "status__exact=pending&status__exact=shipped",
            [("Status", ["Pending", "Shipped"])],
        ),
        (
            "order",
            "period=last_month&q=a+b",
            [("Order date", ["Last month"]), ("Search", ["“a b”"])],
        ),
        ("order", "created_at_from=2026-11-01", [("Order date", ["from 2026-11-01"])]),
        (
            "product",
            "is_active__exact=1&level=out",
            [("Active", ["Yes"]), ("Stock", ["Out of stock"])],
        ),
        ("product", "image__isempty=1", [("Picture", ["empty"])]),
        ("user", "role__exact=admin", [("Role", ["Staff"])]),
        ("user", "nothing=1", [("Other filter", ["1"])]),
        ("order", "period=never&level=x", [("Order date", ["never"]), ("Other filter", ["x"])]),
    ],
)
def test_filters_are_named_in_words(rf, ada, screen, query, filters):
    request = rf.get("/")
    request.user = ada
    assert describe_query(request, apps.get_model("shop", screen), query) == filters


@pytest.mark.parametrize("number", [1, 3])
def test_the_query_string_of_a_view_is_never_shown(adas_browser, ada, statements, number):
    for name in range(number):
        save_view(ada, str(name))
    with statements(6):
        page = adas_browser.get("/admin/shop/savedview/").content.decode()
    form = adas_browser.get(f"{ADD}?screen=order&query={quote(QUERY)}").content.decode()
    for text in (page, form):
        shown = re.sub(r'(href|value|content)="[^"]*"', "", text)
        assert ("status__exact" in shown, "Not yet paid" in shown) == (False, True)
