"""The price of a product in a currency without decimals."""

from shop.models import Product


def test_the_form_shows_a_price_without_decimals(settings, adas_browser, mug):
    settings.SHOP_CURRENCY = "JPY"
    Product.objects.update(price="1200.00")
    form = adas_browser.get(f"/admin/shop/product/{mug.pk}/change/").context["adminform"].form
    assert (form["price"].value(), form.fields["price"].decimal_places) == (1200, 0)
    settings.SHOP_CURRENCY = "EUR"
    form = adas_browser.get(f"/admin/shop/product/{mug.pk}/change/").context["adminform"].form
    assert (str(form["price"].value()), form.fields["price"].decimal_places) == ("1200.00", 2)
