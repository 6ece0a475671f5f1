import pytest
from support import factories, world


@pytest.mark.parametrize("pages", [2, 3])
def test_the_last_page_needs_as_many_queries_as_the_second(adas_browser, statements, pages):
    count = 25 * (pages - 1) + 2
    keys = [factories.create_product(f"Plate {number}").pk for number in range(count)]
    with statements(5):
        answer = adas_browser.get("/admin/shop/product/", {"p": pages})
    assert [row.pk for row in answer.context["cl"].result_list] == [keys[1], keys[0]]


def test_pages_follow_the_requested_order(adas_browser):
    for number in range(27):
        factories.create_product(f"Plate {number:02}", price=str(number))
    answer = adas_browser.get("/admin/shop/product/", {"p": 2, "o": "-4"})
    assert [row.name for row in answer.context["cl"].result_list] == ["Plate 01", "Plate 00"]


def test_a_whole_order_number_finds_that_order_only(adas_browser, carl, mug):
    order, other = world.create_order(carl, (mug, 1)), world.create_order(carl, (mug, 1))
    other.shipping_address = f"Same parcel as {order}"
    other.save()

    def search(term):
        changelist = adas_browser.get("/admin/shop/order/", {"q": term}).context["cl"]
        return {row.pk for row in changelist.result_list}

    number = order.order_number
    assert search(number) == search(number.replace("-", "").lower()) == {order.pk}
    assert search(number[:8]) == {order.pk, other.pk}
    assert search("Same parcel") == {other.pk}
