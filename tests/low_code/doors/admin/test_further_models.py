"""Models that are new in the admin: pages, sidebar and rights."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from low_code.doors.admin.pages import BRANDS, TAGS, errors, listed, open_form, page
from support.html_forms import form_fields

from shop.models import AuditEntry


def test_a_further_model_is_created_changed_and_deleted(adas_browser, create_country):
    japan = create_country()
    data = form_fields(adas_browser.get(f"{BRANDS}add/"), "brand_form")
    data |= {
        "name": "  Kiln & Sons ",
        "country": japan.pk,
        "margin": "2",
        "founded_on": "1999-01-02",
    }
    assert adas_browser.post(f"{BRANDS}add/", data).status_code == 302
    brand = apps.get_model("shop", "Brand").objects.get()
    assert (brand.name, brand.country, brand.margin) == ("Kiln & Sons", japan, 2)

    assert errors(adas_browser.post(f"{BRANDS}add/", data)) == {"name": ["unique"]}
    changed = open_form(adas_browser, brand) | {"name": "Kiln"}
    assert adas_browser.post(page(brand), changed).status_code == 302
    assert adas_browser.post(page(brand, "delete"), {"post": "yes"}).status_code == 302
    entries = AuditEntry.objects.filter(model_name="brand").order_by("pk")
    assert [(entry.action, entry.record_label) for entry in entries] == [
        ("added", "Kiln & Sons"),
        ("changed", "Kiln"),
        ("removed", "Kiln"),
    ]
    assert "country: Japan" in entries[0].changes
    assert entries[1].changes == "name: Kiln & Sons → Kiln"
    assert not apps.get_model("shop", "Brand").objects.exists()


def test_a_brand_that_products_use_is_not_deleted(adas_browser, mug, unchanged):
    with unchanged():
        response = adas_browser.get(page(mug.brand, "delete"))
        assert response.context["protected"]
        assert not response.context["perms_lacking"]
        assert adas_browser.post(page(mug.brand, "delete"), {"post": "yes"}).status_code == 200


def test_a_further_model_has_cards_without_empty_values_on_a_phone(adas_browser, brand):
    page = adas_browser.get(BRANDS).content.decode()
    assert ".field-name { --card-order" in page
    assert "shop-no-value" in page


def test_a_further_model_is_listed_searched_and_found(adas_browser, create_brand, create_tag):
    create_brand("Kiln & Sons", logo="brands/1.webp")
    create_brand("Lux")
    response = adas_browser.get(BRANDS)
    columns = [getattr(c, "__name__", c) for c in response.context["cl"].list_display]
    assert columns[:4] == ["action_checkbox", "picture", "name", "country"]
    assert {"founded_on", "is_local", "margin"} <= set(columns)
    assert "logo" not in columns
    assert b"brands/1.small.webp" in response.content
    assert response.context["cl"].search_help_text == "Name"
    assert listed(adas_browser, BRANDS, "q=kiln") == ["Kiln & Sons"]
    assert listed(adas_browser, BRANDS, "logo__isempty=1") == ["Lux"]
    create_tag("gift")
    assert listed(adas_browser, TAGS, "q=gif") == ["gift"]
    found = adas_browser.get("/admin/search/?s=bran&extended=1").content.decode()
    assert BRANDS in found


def sidebar_links(browser):
    groups = browser.get("/admin/").context["sidebar_navigation"]
    return {
        str(item["link"]) for group in groups for item in group["items"] if item["has_permission"]
    }


def test_a_further_model_is_in_the_sidebar_of_those_who_may_view_it(adas_browser, clerk):
    assert {BRANDS, TAGS} <= sidebar_links(adas_browser)
    assert sidebar_links(clerk("view_brand")) & {BRANDS, TAGS} == {BRANDS}


def rights(model):
    return {
        group.name: sorted(
            code.removesuffix(f"_{model}")
            for code in group.permissions.values_list("codename", flat=True)
            if code.endswith(f"_{model}")
        )
        for group in Group.objects.all()
    }


EVERYTHING = ["add", "change", "delete", "view"]
RIGHTS = {
    "Owner": EVERYTHING,
    "Catalogue": EVERYTHING,
    "Fulfilment": ["view"],
    "Viewer": ["view"],
}


@pytest.mark.parametrize("model", ["brand", "tag", "country"])
def test_the_ready_groups_have_rights_on_a_further_model(ready_groups, model):
    assert rights(model) == RIGHTS


def test_migrating_again_gives_nobody_back_what_was_taken_away(ready_groups):
    Group.objects.get(name="Catalogue").permissions.clear()
    Group.objects.get(name="Viewer").delete()
    Group.objects.create(name="Packing")
    call_command("migrate", verbosity=0)
    assert rights("brand") == {
        "Owner": EVERYTHING,
        "Catalogue": [],
        "Fulfilment": ["view"],
        "Packing": [],
    }


def test_a_model_that_is_new_in_a_migration_gives_its_rights(ready_groups):
    before = rights("product")
    Permission.objects.filter(content_type__model="brand").delete()
    Group.objects.get(name="Catalogue").permissions.clear()
    call_command("migrate", verbosity=0)
    assert rights("brand") == RIGHTS
    assert rights("tag")["Catalogue"] == []
    assert rights("product") == before | {"Catalogue": []}
