// Uses new fields, filters, relations and a further model by a client of openapi-typescript.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

declare const process: { argv: string[] };
type Product = components["schemas"]["ProductOut"];

const [url = "", token = ""] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const shop = createClient<paths>({ baseUrl: url, headers });

// A URL that is too long is refused by the server, without a problem document.
type Problem = components["schemas"]["Problem"] | undefined;

function required<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) throw new Error(`${answer.error?.code} ${answer.error?.detail}`);
  return answer.data;
}

const country = required(await shop.POST("/api/countries/", { body: { name: "Japan" } }));
const brand = required(
  await shop.POST("/api/brands/", {
    body: { name: "Kiln & Sons", country_id: country.id, founded_on: "1901-02-03" },
  }),
);
const tag = required(await shop.POST("/api/tags/", { body: { name: "gift" } }));
const created: Product = required(
  await shop.POST("/api/products/", {
    body: {
      name: "Jug",
      price: "8.00",
      stock: 3,
      colour: "green",
      season: "aw",
      weight: 300,
      is_fragile: true,
      released_on: "2026-03-01",
      facts: { dishwasher: true },
      brand_id: brand.id,
      tag_ids: [tag.id],
    },
  }),
);
const changed = required(
  await shop.PATCH("/api/products/{product_id}/", {
    params: { path: { product_id: created.id } },
    body: { weight: 250 },
  }),
);
const found = required(
  await shop.GET("/api/products/", {
    params: {
      query: {
        season: ["ss", "aw"],
        min_weight: 100,
        is_fragile: true,
        brand_id: [brand.id],
        tag_id: [tag.id],
        has_brand: true,
        released_on_from: "2026-01-01",
        expand: ["brand", "tags"],
        ordering: "-weight",
      },
    },
  }),
);
const brands = required(
  await shop.GET("/api/brands/", { params: { query: { country_id: [country.id] } } }),
);
const profile = required(await shop.PATCH("/api/auth/profile/", { body: { company: "Fern Ltd" } }));
required(await shop.POST("/api/cart/", { body: { product_id: created.id, quantity: 1 } }));
const order = required(
  await shop.POST("/api/orders/create/", {
    body: { shipping_address: "1 Fern Lane", gift_message: "For you", pickup_on: "2026-04-01" },
  }),
);

export async function wrong() {
  // @ts-expect-error - no choice
  await shop.GET("/api/products/", { params: { query: { season: ["winter"] } } });
  // @ts-expect-error - no parameter
  await shop.GET("/api/products/", { params: { query: { seasons: ["ss"] } } });
  // @ts-expect-error - no number
  await shop.POST("/api/products/", { body: { name: "Jug", price: "8.00", weight: "heavy" } });
  // @ts-expect-error - for staff only
  return created.cost;
}

console.log(
  JSON.stringify({
    weight: changed.weight,
    found: found.items.map((item) => [item.name, item.brand?.name, item.tags?.map((t) => t.name)]),
    brands: brands.items.map((item) => item.name),
    company: profile.company,
    order: [order.gift_message, order.pickup_on, order.status],
  }),
);
