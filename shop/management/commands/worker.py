"""`manage.py worker`: process large product files and send what the outbox still holds."""

import os
from threading import Event, Thread
from typing import Any

from django.utils.autoreload import DJANGO_AUTORELOAD_ENV
from django_tasks_db.management.commands import db_worker

from shop.services import outbox


class Command(db_worker.Command):
    """Runs background tasks, and the outbox in a thread beside them."""

    help = "Run background work: large product files, and emails that could not be sent at once."

    def handle(self, *, batch: bool, **options: Any) -> None:
        """Run until stopped by a signal; with `--batch`, until nothing is due."""
        if batch:
            outbox.deliver_due()
            options["reload"] = False
        is_reloader = options["reload"] and os.environ.get(DJANGO_AUTORELOAD_ENV) != "true"
        if batch or is_reloader:
            super().handle(batch=batch, **options)
            return

        stopped = Event()
        thread = Thread(target=outbox.run_worker, args=[stopped])
        thread.start()
        try:
            super().handle(batch=batch, **options)
        finally:
            stopped.set()  # an email that is being sent is finished
            thread.join()
