"""The admin of the grown copy: lists, filters, forms, sidebar and rights."""

import datetime
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from support import factories
from support.html_forms import form_fields
from support.image_files import make_image

from shop.models import AuditEntry, Product

PRODUCTS, BRANDS, TAGS = (f"/admin/shop/{name}/" for name in ("product", "brand", "tag"))
DAY = datetime.date(2026, 3, 1)
NOON = datetime.datetime(2026, 3, 1, 12, 0, 30, 5, tzinfo=datetime.UTC)


def listed(browser, url, query=""):
    """Return the texts of the list's rows, as its model shows them."""
    response = browser.get(f"{url}?{query}")
    assert response.status_code == 200, response
    return sorted(map(str, response.context["cl"].result_list))


def page(record, view="change"):
    return reverse(f"admin:shop_{record._meta.model_name}_{view}", args=[record.pk])


def open_form(browser, record):
    name = record._meta.model_name
    return form_fields(browser.get(page(record)), f"{name}_form")


def errors(response):
    form = response.context["adminform"].form
    return {name: [e.code for e in data] for name, data in form.errors.as_data().items()}


@pytest.fixture
def second_browser(db):
    bea = factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)
    return factories.staff_client(bea)


@pytest.fixture
def clerk(db):
    """`clerk("view_brand")` returns a browser of staff with these permissions only."""

    def create(*codenames):
        user = factories.create_user("Cleo", "Clerk", role="admin")
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return factories.staff_client(user)

    return create


@pytest.fixture
def mug(brand, tags):
    """A product with a value in each new field."""
    mug = factories.create_product(
        "Mug",
        season="ss",
        colour="Green",
        weight=300,
        is_fragile=True,
        released_on=DAY,
        drawn_at=NOON,
        tare=Decimal("1.250"),
        site="https://example.com/",
        facts={"dishwasher": True},
        manual="manuals/mug.pdf",
        cost=Decimal("3.20"),
        barcode="4006381333931",
        brand=brand,
    )
    mug.tags.set(tags)
    return mug


@pytest.fixture
def lamp(create_brand):
    """A product with a value in few of them."""
    return factories.create_product("Lamp", season="aw", brand=create_brand("Lux"))


@pytest.fixture
def jug(db):
    """A product with none."""
    return factories.create_product("Jug")


FILTERS = {
    "season__exact=ss": "Mug",
    "season__exact=ss&season__exact=aw": "Lamp Mug",
    "season__isempty=1": "Jug",
    "season__exact=ss&season__isempty=1": "Jug Mug",
    "colour__icontains=gREEN": "Mug",
    "colour__icontains=+ree+": "Mug",
    "colour__icontains=": "Jug Lamp Mug",
    "colour__isempty=1": "Jug Lamp",
    "barcode__icontains=4006": "Mug",
    "barcode__isempty=1": "Jug Lamp",
    "weight_from=300&weight_to=300": "Mug",
    "weight_from=300.5": "",
    "weight_to=299.9": "",
    "weight_to=400&weight_isempty=1&weight__isempty=1": None,
    "weight_to=400&weight__isempty=1": "Jug Lamp Mug",
    "cost_from=3.2&cost_to=3.20": "Mug",
    "tare_from=1.25": "Mug",
    "is_fragile__exact=1": "Mug",
    "is_fragile__exact=0": "Jug Lamp",
    "released_on_from=2026-03-01&released_on_to=2026-03-01": "Mug",
    "released_on_from=2026-03-02": "",
    "released_on_to=9999-12-31": "Mug",
    "released_on__isempty=1": "Jug Lamp",
    "drawn_at_from=2026-03-01&drawn_at_to=2026-03-01": "Mug",
    "drawn_at_to=2026-02-28": "",
    "drawn_at_to=9999-12-31": "Mug",
    "manual__isempty=0": "Mug",
    "manual__isempty=1": "Jug Lamp",
    "brand__isempty=1": "Jug",
    "tags__isempty=1": "Jug Lamp",
}


@pytest.mark.parametrize("query", FILTERS)
def test_each_kind_of_field_filters(adas_browser, mug, lamp, jug, query):
    expected = FILTERS[query]
    if expected is None:  # the parameter is of no filter
        assert adas_browser.get(f"{PRODUCTS}?{query}").status_code == 302
    else:
        assert listed(adas_browser, PRODUCTS, query) == expected.split()


def test_relations_filter_by_one_or_more_records(adas_browser, mug, lamp, jug, tags):
    brands = [f"brand__id__exact={product.brand_id}" for product in (mug, lamp)]
    gift, other = (f"tags__id__exact={tag.pk}" for tag in tags)
    lamp.tags.add(tags[0])
    assert listed(adas_browser, PRODUCTS, brands[0]) == ["Mug"]
    assert listed(adas_browser, PRODUCTS, "&".join(brands)) == ["Lamp", "Mug"]
    assert listed(adas_browser, PRODUCTS, f"{brands[0]}&brand__isempty=1") == ["Jug", "Mug"]
    assert listed(adas_browser, PRODUCTS, f"{gift}&{other}") == ["Lamp", "Mug"]
    assert listed(adas_browser, PRODUCTS, other) == ["Mug"]
    assert listed(adas_browser, PRODUCTS, f"{other}&tags__isempty=1") == ["Jug", "Mug"]
    assert listed(adas_browser, PRODUCTS, f"{other}&{brands[1]}") == []


HOSTILE = ["x", "\0", "1" * 30, "-1", "1e400", "NaN", "a" * 60_000, "%", "'", "0000-01-01", "[]"]


def test_no_value_of_a_filter_is_a_server_error(adas_browser, mug):
    """Each parameter has a third of the values, and each value is once in all of them."""
    response = adas_browser.get(PRODUCTS)
    names = sorted(
        {
            name
            for spec in response.context["cl"].filter_specs
            for name in spec.expected_parameters()
        }
    )
    assert len(names) > 25
    queries = [{name: [value] for name in names} for value in HOSTILE if len(value) < 100]
    queries += [
        {name: ["", value] if position % 2 else [value], "e": "1"}
        for number, name in enumerate(names)
        for position, value in enumerate(HOSTILE)
        if (number + position) % 3 == 0
    ]
    for number, query in enumerate(queries):
        url = f"{PRODUCTS}export/" if number % 2 else PRODUCTS
        assert adas_browser.get(url, query).status_code < 500, (url, query)


def test_relations_are_hidden_from_staff_who_may_not_see_the_records(clerk, mug):
    browser = clerk("view_product", "change_product")
    response = browser.get(PRODUCTS)
    paths = {getattr(spec, "field_path", "") for spec in response.context["cl"].filter_specs}
    assert "colour" in paths
    assert not {"brand", "tags"} & paths
    # The form shows a plain list, since typing would find nothing.
    assert browser.get(page(mug)).status_code == 200
    assert autocomplete(browser, "product", "brand", "kiln").status_code == 403


def autocomplete(browser, model, field, term):
    query = {"app_label": "shop", "model_name": model, "field_name": field, "term": term}
    return browser.get("/admin/autocomplete/", query)


@pytest.mark.parametrize("field", ["brand", "tags"])
def test_staff_who_may_view_the_records_find_them_by_typing(clerk, mug, field):
    browser = clerk("view_product", f"view_{field.removesuffix('s')}")
    term = {"brand": "kiln", "tags": "gif"}[field]
    results = autocomplete(browser, "product", field, term).json()["results"]
    assert [result["text"] for result in results] == [
        {"brand": "Kiln & Sons", "tags": "gift"}[field]
    ]


@pytest.mark.parametrize("url", [PRODUCTS, f"{PRODUCTS}?brand__isempty=0&season__exact=ss", BRANDS])
def test_a_list_runs_the_same_statements_for_one_and_three_rows(
    adas_browser, mug, create_brand, create_country, url
):
    counts = []
    for number in range(3):
        country = create_country(f"Land {number}")
        brand = create_brand(f"Brand {number}", country=country, logo=f"brands/{number}.webp")
        factories.create_product(f"Cup {number}", brand=brand, season="ss")
        adas_browser.get(url)  # fills the caches
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert adas_browser.get(url).status_code == 200
        counts.append(len(captured))
    assert len(set(counts)) == 1


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
        "barcode": "",
        "brand": str(new_brand.pk),
        "tags": [str(new_tag.pk)],
    }
    data = open_form(adas_browser, mug) | values
    assert adas_browser.post(page(mug), data).status_code == 302
    saved = Product.objects.get(pk=mug.pk)
    assert (saved.colour, saved.season, saved.weight, saved.released_on, saved.barcode) == (
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
    "barcode": ({"barcode": "1"}, {"barcode": ""}, "1"),
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
    assert "shop-card-list" in page
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
def test_the_ready_groups_have_rights_on_a_further_model(db, model):
    assert rights(model) == RIGHTS


def test_migrating_again_gives_nobody_back_what_was_taken_away(db):
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


def test_a_model_that_is_new_in_a_migration_gives_its_rights(db):
    before = rights("product")
    Permission.objects.filter(content_type__model="brand").delete()
    Group.objects.get(name="Catalogue").permissions.clear()
    call_command("migrate", verbosity=0)
    assert rights("brand") == RIGHTS
    assert rights("tag")["Catalogue"] == []
    assert rights("product") == before | {"Catalogue": []}
