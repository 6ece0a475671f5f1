"""Changes that were made on a page: their place in the history, their page, and undo."""

import pytest
from support import factories

from shop.models import ChangeSet, Product
from shop.services import goods
from shop.services.orders import place_order
from shop.services.products import set_active

LIST = "/admin/shop/changeset/"


@pytest.fixture
def delivery(ada, mug, lamp):
    units = {mug.pk: 3, lamp.pk: 4}
    return goods.receive_goods(units=units, actor=ada, supplier="Kiln", delivery_note="4711")


def url(change_set, step="change"):
    return f"{LIST}{change_set.pk}/{step}/"


def stocks():
    return list(Product.objects.order_by("pk").values_list("stock", flat=True))


def test_a_delivery_is_listed_shown_and_undone(adas_browser, delivery):
    row = adas_browser.get(f"{LIST}?kind__exact=receipt").context["cl"].result_list[0]
    assert (str(row), row.get_kind_display()) == ("Kiln · 4711", "Goods received")

    page = adas_browser.get(url(delivery))
    assert page.context["results"] == ["7 units received. Products: 2."]
    assert [(tab["name"], tab["count"]) for tab in page.context["rows"].tabs] == [("changed", 2)]
    rows = [(row["row"].sku, row["changes"]) for row in page.context["rows"].page_rows()]
    assert [sku for sku, _changes in rows] == ["MUG-1", "LAMP-1"]
    assert rows[0][1][0]["new"] == {"folded": "13"}
    assert url(delivery, "undo") in page.content.decode()

    undone = adas_browser.post(url(delivery, "undo"), follow=True)
    assert undone.context["results"][-1] == "Undone: 2 products are as they were before."
    assert (stocks(), ChangeSet.objects.get().state) == ([10, 5], "undone")
    assert url(delivery, "undo") not in undone.content.decode()


def test_what_moved_since_is_named(adas_browser, delivery, carl, mug):
    factories.add_to_cart(carl, (mug, 12))
    place_order(user=carl, shipping_address="1 Elm Street")
    page = adas_browser.post(url(delivery, "undo"), follow=True)
    assert page.context["rows"].current_tab == "not_undone"
    [row] = page.context["rows"].page_rows()
    assert (row["row"].sku, bool(row["row"].reason)) == ("MUG-1", True)
    assert stocks() == [1, 5]


def test_undo_needs_the_right_to_make_such_a_change(staff_client_with, delivery):
    onlooker = staff_client_with("view_changeset", "view_product")
    assert url(delivery, "undo") not in onlooker.get(url(delivery)).content.decode()
    assert onlooker.post(url(delivery, "undo")).status_code == 403
    assert (stocks(), ChangeSet.objects.get().state) == ([13, 9], "applied")


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_the_same_statements_for_any_number(
    adas_browser, ada, count, django_assert_num_queries
):
    pks = [factories.create_product(f"Mat {n}").pk for n in range(count)]
    change_set = set_active(product_ids=pks, is_active=False, actor=ada)
    adas_browser.get(url(change_set))
    with django_assert_num_queries(5):
        adas_browser.get(url(change_set))
