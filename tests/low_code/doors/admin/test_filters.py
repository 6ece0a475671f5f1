"""The admin's lists: filters by new fields and relations, and their statements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from low_code.doors.admin.pages import BRANDS, PRODUCTS, listed, page
from support import factories

FILTERS = {
    "season__exact=ss": "Mug",
    "season__exact=ss&season__exact=aw": "Lamp Mug",
    "season__isempty=1": "Jug",
    "season__exact=ss&season__isempty=1": "Jug Mug",
    "colour__icontains=gREEN": "Mug",
    "colour__icontains=+ree+": "Mug",
    "colour__icontains=": "Jug Lamp Mug",
    "colour__isempty=1": "Jug Lamp",
    "supplier_code__icontains=4006": "Mug",
    "supplier_code__isempty=1": "Jug Lamp",
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
