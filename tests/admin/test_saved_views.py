import pytest
from django.contrib.auth.models import Permission
from support import factories

from shop.models import AuditEntry, SavedView
from shop.models.saved_views import normalize_query

ADD = "/admin/shop/savedview/add/"
QUERY = "payment_status__exact=pending&status__exact=shipped"
VALUES = {"name": "To chase", "screen": "order", "query": QUERY}


def keep(owner, name="To chase", screen="order", query=QUERY, **values):
    return SavedView.objects.create(owner=owner, name=name, screen=screen, query=query, **values)


def chips(browser, screen="order", query=""):
    shown = browser.get(f"/admin/shop/{screen}/?{query}").context["filters"]
    return [kept.name for kept in shown["kept"]], shown["keep"]


@pytest.fixture
def cleo(clerk_with):
    browser = clerk_with("view_order")
    return factories.User.objects.get(email="cleo@example.com"), browser


def test_a_filter_is_kept_from_the_list_where_it_was_made(adas_browser, ada):
    _, link = chips(
        adas_browser, query="status__exact=shipped&p=2&payment_status__exact=pending&q="
    )
    form = adas_browser.get(link).context["adminform"].form
    assert (form["screen"].value(), form["query"].value()) == ("order", QUERY)
    answer = adas_browser.post(link, VALUES)
    assert answer.url == f"/admin/shop/order/?{QUERY}"
    kept = SavedView.objects.get()
    assert (kept.owner, kept.name, kept.screen, kept.query) == (ada, "To chase", "order", QUERY)
    assert kept.is_shared is False


def test_a_kept_filter_stands_above_its_list_only(adas_browser, ada):
    keep(ada)
    text = adas_browser.get("/admin/shop/order/").content.decode()
    assert f'<a href="?{QUERY.replace("&", "&amp;")}">To chase</a>' in text
    assert "/admin/shop/savedview/" in text
    for screen in ("product", "user"):
        assert chips(adas_browser, screen) == ([], "")
    assert adas_browser.get("/admin/shop/session/").context["filters"] is None


def test_what_is_kept_already_is_not_offered_again(adas_browser, ada):
    keep(ada)
    text = adas_browser.get(f"/admin/shop/order/?p=1&{QUERY}").content.decode()
    assert 'aria-current="page">To chase</a>' in text
    assert "Keep this filter" not in text


@pytest.mark.parametrize("query", ["", "p=2", "e=1", "q="])
def test_where_nothing_is_filtered_nothing_is_offered(adas_browser, query):
    assert chips(adas_browser, query=query) == ([], "")


def test_colleagues_see_what_is_shared(adas_browser, ada, cleo):
    keep(ada, "Mine")
    keep(ada, "Shared", is_shared=True)
    assert chips(cleo[1])[0] == ["Shared"]
    assert (
        'title="Shared by Ada Staff">Shared</a>'
        in cleo[1].get("/admin/shop/order/").content.decode()
    )
    assert chips(adas_browser)[0] == ["Mine", "Shared"]


def test_what_someone_shared_who_is_gone_is_gone(ada, cleo):
    keep(ada, is_shared=True)
    ada.is_active = False
    ada.save()
    assert chips(cleo[1])[0] == []


def test_a_shared_filter_is_for_those_who_may_see_its_list(ada, cleo):
    keep(ada, screen="product", query="level=low", is_shared=True)
    answer = cleo[1].get("/admin/shop/product/")
    assert answer.status_code == 403
    assert b"To chase" not in answer.content


def test_nobody_touches_the_filters_of_others(ada, cleo):
    theirs = keep(ada, is_shared=True)
    page = f"/admin/shop/savedview/{theirs.pk}"
    assert theirs.name not in cleo[1].get("/admin/shop/savedview/").content.decode()
    cleo[1].post(f"{page}/change/", VALUES | {"name": "Cleo's"})
    cleo[1].post(f"{page}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [theirs.pk], "post": "yes"}
    cleo[1].post("/admin/shop/savedview/", chosen)
    assert list(SavedView.objects.values_list("owner", "name")) == [(ada.pk, "To chase")]


def test_one_changes_and_removes_ones_own(cleo):
    mine = keep(cleo[0])
    page = f"/admin/shop/savedview/{mine.pk}"
    assert (
        cleo[1].post(f"{page}/change/", VALUES | {"name": "Late", "is_shared": "on"}).status_code
        == 302
    )
    mine.refresh_from_db()
    assert (mine.name, mine.is_shared, mine.owner) == ("Late", True, cleo[0])
    cleo[1].post(f"{page}/delete/", {"post": "yes"})
    assert not SavedView.objects.exists()


def test_one_keeps_filters_for_lists_that_one_may_see(cleo):
    answer = cleo[1].post(ADD, VALUES | {"screen": "product", "query": "level=low"})
    assert "screen" in answer.context["adminform"].form.errors
    assert not SavedView.objects.exists()


def test_staff_without_any_list_keep_none(clerk_with):
    browser = clerk_with("view_session")
    assert browser.post(ADD, VALUES).status_code == 403
    assert browser.get("/admin/shop/savedview/").status_code == 403
    assert not SavedView.objects.exists()


def test_the_owner_is_who_keeps_it(ada, cleo):
    cleo[1].post(ADD, VALUES | {"owner": ada.pk})
    assert SavedView.objects.get().owner == cleo[0]


def test_a_name_is_used_once_for_a_list(ada, cleo):
    keep(ada)
    for number in (1, 1):
        answer = cleo[1].post(ADD, VALUES)
        assert SavedView.objects.filter(owner=cleo[0]).count() == number
    assert "You keep a filter of this name for this list already." in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "kept"),
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
def test_a_query_is_spelt_as_a_query(query, kept):
    assert normalize_query(query) == kept


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("nonsense", "Search or filter the list first"),
        ("p=2", "Search or filter the list first"),
        ("//evil.example", "Search or filter the list first"),
        ("q=" + "é" * 400, "at most 1000 characters"),
        ("", "This field is required."),
    ],
)
def test_what_is_no_filter_is_refused(adas_browser, query, said):
    answer = adas_browser.post(ADD, VALUES | {"query": query})
    assert said in str(answer.context["adminform"].form.errors["query"])
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_costs_the_same_however_many_are_kept(adas_browser, ada, dora, statements, number):
    dora.user_permissions.set(Permission.objects.all())
    for name in range(number):
        keep(dora, str(name), is_shared=True)
        keep(ada, str(name))
    with statements(6):
        adas_browser.get("/admin/shop/order/")


def test_of_two_who_press_at_once_the_second_is_told(adas_browser, ada, monkeypatch):
    check, blind = SavedView.validate_constraints, [True]

    def see(kept, **options):
        if not blind or not blind.pop():
            check(kept, **options)

    keep(ada)
    monkeypatch.setattr(SavedView, "validate_constraints", see)
    answer = adas_browser.post(ADD, VALUES)
    assert "You keep a filter of this name for this list already." in answer.content.decode()
    assert SavedView.objects.count() == 1


def test_what_is_kept_is_in_the_audit_log(adas_browser, ada):
    adas_browser.post(ADD, VALUES)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.model_name, entry.record_label) == (
        ada,
        "added",
        "savedview",
        "To chase",
    )
