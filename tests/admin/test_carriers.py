import pytest

from shop.models import AuditEntry, Carrier

CARRIERS = "/admin/shop/carrier/"
LINK = "https://post.example.com/{number}"


def test_a_carrier_is_added_with_its_link_and_logged(adas_browser, ada):
    adas_browser.post(f"{CARRIERS}add/", {"name": " Post ", "tracking_url": LINK})
    carrier = Carrier.objects.get(name="Post")
    assert carrier.build_url("A 1") == "https://post.example.com/A%201"
    entry = AuditEntry.objects.get(model_name="carrier")
    assert (entry.actor, entry.action, entry.record_label) == (ada, "added", "Post")
    assert LINK in entry.changes


@pytest.mark.parametrize("link", ["javascript:{number}", "https://post.example.com/", "{number}"])
def test_a_link_without_the_number_is_refused(adas_browser, link):
    page = adas_browser.post(f"{CARRIERS}add/", {"name": "Post", "tracking_url": link})
    assert list(page.context["adminform"].form.errors) == ["tracking_url"]
    assert not Carrier.objects.filter(name="Post").exists()


@pytest.mark.usefixtures("carriers")
def test_permissions_decide_who_sees_and_changes_carriers(staff_client_with):
    carrier = Carrier.objects.first()
    browser = staff_client_with("view_carrier")
    assert carrier.name in browser.get(CARRIERS).content.decode()
    assert f'href="{CARRIERS}"' in browser.get("/admin/").content.decode()
    for path in ("add/", f"{carrier.pk}/change/", f"{carrier.pk}/delete/"):
        assert browser.post(f"{CARRIERS}{path}", {"name": "Post"}).status_code == 403
    assert Carrier.objects.first() == carrier
