"""A shop served by four processes, which the tests may break."""

import os

import httpx
import pytest
from support import factories
from support.crash_test import CrashTest
from support.servers import serving
from support.smtp_server import moody_answer, serving_mail


@pytest.fixture
def crash_test(transactional_db, tmp_path, monkeypatch, mug, lamp):
    bowls = [factories.create_product(f"Bowl {n}", stock=40).pk for n in range(4)]
    with serving_mail(answer=moody_answer()) as mail_server:
        monkeypatch.setenv("EMAIL_URL", mail_server.url)
        with serving("support.crashing_wsgi", tmp_path / "server.log", processes=4) as url:
            process = httpx.get(f"{url}/api/health/", trust_env=False).headers["X-Process"]
            products = [mug.pk, lamp.pk, *bowls]
            yield CrashTest(url, os.getpgid(int(process)), products, mail_server)
