import pytest
from support import factories, world


@pytest.mark.parametrize("pages", [2, 3])
def test_the_last_page_costs_what_the_second_does(adas_browser, statements, pages):
    made = [
        factories.create_product(f"Plate {number}").pk for number in range(25 * (pages - 1) + 2)
    ]
    with statements(5):
        answer = adas_browser.get("/admin/shop/product/", {"p": pages})
    assert [row.pk for row in answer.context["cl"].result_list] == [made[1], made[0]]


def test_pages_follow_the_order_that_was_asked_for(adas_browser):
    for number in range(27):
        factories.create_product(f"Plate {number:02}", price=str(number))
    answer = adas_browser.get("/admin/shop/product/", {"p": 2, "o": "-4"})
    assert [row.name for row in answer.context["cl"].result_list] == ["Plate 01", "Plate 00"]


def test_a_whole_number_finds_that_order_alone(adas_browser, carl, mug):
    wanted, other = world.create_order(carl, (mug, 1)), world.create_order(carl, (mug, 1))
    other.shipping_address = f"Same parcel as {wanted}"
    other.save()

    def found(term):
        listed = adas_browser.get("/admin/shop/order/", {"q": term}).context["cl"].result_list
        return {order.pk for order in listed}

    assert (
        found(wanted.order_number)
        == found(wanted.order_number.replace("-", "").lower())
        == {wanted.pk}
    )
    assert found(wanted.order_number[:8]) == {wanted.pk, other.pk}
    assert found("Same parcel") == {other.pk}
