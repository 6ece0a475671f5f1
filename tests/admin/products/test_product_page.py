"""A product's page: drafts, duplicates, its form and its stock movements in words."""

import pytest
from support import factories
from support.html_forms import form_fields

from shop.models import AuditEntry, Product, StockMovement
from shop.services import orders
from shop.services.order_moves import move_order
from shop.services.stock import adjust_stock

LIST = "/admin/shop/product/"
NEW = {"name": "Vase", "price": "24.00", "low_stock_threshold": "5", "description": "", "sku": ""}


def page(product, view="change/"):
    return f"{LIST}{product.pk}/{view}"


def open_form(browser, product):
    return form_fields(browser.get(page(product)), "product_form")


@pytest.mark.parametrize(("button", "is_active"), [("_save", False), ("_publish", True)])
def test_a_new_product_is_a_draft_unless_it_is_published(adas_browser, button, is_active):
    response = adas_browser.post(f"{LIST}add/", NEW | {button: "1"})
    assert response.url == LIST
    assert Product.objects.get().is_active == is_active


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize(
    ("button", "new"), [("_publish", True), ("_unpublish", False), ("_save", None)]
)
def test_only_the_button_changes_whether_customers_see_it(adas_browser, mug, old, button, new):
    Product.objects.update(is_active=old)
    form = open_form(adas_browser, mug)
    assert "is_active" not in form
    response = adas_browser.post(page(mug), form | {"name": "Cup", button: "1"})
    assert response.status_code == 302
    mug.refresh_from_db()
    assert (mug.name, mug.is_active) == ("Cup", old if new is None else new)
    is_logged = "active:" in AuditEntry.objects.get().changes
    assert is_logged == (mug.is_active != old)


def test_an_invalid_form_publishes_nothing(adas_browser, mug):
    Product.objects.update(is_active=False)
    form = open_form(adas_browser, mug)
    response = adas_browser.post(page(mug), form | {"price": "-1", "_publish": "1"})
    assert "price" in response.context["adminform"].form.errors
    mug.refresh_from_db()
    assert not mug.is_active


def test_a_viewer_publishes_nothing(staff_client_with, mug):
    viewer = staff_client_with("view_product")
    assert viewer.get(page(mug)).status_code == 200
    assert viewer.post(page(mug), NEW | {"_unpublish": "1"}).status_code == 403
    mug.refresh_from_db()
    assert (mug.name, mug.is_active) == ("Mug", True)


def test_price_comes_before_the_description_and_noise_is_left_out(adas_browser, mug):
    form = adas_browser.get(page(mug)).context["adminform"]
    names = [
        field.field["name"] if field.is_readonly else field.field.name
        for fieldset in form
        for line in fieldset
        for field in line
    ]
    assert names.index("price") < names.index("description")
    assert not {"stock", "in_stock", "is_low", "is_active", "created_at", "updated_at"} & {*names}


def test_a_picture_is_shown_instead_of_its_path(adas_browser, mug):
    Product.objects.update(image="products/0123456789abcdef0123456789abcdef.webp")
    html = adas_browser.get(page(mug)).content.decode()
    assert 'src="/media/products/0123456789abcdef0123456789abcdef.small.webp"' in html
    assert 'value="/media/' not in html
    form = open_form(adas_browser, mug)
    assert adas_browser.post(page(mug), form | {"image-clear": "on"}).status_code == 302
    mug.refresh_from_db()
    assert not mug.image


def test_a_duplicate_is_a_draft_without_codes_and_stock(adas_browser, mug):
    Product.objects.update(
        image="products/a.webp", barcode="4006381333931", tax_rate="7.00", description="Blue"
    )
    key = adas_browser.get(page(mug)).context["form_key"][1]
    for _ in range(2):  # a double click
        response = adas_browser.post(page(mug, "duplicate/"), {"once": key})
    mug.refresh_from_db()
    copy = Product.objects.exclude(pk=mug.pk).get()
    assert (copy.name, copy.is_active, copy.stock, copy.barcode) == ("Mug (copy)", False, 0, None)
    assert copy.sku.startswith("P-")
    same = ("image", "tax_rate", "description", "price", "low_stock_threshold")
    assert [getattr(copy, name) for name in same] == [getattr(mug, name) for name in same]
    assert (mug.stock, mug.barcode, mug.is_active) == (10, "4006381333931", True)
    assert AuditEntry.objects.filter(record_id=str(copy.pk), action="added").count() == 1
    assert response.status_code == 302


def test_a_duplicate_is_opened(adas_browser, mug):
    response = adas_browser.post(page(mug, "duplicate/"), {"once": "1"})
    assert response.url == page(Product.objects.latest("pk"))


def test_a_long_name_is_shortened_for_its_copy(adas_browser, mug):
    Product.objects.update(name="x" * 200)
    adas_browser.post(page(mug, "duplicate/"), {"once": "1"})
    assert Product.objects.latest("pk").name == "x" * 193 + " (copy)"


def test_duplicating_needs_the_right_to_add(staff_client_with, mug):
    browser = staff_client_with("view_product", "change_product")
    assert page(mug, "duplicate/") not in browser.get(page(mug)).content.decode()
    assert browser.post(page(mug, "duplicate/"), {"once": "1"}).status_code == 403
    assert Product.objects.count() == 1


@pytest.fixture
def order(carl, mug):
    factories.add_to_cart(carl, (mug, 3))
    return orders.place_order(user=carl, shipping_address="1 Street").order


def test_stock_movements_are_told_in_words_with_links(adas_browser, ada, order, mug):
    kind = StockMovement.Kind
    for delta, of_kind, reason in (
        (12, kind.RECEIVED, "note 4711"),
        (-1, kind.DAMAGED, ""),
        (1, kind.RETURNED, ""),
        (-2, kind.CORRECTION, "<b>"),
    ):
        adjust_stock(product_id=mug.pk, delta=delta, kind=of_kind, actor=ada, reason=reason)
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    rows = adas_browser.get(page(mug)).context["movements"]
    link = f'<a class="shop-link" href="/admin/shop/order/{order.pk}/change/">{order}</a>'
    assert [(row["sentence"], row["movement"].reason, str(row["actor"] or "")) for row in rows] == [
        (f"3 units back from the cancelled order {link}", "", "Ada Staff"),
        ("2 units removed as a correction", "<b>", "Ada Staff"),
        ("1 unit returned", "", "Ada Staff"),
        ("1 unit damaged or lost", "", "Ada Staff"),
        ("12 units received", "note 4711", "Ada Staff"),
        (f"3 units sold in order {link}", "", ""),
        ("10 units at the start", "", ""),
    ]


def test_an_order_is_no_link_for_those_who_may_not_see_it(staff_client_with, order, mug):
    browser = staff_client_with("view_product", "view_stockmovement")
    sentence = browser.get(page(mug)).context["movements"][0]["sentence"]
    assert sentence == f"3 units sold in order {order}"


@pytest.mark.parametrize("kind", StockMovement.Kind)
def test_every_kind_of_movement_has_a_sentence(adas_browser, mug, kind):
    for delta in (1, -1):
        StockMovement.objects.create(product=mug, kind=kind, delta=delta, balance_after=1)
    rows = adas_browser.get(page(mug)).context["movements"]
    assert all(row["sentence"] for row in rows)


@pytest.mark.parametrize("movements", [1, 3])
def test_the_page_runs_a_constant_number_of_queries(adas_browser, ada, mug, movements, statements):
    for _ in range(movements):
        adjust_stock(product_id=mug.pk, delta=1, kind=StockMovement.Kind.RECEIVED, actor=ada)
    with statements(5):
        adas_browser.get(page(mug))
