"""A shop with any number of orders, created by SQL statements for both databases."""

from datetime import timedelta

from beside_shops import ADJECTIVES, MATERIALS, NOUNS, STOCK, Shop
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connections
from django.utils import timezone

from shop.api import tokens
from shop.models import Session, User

FIRST = (
    "Ada Amelia Anton Bea Ben Carla Chen Clara Dan Dora Elif Emil Emma Eva Finn Frank Grace "
    "Greta Hana Hugo Ida Ines Ivan Jack Jana Joel June Kai Kira Lars Lea Leon Lina Luca Maja "
    "Mark Mary Mila Mona Nadia Nils Nora Olga Omar Otto Paul Petra Rosa Ruth Sam Sara Sven Tara "
    "Theo Tom Uma Vera Will Yara Yusuf Zoe"
).split()
LAST = (
    "Alder Amber Ash Barn Beck Birch Black Bram Bridge Brook Carl Chester Clay Cliff Cold Cran "
    "Dale Dun East Elm Fair Fern Ford Fox Gold Grant Green Hart Hazel High Hill Holm Hunt Kings "
    "Lang Lind Long Marsh Mill Moor North Oak Old Pen Red Rock Rose Sand Stan Thorn Wake West "
    "Wind"
).split()
TOWN_ENDINGS = (
    "berg born bourne bridge brook burn bury by combe cott croft dale dean don er field ford "
    "gate ham hurst ing land ley man mere more shaw son stead ton well"
).split()
#: Characters of a word in the text that `pick_word` reads from.
WORD_WIDTH = 10
BUYERS = 40
#: Days since the first order. The newest orders are pending.
DAYS = 730
STATUS = """CASE
  WHEN {left} < {orders} / 2000 THEN 'pending'
  WHEN {left} < {orders} / 800 THEN 'confirmed'
  WHEN {left} < {orders} / 300 THEN 'shipped'
  WHEN g % 13 = 0 THEN 'cancelled'
  ELSE 'delivered' END"""
FILL = """
CREATE TEMPORARY TABLE n (g integer PRIMARY KEY, h integer);
INSERT INTO n
WITH RECURSIVE counted(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM counted WHERE g < {orders})
SELECT g, g * 2654435761 % 4294967296 / 64 FROM counted;
INSERT INTO shop_user (id, password, is_superuser, email, first_name, last_name, phone, role,
  is_active, session_version, created_at)
SELECT g, '{password}', g = 1,
  lower({first_name}) || '.' || lower({last_name}) || g || '@example.com',
  {first_name}, {last_name}, '+44 20 ' || (10000000 + h % 89999999),
  CASE WHEN g = 1 THEN 'admin' ELSE 'customer' END, g % 50 > 0, 0,
  {user_at} FROM n WHERE g <= {users};
INSERT INTO shop_product (id, name, sku, description, price, tax_rate, stock, image, is_active,
  low_stock_threshold, created_at, updated_at)
SELECT g, {product_name}, 'SKU-' || g,
  'A dependable everyday piece made with care and tested for long use. ' || {product_name} || '.',
  (100 + h % 49900) / 100.0, CASE h % 9 WHEN 0 THEN NULL WHEN 1 THEN 7 ELSE 19 END,
  CASE WHEN g <= 2000 THEN {stock} WHEN g % 40 = 3 THEN g % 6 ELSE 6 + h % 400 END,
  CASE WHEN g % 3 = 0 THEN '' ELSE 'products/' || g || '.webp' END,
  g <= 2000 OR g % 50 > 0, 5, {product_at}, {product_at}
FROM n WHERE g <= {products};
INSERT INTO shop_order (id, order_number, user_id, status, payment_method, payment_status,
  total_amount, credited_amount, paid_amount, refunded_amount, currency, shipping_address, note,
  carrier, tracking_number, tracking_url, created_at, updated_at)
SELECT g, substr('' || (100000000 + g), 2, 4) || '-' || substr('' || (100000000 + g), 6, 4),
  2 + g * 7 % ({users} - 1), {status},
  CASE h % 4 WHEN 0 THEN 'cash_on_delivery' WHEN 1 THEN 'bank_transfer' ELSE 'card' END,
  CASE WHEN {status} IN ('pending', 'confirmed') AND h % 4 < 2 THEN 'pending'
    WHEN g % 13 = 0 THEN 'refunded' ELSE 'paid' END,
  0, 0, 0, 0, 'EUR', (1 + h % 200) || ' ' || {street} || ' Street' || char(10) || {town}, '', '',
  '', '',
  {order_at}, {order_at} FROM n;
INSERT INTO shop_orderitem (order_id, product_id, sku, name, price, tax_rate, quantity,
  returned_quantity)
SELECT g, p.id, p.sku, p.name, p.price, p.tax_rate, 1 + g % 3,
  CASE WHEN g % 23 = 0 AND {status} = 'delivered' THEN 1 ELSE 0 END
FROM n JOIN shop_product p ON p.id = 1 + h % ({products} / 100);
INSERT INTO shop_orderitem (order_id, product_id, sku, name, price, tax_rate, quantity,
  returned_quantity)
SELECT g, p.id, p.sku, p.name, p.price, p.tax_rate, 1, 0
FROM n JOIN shop_product p ON p.id = {products} / 100 + 1 + h / 3 % ({products} - {products} / 100);
UPDATE shop_order SET total_amount = items.total,
  credited_amount = CASE WHEN status = 'cancelled' THEN items.total ELSE items.returned END,
  paid_amount = CASE WHEN payment_status IN ('paid', 'refunded') THEN items.total ELSE 0 END,
  refunded_amount = CASE WHEN payment_status = 'refunded' THEN items.total ELSE items.returned END
FROM (SELECT order_id, sum(subtotal) AS total, sum(price * returned_quantity) AS returned
  FROM shop_orderitem GROUP BY order_id) AS items
WHERE order_id = id;
INSERT INTO shop_payment (order_id, kind, amount, credited_amount, reference, reason, created_at)
SELECT id, 'payment', paid_amount, 0, '', '', updated_at FROM shop_order WHERE paid_amount > 0;
INSERT INTO shop_payment (order_id, kind, amount, credited_amount, reference, reason, created_at)
SELECT id, 'refund', refunded_amount, refunded_amount, '', '', updated_at
FROM shop_order WHERE refunded_amount > 0;
INSERT INTO shop_orderevent (order_id, kind, status, payment_status, note, details, is_internal,
  created_at)
SELECT id, 'status', 'pending', 'pending', '', '', false, created_at FROM shop_order;
INSERT INTO shop_orderevent (order_id, kind, status, payment_status, note, details, is_internal,
  actor_id, created_at)
SELECT id, 'status', status, payment_status, '', '', false, 1, updated_at
FROM shop_order WHERE status <> 'pending';
INSERT INTO shop_stockmovement (product_id, kind, delta, balance_after, reason, created_at)
SELECT id, 'initial', stock, stock, 'Opening stock', created_at FROM shop_product WHERE stock > 0;
INSERT INTO shop_stockmovement (product_id, order_id, kind, delta, balance_after, reason,
  created_at)
SELECT product_id, order_id, 'sale', -quantity, {stock}, '', o.created_at
FROM shop_order o JOIN shop_orderitem ON o.id = order_id;
INSERT INTO shop_stockmovement (product_id, order_id, kind, delta, balance_after, reason,
  created_at)
SELECT product_id, order_id, 'cancellation', quantity, {stock}, '', o.created_at
FROM shop_order o JOIN shop_orderitem ON o.id = order_id WHERE status = 'cancelled';
INSERT INTO shop_cartitem (id, user_id, product_id, quantity, created_at)
SELECT g, g, 1 + h % {products}, 1, {user_at} FROM n WHERE g BETWEEN 2 AND {users} / 10;
INSERT INTO shop_session (id, user_id, password_hash, current_token, device, created_at,
  refreshed_at, expires_at, revoked_because, successor_used)
SELECT {uuid}, g, '', {uuid}, 'A telephone', {user_at}, {user_at}, {user_at}, '', false
FROM n WHERE g BETWEEN 2 AND {users};
INSERT INTO shop_auditentry (actor_id, action, model_name, record_id, record_label, changes,
  client_ip, device, created_at)
SELECT 1, 'changed', 'product', id, name, 'price: ' || id || '.00 to 2.00', '', '', created_at
FROM shop_product;
DROP TABLE n
"""
#: The expressions and statements that differ between the databases.
DIALECTS = {
    "postgresql": {
        "ago": "now() - ({0}) * interval '1 second'",
        "uuid": "gen_random_uuid()",
        "char": "chr(10)",
        "before": "SET statement_timeout = 0; SET session_replication_role = replica;"
        " SET maintenance_work_mem = '512MB'",
        "after": "RESET statement_timeout; RESET session_replication_role;"
        " RESET maintenance_work_mem",
        "indexes": "SELECT indexname, indexdef FROM pg_indexes"
        " WHERE tablename LIKE 'shop%' AND indexdef NOT LIKE '%UNIQUE%'",
    },
    "sqlite": {
        "ago": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || ({0}) || ' seconds')",
        "uuid": "lower(hex(randomblob(16)))",
        "char": "char(10)",
        "before": "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF",
        "after": "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL",
        "indexes": "SELECT name, sql FROM sqlite_master"
        " WHERE type = 'index' AND tbl_name LIKE 'shop%' AND sql NOT LIKE '%UNIQUE%'",
    },
}


def pick_word(words, number):
    """Return the SQL expression for the word with this number, an SQL expression too."""
    text = "".join(word.ljust(WORD_WIDTH) for word in words)
    position = f"1 + {WORD_WIDTH} * ({number} % {len(words)})"
    return f"rtrim(substr('{text}', {position}, {WORD_WIDTH}))"


def name_expressions():
    """Return the SQL expressions for the names of row `g`, hashed as `h`."""
    all_first, all_names = len(FIRST), len(FIRST) * len(LAST)
    name_parts = [
        pick_word(LAST, f"(g / {all_first})"),
        pick_word(TOWN_ENDINGS, f"(g / {all_names})"),
    ]
    town_parts = [pick_word(LAST, "(h / 53)"), pick_word(TOWN_ENDINGS, "(h / 2809)")]
    product_parts = [
        pick_word([word.capitalize() for word in ADJECTIVES], "h"),
        pick_word(MATERIALS, "(h / 12)"),
        pick_word(NOUNS, "(h / 144)"),
        "substr('' || (1000000 + g), 2)",
    ]
    return {
        "first_name": pick_word(FIRST, "g"),
        "last_name": " || ".join(name_parts),
        "street": pick_word(LAST, "h"),
        "town": " || ".join(town_parts),
        "product_name": " || ' ' || ".join(product_parts),
    }


class LargeShop(Shop):
    """A shop with its own database. One of two items per order is of the best 1 % of products."""

    def __init__(self, name, url, products, users, orders):
        super().__init__(products, users, orders)
        self.name = self.alias = name
        self.environment |= {"DATABASE_URL": url}

    def fill(self):
        """Create all rows, and set `tokens`: one for each of the first customers."""
        # A migration of django-tasks-db uses the default connection.
        connections["default"] = connections[self.alias]
        call_command("migrate", verbosity=0)
        dialect = DIALECTS[connections[self.alias].vendor]
        indexes = self.execute(dialect["indexes"])
        # Indexes are created after the rows, which is faster.
        self.execute(*dialect["before"].split(";"), *(f"DROP INDEX {name}" for name, _ in indexes))
        self.execute(*self.fill_statements(dialect).split(";"))
        self.execute(*(create for _, create in indexes), *dialect["after"].split(";"))
        self.execute(*connections[self.alias].ops.sequence_reset_sql(no_style(), apps.get_models()))
        self.analyze()
        customers = User.objects.using(self.alias).filter(pk__gt=1).order_by("pk")
        self.tokens = [self.create_token(user) for user in customers[:BUYERS]]

    def fill_statements(self, dialect):
        def time_of(number, count):
            return dialect["ago"].format(f"({count} - {number}) * {DAYS * 86400 // count} + 60")

        sizes = {
            "products": self.products,
            "users": self.users,
            "orders": self.orders,
            "stock": STOCK,
        }
        times = {
            f"{table}_at": time_of("g", sizes[f"{table}s"])
            for table in ("user", "product", "order")
        }
        status = STATUS.format(left=f"({self.orders} - g)", **sizes)
        return FILL.replace("char(10)", dialect["char"]).format(
            password=make_password("correct-horse-7"),
            status=status,
            uuid=dialect["uuid"],
            **name_expressions(),
            **sizes,
            **times,
        )

    @staticmethod
    def create_token(user):
        expires_at = timezone.now() + timedelta(days=30)
        password_hash = user.get_session_auth_hash()
        session = Session(user=user, password_hash=password_hash, expires_at=expires_at)
        session.save(using=user._state.db)
        return tokens.sign_token(session, "access")
