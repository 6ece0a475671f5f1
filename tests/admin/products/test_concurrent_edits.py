"""Two people edit one product: the second is told what changed meanwhile, and loses nothing."""

from decimal import Decimal

import pytest
from support import factories

from shop.models import AuditEntry, Product
from shop.services import products


def page(product):
    return f"/admin/shop/product/{product.pk}/change/"


def sent_by(form):
    """What a browser would send of this page: every field, and beside it what was shown."""
    sent = {}
    for bound in form:
        value = bound.value()
        if bound.name != "image" and value not in (None, False, "False"):
            sent[bound.html_name] = value
        if bound.field.show_hidden_initial:
            shown = form.data.get(bound.html_initial_name) if form.is_bound else value
            sent[bound.html_initial_name] = "" if shown is None else shown
    return sent


def opened(browser, product):
    return sent_by(browser.get(page(product)).context["adminform"].form)


@pytest.fixture
def bea(db):
    return factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)


def test_of_two_who_edit_the_same_the_second_is_told_and_decides(adas_browser, bea, mug):
    second = factories.staff_client(bea)
    hers = opened(second, mug) | {"price": "14.00", "description": "Blue"}
    adas_browser.post(page(mug), opened(adas_browser, mug) | {"price": "13.00"})
    answer = second.post(page(mug), hers)
    form = answer.context["adminform"].form
    assert form.errors == {
        "price": ["Ada Staff changed it to “13.00” meanwhile. Save again to keep yours."]
    }
    assert Product.objects.values_list("price", "description").get() == (Decimal("13.00"), "")

    assert second.post(page(mug), sent_by(form)).status_code == 302
    assert Product.objects.values_list("price", "description").get() == (Decimal("14.00"), "Blue")
    assert AuditEntry.objects.first().changes.split("\n") == [
        "description: empty → Blue",
        "price: 13.00 → 14.00",
    ]


def test_of_two_who_edit_different_fields_both_keep_theirs_and_the_second_is_told(
    adas_browser, bea, mug
):
    second = factories.staff_client(bea)
    hers = opened(second, mug) | {"name": "Cup"}
    theirs = opened(adas_browser, mug) | {"price": "13.00"}
    del theirs["is_active"]
    adas_browser.post(page(mug), theirs)
    answer = second.post(page(mug), hers, follow=True)
    assert factories.page_messages(answer)[:2] == [
        "Active: Ada Staff changed it to “no” meanwhile.",
        "Price: Ada Staff changed it to “13.00” meanwhile.",
    ]
    found = Product.objects.values_list("name", "price", "is_active").get()
    assert found == ("Cup", Decimal("13.00"), False)


def test_who_must_mend_one_field_does_not_undo_a_colleagues_other(adas_browser, bea, mug):
    second = factories.staff_client(bea)
    hers = opened(second, mug) | {"name": ""}
    edited = opened(adas_browser, mug) | {"price": "13.00"}
    del edited["is_active"]
    adas_browser.post(page(mug), edited)
    form = second.post(page(mug), hers).context["adminform"].form
    assert second.post(page(mug), sent_by(form) | {"name": "Cup"}).status_code == 302
    found = Product.objects.values_list("name", "price", "is_active").get()
    assert found == ("Cup", Decimal("13.00"), False)


def test_two_who_want_the_same_do_not_quarrel(adas_browser, bea, mug):
    second = factories.staff_client(bea)
    hers = opened(second, mug) | {"price": "13.00"}
    adas_browser.post(page(mug), opened(adas_browser, mug) | {"price": "13.00"})
    assert second.post(page(mug), hers).status_code == 302
    assert Product.objects.get().price == Decimal("13.00")


def test_a_colleague_who_saves_while_the_form_is_checked_is_seen_too(
    adas_browser, mug, monkeypatch
):
    """Under its lock the product is looked at again, and the form is checked once more.

    The rival's write is rolled back with the first attempt here, so the second one finds nothing odd.
    """
    hers = opened(adas_browser, mug) | {"price": "14.00"}
    real, attempts = products.update_product, []

    def with_a_rival_at_first(**values):
        attempts.append(values["changes"])
        if len(attempts) == 1:
            Product.objects.update(price="13.00")
        return real(**values)

    monkeypatch.setattr(products, "update_product", with_a_rival_at_first)
    assert adas_browser.post(page(mug), hers).status_code == 302
    assert attempts == [{"price": Decimal("14.00")}] * 2
    assert Product.objects.get().price == Decimal("14.00")
