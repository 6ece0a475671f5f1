import os
import signal
import subprocess
import sys

import pytest
from django.utils import timezone
from support import factories, servers
from support.smtp_server import serving_mail

from shop.models import OutboxMessage
from shop.services.orders import place_order


@pytest.fixture
def _due_message(transactional_db, carl, mug, monkeypatch):
    monkeypatch.setattr("shop.services.background.enqueue", lambda work, **_: None)
    factories.add_to_cart(carl, (mug, 1))
    place_order(user=carl, shipping_address="1 Elm Street")
    OutboxMessage.objects.update(due_at=timezone.now())


@pytest.mark.slow
@pytest.mark.usefixtures("_due_message")
@pytest.mark.parametrize("arguments", [["--batch"], []], ids=["batch", "until stopped"])
def test_the_worker_sends_what_is_due(arguments):
    with serving_mail() as mail_server:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "settings.development",
            "DATABASE_URL": servers.database_url(),
            "EMAIL_URL": mail_server.url,
        }
        command = [sys.executable, "manage.py", "worker", "--no-reload", *arguments]
        with subprocess.Popen(command, cwd=servers.TESTS.parent, env=environment) as worker:
            assert mail_server.has_taken.wait(servers.TIMEOUT_SECONDS)
            if not arguments:
                worker.send_signal(signal.SIGTERM)
            assert worker.wait(servers.TIMEOUT_SECONDS) == 0
    assert OutboxMessage.objects.get().status == "sent"
