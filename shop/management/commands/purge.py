"""`manage.py purge`: forget what has served its time. Run it once a day."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from shop.services.accounts import purge_sessions
from shop.services.idempotency import purge_keys
from shop.services.import_retention import purge_imports
from shop.services.pictures import purge_pictures

#: What a worker did says nothing that the imports do not.
TASKS_KEPT_FOR = timedelta(days=14)


class Command(BaseCommand):
    """Deletes rows that nothing reads any more."""

    help = (
        "Forget Idempotency-Keys older than 72 hours, sessions that have ended, the files of imports"
        " older than 90 days, and pictures that nothing shows any more."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        finished = timezone.now() - TASKS_KEPT_FOR
        DBTaskResult.objects.finished().filter(finished_at__lt=finished).delete()
        keys, sessions, imports = purge_keys(), purge_sessions(), purge_imports()
        pictures = purge_pictures()  # after the imports, which would show some again
        self.stdout.write(
            f"Forgot {keys} keys, {sessions} sessions, the files of {imports} imports"
            f" and {pictures} files of pictures."
        )
