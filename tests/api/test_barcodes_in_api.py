"""A product's barcode in the API: written in any spelling, found by any other, never twice."""

import pytest
from support import factories
from support.api_bodies import error_fields

from shop.models import Product


@pytest.fixture
def jug(adas_app):
    body = {"name": "Jug", "price": "9.50", "barcode": "0-36000-29145-2"}
    response = adas_app.post("/products/", body)
    assert response.status_code == 201, response.content
    return response.json()


@pytest.mark.parametrize("spelling", ["036000291452", "0036000291452", "00036000291452"])
def test_a_barcode_is_found_in_any_spelling(carls_app, jug, spelling):
    factories.create_product("Other", barcode="96385074")
    assert jug["barcode"] == "0036000291452"
    for filters in (f"barcode={spelling}", f"barcode={spelling}&barcode=4006381333931"):
        found = carls_app.get(f"/products/?{filters}").json()["items"]
        assert [item["id"] for item in found] == [jug["id"]]
    assert carls_app.get("/products/?has_barcode=false").json()["items"] == []


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_any_number_of_products_have_none(adas_app, jug, empty):
    for name in ("Pot", "Vase"):
        body = {"name": name, "price": "1.00", "barcode": empty}
        assert adas_app.post("/products/", body).json()["barcode"] is None
    assert adas_app.patch(f"/products/{jug['id']}/", {"barcode": empty}).status_code == 200
    assert set(Product.objects.values_list("barcode", flat=True)) == {None}


@pytest.mark.parametrize(
    ("barcode", "code"),
    [
        ("4006381333932", "barcode_check_digit"),
        ("36000291452", "barcode_length"),
        ("4.00638E+12", "barcode_shortened"),
        ("ABC", "barcode_digits"),
        ("036000291452", "unique"),
        (4006381333931, "string_type"),
    ],
)
def test_a_wrong_or_taken_barcode_is_refused(adas_app, jug, mug, unchanged, barcode, code):
    with unchanged():
        for response in (
            adas_app.post("/products/", {"name": "Pot", "price": "1.00", "barcode": barcode}),
            adas_app.patch(f"/products/{mug.pk}/", {"barcode": barcode}),
        ):
            assert error_fields(response) == [("barcode", code)]
