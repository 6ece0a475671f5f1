"""The API for customers' apps: parse, call a service, answer."""

from shop import exposure
from shop.api import accounts, cart, health, model_endpoints, orders, products
from shop.api.openapi import ShopAPI
from shop.models import Product

api = ShopAPI(
    title="Shop API",
    version="1",
    description=(
        "Money is a string with two decimals in the shop's currency. Times are ISO 8601 in UTC. "
        "Errors are RFC 9457 problems: switch on `code`. "
        "Send `Authorization: Bearer <access>`; access lives one day, refresh seven."
    ),
)
api.add_router("/auth/", accounts.router, tags=["Accounts"])
api.add_router("/products/", products.router, tags=["Products"])
api.add_router("/cart/", cart.router, tags=["Cart"])
api.add_router("/orders/", orders.router, tags=["Orders"])
api.add_router("/health/", health.router, tags=["Operation"])
for model in exposure.exposed_models():
    if model is not Product:
        name = model_endpoints.url_name(model)
        api.add_router(f"/{name}/", model_endpoints.router_for(model), tags=[name.capitalize()])
