"""`manage.py purge`: forget what has served its time. Run it once a day."""

from typing import Any

from django.core.management.base import BaseCommand

from shop.services.accounts import purge_sessions
from shop.services.idempotency import purge_keys


class Command(BaseCommand):
    """Deletes rows that nothing reads any more."""

    help = "Forget Idempotency-Keys older than 72 hours and sessions that have ended."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(f"Forgot {purge_keys()} keys and {purge_sessions()} sessions.")
