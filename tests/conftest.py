import re
from contextlib import contextmanager

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from support import factories

from shop import caching
from shop.management.demo_shop import make_carriers, make_groups
from shop.services import background

pytest_plugins = ["support.servers"]
TRANSACTION_CONTROL = re.compile(r"^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)")


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch):
    cache.clear()
    monkeypatch.setattr(caching, "_breaker", caching.CircuitBreaker())


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def real_enqueue(monkeypatch):
    """Run queued work immediately, in the test's transaction; return the real `enqueue`."""
    real = background.enqueue
    monkeypatch.setattr(background, "enqueue", lambda work, is_slow=False: work())
    return real


@pytest.fixture
def ada(db):
    return factories.create_ada()


@pytest.fixture
def carl(db):
    return factories.create_carl()


@pytest.fixture
def dora(db):
    return factories.create_dora()


@pytest.fixture
def adas_app(ada):
    return factories.api_client(ada)


@pytest.fixture
def carls_app(carl):
    return factories.api_client(carl)


@pytest.fixture
def doras_app(dora):
    return factories.api_client(dora)


@pytest.fixture
def strangers_app(db):
    return factories.api_client(None)


@pytest.fixture
def mug(db):
    return factories.create_product("Mug", price="12.50", stock=10, sku="MUG-1")


@pytest.fixture
def lamp(db):
    return factories.create_product("Lamp", price="49.90", stock=5, sku="LAMP-1")


@pytest.fixture
def statements():
    """`with statements(4):` runs exactly 4 SQL statements, not counting transaction control."""

    @contextmanager
    def assert_count(number):
        with CaptureQueriesContext(connection) as captured:
            yield
        sql = [query["sql"] for query in captured if not TRANSACTION_CONTROL.match(query["sql"])]
        assert len(sql) == number, "\n".join([f"{len(sql)} statements:", *sql])

    return assert_count


@pytest.fixture
def carriers(db):
    """The carriers of the migrations, which the flush after some tests deletes."""
    make_carriers()


@pytest.fixture
def ready_groups(db):
    """The groups of the migrations, which the flush after some tests deletes."""
    make_groups()
