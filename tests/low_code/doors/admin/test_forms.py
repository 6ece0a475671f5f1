"""The admin's form: new fields are saved, and edits of two users kept or refused."""

import datetime
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from low_code.doors.admin.pages import errors, open_form, page
from support import factories
from support.html_forms import form_fields
from support.image_files import make_image

from shop.models import AuditEntry, Product


def test_the_form_saves_every_kind_of_field_with_one_audit_entry(
    adas_browser, mug, create_brand, create_tag
):
    new_brand, new_tag = create_brand("Nova"), create_tag("new")
    values = {
        "colour": "Blue",
        "season": "aw",
        "weight": "",
        "released_on": "",
        "drawn_at_0": "2026-04-01",
        "drawn_at_1": "10:00:00",
        "facts": '{"oven": 1}',
        "tare": "2.5",
        "cost": "4",
        "supplier_code": "",
        "brand": str(new_brand.pk),
        "tags": [str(new_tag.pk)],
    }
    data = open_form(adas_browser, mug) | values
    assert adas_browser.post(page(mug), data).status_code == 302
    saved = Product.objects.get(pk=mug.pk)
    assert (saved.colour, saved.season, saved.weight, saved.released_on, saved.supplier_code) == (
        *("Blue", "aw", None, None, None),
    )
    assert saved.drawn_at == datetime.datetime(2026, 4, 1, 10, tzinfo=datetime.UTC)
    assert (saved.facts, saved.tare, saved.cost) == ({"oven": 1}, Decimal("2.500"), Decimal(4))
    assert (saved.brand, list(saved.tags.all())) == (new_brand, [new_tag])
    [entry] = AuditEntry.objects.filter(model_name="product", action="changed")
    lines = dict(line.split(": ", 1) for line in entry.changes.split("\n"))
    assert lines["brand"] == "Kiln & Sons → Nova"
    assert lines["tags"] == "gift, mug → new"
    assert lines["season"] == "Spring and summer → Autumn and winter"
    assert len(lines) == 11


def test_a_cleared_field_that_cannot_be_null_has_its_default(adas_browser, mug):
    data = open_form(adas_browser, mug) | {"facts": ""}
    assert adas_browser.post(page(mug), data).status_code == 302
    mug.refresh_from_db()
    assert mug.facts == {}


def test_an_untouched_form_changes_nothing(adas_browser, mug, unchanged):
    Product.objects.filter(pk=mug.pk).update(description="one\ntwo")
    mug.refresh_from_db()
    data = open_form(adas_browser, mug)
    before = Product.objects.filter(pk=mug.pk).values().get()
    response = adas_browser.post(page(mug), data, follow=True)
    after = Product.objects.filter(pk=mug.pk).values().get()
    assert {name for name in after if after[name] != before[name]} <= {"updated_at"}
    assert not AuditEntry.objects.exists()
    assert len(factories.page_messages(response)) == 1


#: Field -> what the first and the second user send, and the first's value in the notice.
EDITS = {
    "brand": ({"brand": "nova"}, {"brand": "lux"}, "Nova"),
    "tags": ({"tags": ["new"]}, {"tags": []}, "new"),
    "season": ({"season": "aw"}, {"season": ""}, "Autumn and winter"),
    "facts": ({"facts": '{"a": [1]}'}, {"facts": "[]"}, "{'a': [1]}"),
    "drawn_at": ({"drawn_at_0": "2027-01-01"}, {"drawn_at_1": "01:00:00"}, "2027-01-01"),
    "cost": ({"cost": "5.00"}, {"cost": "6.00"}, "5.00"),
    "released_on": ({"released_on": "2027-01-01"}, {"released_on": ""}, "2027-01-01"),
    "description": ({"description": "a\r\nb"}, {"description": "c"}, "a\nb"),
    "supplier_code": ({"supplier_code": "1"}, {"supplier_code": ""}, "1"),
}


@pytest.fixture
def choose(create_brand, create_tag):
    """Replace names of brands and tags by keys, as the form sends them."""
    brands = {name: create_brand(name.capitalize()) for name in ("nova", "lux")}
    tags = {"new": create_tag("new")}

    def replace(values):
        replaced = dict(values)
        if "brand" in values:
            replaced["brand"] = str(brands[values["brand"]].pk)
        if "tags" in values:
            replaced["tags"] = [str(tags[name].pk) for name in values["tags"]]
        return replaced

    return replace


@pytest.mark.parametrize("name", EDITS)
def test_two_users_who_edit_different_fields_both_keep_them(
    adas_browser, second_browser, mug, choose, name
):
    first, _second, shown = EDITS[name]
    hers = open_form(second_browser, mug) | {"colour": "Red"}
    assert (
        adas_browser.post(page(mug), open_form(adas_browser, mug) | choose(first)).status_code
        == 302
    )
    wanted = values_of(mug)
    response = second_browser.post(page(mug), hers, follow=True)
    assert values_of(mug) == wanted | {"colour": "Red"}
    notices = factories.page_messages(response)
    assert shown in notices[0]
    assert "Ada Staff" in notices[0]
    assert len(notices) == 2
    assert AuditEntry.objects.filter(action="changed").count() == 2


@pytest.mark.parametrize("name", EDITS)
def test_of_two_users_who_edit_the_same_field_the_second_is_told(
    adas_browser, second_browser, mug, choose, name
):
    first, second, shown = EDITS[name]
    hers = open_form(second_browser, mug) | choose(second) | {"colour": "Red"}
    assert (
        adas_browser.post(page(mug), open_form(adas_browser, mug) | choose(first)).status_code
        == 302
    )
    wanted = values_of(mug)
    response = second_browser.post(page(mug), hers)
    assert errors(response) == {name: ["changed"]}
    [message] = response.context["adminform"].form.errors[name]
    assert shown in message
    assert "Ada Staff" in message
    assert values_of(mug) == wanted

    again = form_fields(response, "product_form")
    assert second_browser.post(page(mug), again).status_code == 302
    saved = values_of(mug)
    assert saved["colour"] == "Red"
    assert saved[name] != wanted[name]


def values_of(product):
    product = Product.objects.get(pk=product.pk)
    names = [*EDITS, "colour"]
    values = {name: getattr(product, name) for name in names if name != "tags"}
    return values | {"tags": sorted(str(tag) for tag in product.tags.all())}


def upload(colour):
    return SimpleUploadedFile("logo.png", make_image("PNG", colour=colour))


def test_an_edit_is_kept_while_an_error_elsewhere_is_corrected(adas_browser, jug, choose):
    edits = choose(EDITS["tags"][0]) | {"drawn_at_0": "2027-01-01", "drawn_at_1": "10:00:00"}
    response = adas_browser.post(page(jug), open_form(adas_browser, jug) | edits | {"name": ""})
    assert errors(response) == {"name": ["required"]}
    again = form_fields(response, "product_form") | {"name": "Pot"}
    assert adas_browser.post(page(jug), again).status_code == 302
    saved = values_of(jug)
    assert (saved["tags"], saved["drawn_at"].hour) == (["new"], 10)


def test_a_file_that_another_user_replaced_is_a_conflict(adas_browser, second_browser, brand):
    hers = open_form(second_browser, brand)
    theirs = open_form(adas_browser, brand)
    assert adas_browser.post(page(brand), theirs | {"logo": upload("red")}).status_code == 302
    brand.refresh_from_db()
    response = second_browser.post(page(brand), hers | {"logo": upload("blue")})
    assert errors(response) == {"logo": ["changed"]}
    first = brand.logo.name
    brand.refresh_from_db()
    assert (brand.logo.name, brand.logo.name.endswith(".webp")) == (first, True)
    again = form_fields(response, "brand_form") | {"logo": upload("blue")}
    assert second_browser.post(page(brand), again).status_code == 302
    brand.refresh_from_db()
    assert brand.logo.name != first
    # The other keeps the picture of a record that is saved without one.
    assert adas_browser.post(page(brand), theirs | {"name": "Kiln"}).status_code == 302
    brand.refresh_from_db()
    assert (brand.name, bool(brand.logo)) == ("Kiln", True)


def test_a_rule_of_the_model_is_shown_at_its_field(adas_browser, mug, unchanged):
    data = open_form(adas_browser, mug) | {"price": "13.00", "tags": []}
    with unchanged():
        assert errors(adas_browser.post(page(mug), data)) == {"price": ["unlucky"]}
