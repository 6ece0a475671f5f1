"""A busy shop of four processes that can be struck."""

import os

import httpx
import pytest
from support import factories
from support.crash_test import Fire
from support.servers import serving


@pytest.fixture
def fire(transactional_db, tmp_path, mug, lamp):
    stocked = [factories.create_product(f"Bowl {n}", stock=40).pk for n in range(4)]
    with serving("support.crashing_wsgi", tmp_path / "server.log", processes=4) as address:
        known = httpx.get(f"{address}/api/health/", trust_env=False).headers["X-Process"]
        yield Fire(address, os.getpgid(int(known)), [mug.pk, lamp.pk, *stocked])
