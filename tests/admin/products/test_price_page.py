"""The page of "Change prices": all that a filter shows, rounding, large changes, statements."""

from decimal import Decimal

import pytest
from support import factories

from shop.models import ChangeSet, Product
from shop.services.change_sets.undo import undo_change_set

LIST = "/admin/shop/product/"


def open_page(browser, *, query="", across=False, **values):
    """Run the action on all products that the list shows, with or without its other pages."""
    shown = browser.get(f"{LIST}?{query}").context["cl"].result_list
    data = {"_selected_action": [product.pk for product in shown], "select_across": int(across)}
    url = f"{LIST}?{query}"
    return browser.post(url, {"action": "change_prices", **data, **values}, follow=True)


def confirm(browser, page, **values):
    """Press the button below the preview, with the hidden fields of its page."""
    form = page.context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    selected = [value for name, value in page.context["hidden"] if name == "_selected_action"]
    hidden = dict(page.context["hidden"]) | {"_selected_action": selected}
    return browser.post(page.context["back"], {**data, **hidden, **values}, follow=True)


def prices():
    return list(Product.objects.order_by("pk").values_list("price", flat=True))


@pytest.fixture
def thirty(db):
    """Thirty products, more than a page of the list has, and one of another name."""
    for number in range(30):
        factories.create_product(f"Plate {number}", price=f"{number + 1}.50", sku=f"PLATE-{number}")
    return factories.create_product("Vase", price="7.00")


def test_all_that_a_filter_shows_change_and_return_to_the_cent(adas_browser, ada, thirty):
    before = prices()
    page = open_page(adas_browser, query="q=plate", across=True, by="percent", value="5")
    assert (len(page.context["rows"]), page.context["summary"]) == (30, "")
    confirm(adas_browser, page)
    assert prices() == [
        round(price * 105 / 100 + Decimal("0.0001"), 2) for price in before[:30]
    ] + [Decimal("7.00")]
    undo_change_set(ChangeSet.objects.get().pk, actor=ada)
    assert prices() == before


def test_without_its_other_pages_only_the_page_changes(adas_browser, thirty):
    page = open_page(adas_browser, query="q=plate", by="percent", value="5")
    assert len(page.context["rows"]) == 25
    confirm(adas_browser, page)
    assert ChangeSet.objects.get().counts == {"changed": 25}


def test_the_preview_says_how_many_stay(adas_browser, mug, lamp):
    page = open_page(adas_browser, by="new_price", value="12.50")
    assert [row["is_changed"] for row in page.context["rows"]] == [True, False]
    assert "1" in page.context["summary"]
    assert "1" in page.context["button"]


def test_a_preview_without_changes_has_no_button(adas_browser, mug):
    page = open_page(adas_browser, by="new_price", value="12.50")
    assert (page.context["button"], bool(page.context["summary"])) == ("", True)
    confirm(adas_browser, page)
    assert not ChangeSet.objects.exists()


def test_the_preview_button_shows_again_and_changes_nothing(adas_browser, mug):
    page = open_page(adas_browser, by="percent", value="5")
    again = confirm(adas_browser, page, preview="1")
    assert len(again.context["rows"]) == 1
    assert prices() == [Decimal("12.50")]


@pytest.mark.parametrize(
    ("values", "new"),
    [
        ({"by": "percent", "value": "500"}, "75.00"),
        ({"by": "amount", "value": "12.51"}, "25.01"),
        ({"by": "new_price", "value": "6.24"}, "6.24"),
        ({"by": "new_price", "value": "0"}, "0.00"),
    ],
)
def test_a_large_change_needs_a_box_ticked(adas_browser, mug, values, new):
    page = open_page(adas_browser, **values)
    assert new in page.context["confirm_label"]
    page = confirm(adas_browser, page)
    assert [e.code for e in page.context["form"].errors.as_data()["__all__"]] == ["unconfirmed"]
    assert (prices(), ChangeSet.objects.count()) == ([Decimal("12.50")], 0)
    confirm(adas_browser, page, confirm="on")
    assert prices() == [Decimal(new)]


@pytest.mark.parametrize("value", ["25.00", "6.25"])
def test_twice_or_half_the_price_needs_none(adas_browser, mug, value):
    page = open_page(adas_browser, by="new_price", value=value)
    assert page.context["confirm_label"] == ""
    confirm(adas_browser, page)
    assert prices() == [Decimal(value)]


def test_another_rounding_than_the_previewed_one_is_previewed_first(adas_browser, mug):
    page = open_page(adas_browser, by="percent", value="5", rounding="0.05")
    assert [row["new"] for row in page.context["rows"]] == ["13.15 EUR"]
    page = confirm(adas_browser, page, rounding=".99")
    assert [row["new"] for row in page.context["rows"]] == ["12.99 EUR"]
    assert (prices(), bool(page.context["hint"])) == ([Decimal("12.50")], True)
    confirm(adas_browser, page)
    assert prices() == [Decimal("12.99")]


def test_a_currency_without_decimals_is_offered_whole_amounts(settings, adas_browser, mug):
    settings.SHOP_CURRENCY = "JPY"
    page = open_page(adas_browser)
    assert [name for name, _ in page.context["form"].fields["rounding"].choices] == ["1", "10"]
    page = open_page(adas_browser, by="percent", value="5", rounding=".99")
    assert list(page.context["form"].errors) == ["rounding"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_preview_takes_as_many_statements_for_any_number(adas_browser, statements, count):
    products = [factories.create_product(f"Mug {number}") for number in range(count)]
    selected = [product.pk for product in products]
    data = {"action": "change_prices", "_selected_action": selected, "by": "percent", "value": "9"}
    adas_browser.post(LIST, data)  # which fills caches
    with statements(7):
        adas_browser.post(LIST, data)
