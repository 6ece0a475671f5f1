"""Each list, and the dashboard, in a shop of 100,000 products, customers and orders, on PostgreSQL.

Not a part of the suite. `pytest -n 0 -s tests/benchmarks/large_shop.py` prints the SQL time of each page beside
its goal; what it asserts is that each page asks as many queries as in a shop with three of everything.
"""

import people
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.models import Product
from shop.services.counts import waiting_counts

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="measures PostgreSQL"),
]
MANY = 100_000
TRIES = 5
PAGE_GOAL, QUERY_GOAL = 150, 100  # milliseconds: a list's queries together, each query of the dashboard
ROWS = "FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS g"
#: Row g of each table belongs to row g of the others; the newest row is the first, six minutes ago: 240 orders a day.
FILL = f"""
INSERT INTO shop_user (id, password, is_superuser, email, first_name, last_name, phone, role, is_active, created_at)
SELECT g + 1000, '!', false, 'buyer' || g || '@example.com', 'First' || g % 977, 'Last' || g % 1009,
  '+44 ' || g, 'customer', true, now() - g * interval '6 minutes' {ROWS};
INSERT INTO shop_product (id, name, sku, description, price, stock, image, is_active, low_stock_threshold,
  created_at, updated_at)
SELECT g + 1000, 'Product ' || g, 'SKU-' || g, repeat('A description. ', 12), 1 + g % 90, g % 400, '', g % 50 > 0, 5,
  now() - g * interval '5 minutes', now() {ROWS};
INSERT INTO shop_order (id, order_number, user_id, status, payment_method, payment_status, total_amount,
  shipping_address, note, carrier, tracking_number, created_at, updated_at)
SELECT %(newest)s - g, to_char(g, 'FM0000"-"0000'), g + 1000,
  CASE WHEN g < 300 THEN 'pending' WHEN g < 700 THEN 'confirmed' WHEN g < 1500 THEN 'shipped'
    WHEN g % 13 = 0 THEN 'cancelled' ELSE 'delivered' END,
  'card', 'paid', 20, g || ' Fern Lane' || chr(10) || 'Town ' || g % 400, '', '', '',
  now() - g * interval '6 minutes', now() {ROWS};
INSERT INTO shop_orderitem (order_id, product_id, sku, name, price, quantity)
SELECT %(newest)s - g, 1000 + 1 + (g * n) % %(last)s, 'SKU-' || g, 'Product ' || g, 10, n
{ROWS}, generate_series(1, 2) AS n ON CONFLICT DO NOTHING;
INSERT INTO shop_orderevent (order_id, kind, status, payment_status, note, is_internal, created_at)
SELECT %(newest)s - g, 'status', CASE n WHEN 1 THEN 'pending' ELSE 'confirmed' END, 'paid', '', false,
  now() - g * interval '6 minutes' {ROWS}, generate_series(1, 2) AS n;
INSERT INTO shop_stockmovement (product_id, kind, delta, balance_after, reason, created_at)
SELECT g + 1000, 'initial', 1000, 1000, '', now() - interval '600 days' {ROWS};
INSERT INTO shop_stockmovement (product_id, order_id, kind, delta, balance_after, reason, created_at)
SELECT product_id, order_id, 'sale', -quantity, 500, '', shop_order.created_at
FROM shop_orderitem JOIN shop_order ON shop_order.id = order_id
WHERE order_id BETWEEN %(newest)s - %(last)s AND %(newest)s - %(first)s ORDER BY order_id;
INSERT INTO shop_cartitem (user_id, product_id, quantity, created_at)
SELECT g + 1000, g + 1000, 1, now() {ROWS};
INSERT INTO shop_session (id, user_id, password_hash, current, device, created_at, refreshed_at, expires_at,
  revoked_because)
SELECT gen_random_uuid(), g + 1000, '', gen_random_uuid(), 'A telephone', now(), now() - g * interval '1 minute',
  now() + interval '30 days', '' {ROWS};
INSERT INTO shop_auditentry (actor_id, action, kind, record_id, record, changes, created_at)
SELECT min(shop_user.id), 'changed', 'product', g + 1000, 'Product ' || g, 'price: ' || g || '.00 to 2.00', now()
{ROWS}, shop_user WHERE role = 'admin' GROUP BY g;
""".replace(" % ", " %% ")
LISTS = {
    "order": (
        "q=0009-9999",
        "q=buyer777@",
        "q=SKU-777",
        "q=777 Fern Lane",
        "q=Fern",
        "q=a",
        "q=qz",
        "status__exact=pending",
        "status__exact=delivered",
        "days=7",
    ),
    "product": (
        "q=Product 777",
        "q=SKU-777",
        "q=product",
        "q=a",
        "q=qz",
        "level=low",
        "is_active__exact=0",
        "price_from=10&price_to=12",
    ),
    "stockmovement": ("q=SKU-777", "kind__exact=sale"),
    "user": ("q=buyer777@", "q=example", "o=0", "o=1", "role__exact=admin", "is_active__exact=1"),
    "cartitem": ("q=buyer777@",),
    "session": ("q=buyer777@",),
    "orderevent": ("q=0009-9999", "status__exact=pending"),
    "orderitem": ("q=SKU-777",),
    "auditentry": ("q=Product 777", "q=777.00"),
}
PAGES = {
    f"/admin/shop/{name}/": [f"/admin/shop/{name}/", *(f"/admin/shop/{name}/?{asked}" for asked in queries)]
    for name, queries in LISTS.items()
}
PALETTE = [f"/admin/search/?s={term}" for term in ("buyer777", "SKU-777", "0009-9999", "Product 777", "qz")]
DASHBOARDS = [f"/admin/?days={days}" for days in (1, 7, 30)]


def fill(first, last):
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"first": first, "last": last, "newest": 1000 + MANY})
        cursor.execute("VACUUM ANALYZE")


def queries(browser, path):
    waiting_counts()  # the menu's, which one page in half a minute asks
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(path)
    assert answer.status_code == 200, path
    return captured.captured_queries, answer


def best(browser, path):
    """The number of queries, and the milliseconds of each in the best of some tries."""
    runs = [[float(query["time"]) * 1000 for query in queries(browser, path)[0]] for _ in range(TRIES)]
    return len(runs[0]), min(runs, key=sum)


def last_pages(browser, paths):
    """Of the list itself, and as it is sorted by name."""
    for path in paths:
        if path in PAGES or "?o=" in path:
            pages = queries(browser, path)[1].context["cl"].paginator.num_pages
            yield f"{path}{'&' if '?' in path else '?'}p={pages}"


def test_each_page_in_a_large_shop():
    browser = people.browser_of(people.ada())
    fill(1, 3)
    few = {path: len(queries(browser, path)[0]) for path in (*sum(PAGES.values(), []), *PALETTE, *DASHBOARDS)}
    fill(4, MANY)
    assert Product.objects.count() == MANY
    more = {}
    print(f"\n{'SQL ms':>8}  queries  (goal: {PAGE_GOAL} ms a page)")
    for paths in (*PAGES.values(), PALETTE):
        for path in (*paths, *last_pages(browser, paths)):
            more[path], times = best(browser, path)
            slow = "  SLOW" if sum(times) > PAGE_GOAL else ""
            print(f"{sum(times):8.0f}  {more[path]:>7}  {path}{slow}")
    for path in DASHBOARDS:
        more[path], times = best(browser, path)
        slow = "  SLOW" if max(times) > QUERY_GOAL else ""
        print(f"{sum(times):8.0f}  {more[path]:>7}  {path}, slowest query {max(times):.0f} ms{slow}")
    # A search that finds nothing is two queries less, each word that very many rows have one more.
    searches = {path for path in few if "?q=" in path}
    assert all(more[path] <= few[path] + 2 + len(path.split()) for path in searches)
    assert {path: more[path] for path in few if path not in searches} == {
        path: few[path] for path in few if path not in searches
    }
