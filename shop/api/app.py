"""The API instance, with one router per resource."""

import shop
from shop import exposure
from shop.api import (
    accounts,
    cart,
    health,
    model_endpoints,
    order_changes,
    payment_webhook,
    products,
)
from shop.api.openapi import ShopAPI
from shop.models import Product

api = ShopAPI(
    title="Shop API",
    version=shop.__version__,
    description=(
        "Amounts of money are strings with two decimals, in the shop's currency. "
        "Date-times are ISO 8601 in UTC. "
        "Errors are RFC 9457 problem details: use `code` to tell them apart. "
        "Unknown query parameters and fields are errors. `HEAD` works wherever `GET` does. "
        "Send `Authorization: Bearer <access>`, over HTTPS only: "
        "in production plain HTTP is refused with 403 `https-required`. "
        "Access tokens expire after one day, refresh tokens after seven."
    ),
)
api.add_router("/auth/", accounts.router, tags=["Accounts"])
api.add_router("/products/", products.router, tags=["Products"])
api.add_router("/cart/", cart.router, tags=["Cart"])
api.add_router("/orders/", order_changes.router, tags=["Orders"])
api.add_router("/payments/", payment_webhook.router, tags=["Operation"])
api.add_router("/health/", health.router, tags=["Operation"])
for model in exposure.catalogue_models():
    if model is not Product:
        segment = exposure.url_segment(model)
        api.add_router(
            f"/{segment}/", model_endpoints.build_router(model), tags=[segment.capitalize()]
        )
