from support import factories
from support.api_bodies import names, product_body


def test_a_public_catalogue_needs_no_token(strangers_app, settings, catalogue):
    settings.SHOP_PUBLIC_CATALOG = True
    assert names(strangers_app.get("/products/")) == ["Mug", "Lamp", "Vase"]
    assert strangers_app.get(f"/products/{catalogue['Mug'].pk}/").json() == product_body(
        catalogue["Mug"]
    )
    assert factories.problem_code(strangers_app.get(f"/products/{catalogue['Old'].pk}/")) == (
        404,
        "not-found",
    )


def test_a_public_catalogue_still_authenticates_tokens(adas_app, settings, catalogue):
    settings.SHOP_PUBLIC_CATALOG = True
    assert names(adas_app.get("/products/")) == list(catalogue)
    refused = adas_app.get("/products/", Authorization="Bearer x")
    assert factories.problem_code(refused) == (401, "token-invalid")


def test_a_public_catalogue_opens_nothing_else(strangers_app, settings, mug, unchanged):
    settings.SHOP_PUBLIC_CATALOG = True
    with unchanged():
        for method, path in [
            ("get", "/cart/"),
            ("post", "/products/"),
            ("patch", f"/products/{mug.pk}/"),
        ]:
            response = strangers_app.call(method, path, {"name": "x", "price": "1"})
            assert factories.problem_code(response) == (401, "authentication-required")


def test_without_the_setting_the_catalogue_requires_a_token(strangers_app, mug):
    for path in ("/products/", f"/products/{mug.pk}/"):
        assert factories.problem_code(strangers_app.get(path)) == (401, "authentication-required")
