"""Uses new fields, filters, relations and a further model by a client of openapi-python-client."""

import datetime
import json
import sys

from shop_client import AuthenticatedClient
from shop_client.api.accounts import change_profile
from shop_client.api.brands import create_brand, list_brand
from shop_client.api.cart import add_to_cart
from shop_client.api.countries import create_country
from shop_client.api.orders import create_order
from shop_client.api.products import change_product, create_product, list_products
from shop_client.api.tags import create_tag
from shop_client.models import (
    BrandIn,
    BrandOut,
    CartAdd,
    CheckoutIn,
    CountryIn,
    Problem,
    ProductIn,
    ProductPatch,
    ProfilePatch,
    TagIn,
)

url, token = sys.argv[1:]
shop = AuthenticatedClient(base_url=url, token=token)


def required[T](answer: T | Problem | None) -> T:
    if answer is None or isinstance(answer, Problem):
        raise SystemExit(str(answer))
    return answer


country = required(create_country.sync(client=shop, body=CountryIn(name="Japan")))
brand = required(
    create_brand.sync(
        client=shop,
        body=BrandIn(
            name="Kiln & Sons", country_id=country.id, founded_on=datetime.date(1901, 2, 3)
        ),
    )
)
tag = required(create_tag.sync(client=shop, body=TagIn(name="gift")))
created = required(
    create_product.sync(
        client=shop,
        body=ProductIn(
            name="Jug",
            price="8.00",
            stock=3,
            colour="green",
            season="aw",
            weight=300,
            is_fragile=True,
            released_on=datetime.date(2026, 3, 1),
            facts={"dishwasher": True},
            brand_id=brand.id,
            tag_ids=[tag.id],
        ),
    )
)
changed = required(change_product.sync(created.id, client=shop, body=ProductPatch(weight=250)))
found = required(
    list_products.sync(
        client=shop,
        season=["ss", "aw"],
        min_weight=100,
        is_fragile=True,
        brand_id=[brand.id],
        tag_id=[tag.id],
        has_brand=True,
        released_on_from=datetime.date(2026, 1, 1),
        expand=["brand", "tags"],
        ordering="-weight",
    )
)
brands = required(list_brand.sync(client=shop, country_id=[country.id]))
profile = required(change_profile.sync(client=shop, body=ProfilePatch(company="Fern Ltd")))
required(add_to_cart.sync(client=shop, body=CartAdd(product_id=created.id, quantity=1)))
order = required(
    create_order.sync(
        client=shop,
        body=CheckoutIn(
            shipping_address="1 Fern Lane",
            gift_message="For you",
            pickup_on=datetime.date(2026, 4, 1),
        ),
    )
)


def wrong() -> None:
    list_products.sync(client=shop, season=["winter"])  # type: ignore[list-item]
    list_products.sync(client=shop, seasons=["ss"])  # type: ignore[call-arg]
    ProductIn(name="Jug", price="8.00", weight="heavy")  # type: ignore[arg-type]
    print(created.cost)  # type: ignore[attr-defined]  # noqa: T201


print(  # noqa: T201
    json.dumps(
        {
            "weight": changed.weight,
            "found": [
                [
                    item.name,
                    item.brand.name if isinstance(item.brand, BrandOut) else None,
                    [expanded.name for expanded in item.tags or []],
                ]
                for item in found.items
            ],
            "brands": [item.name for item in brands.items],
            "company": profile.company,
            "order": [order.gift_message, str(order.pickup_on), order.status],
        }
    )
)
