"""`manage.py purge`: delete expired data. Run it once a day."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from shop.services.change_sets.retention import purge_change_sets
from shop.services.idempotency import purge_keys
from shop.services.outbox import purge_messages
from shop.services.pictures import purge_pictures
from shop.services.sessions import purge_sessions
from shop.services.sign_ins import purge_sign_ins

#: Results of finished background tasks; the imports themselves record what was done.
TASK_RESULT_RETENTION = timedelta(days=14)


class Command(BaseCommand):
    """Deletes rows and files that are no longer used."""

    help = (
        "Delete Idempotency-Keys older than 72 hours, ended sessions, audit log entries of"
        " sign-ins, emails and files of imports older than 90 days, and unused pictures."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        oldest = timezone.now() - TASK_RESULT_RETENTION
        DBTaskResult.objects.finished().filter(finished_at__lt=oldest).delete()
        keys, sessions, imports = purge_keys(), purge_sessions(), purge_change_sets()
        sign_ins, messages = purge_sign_ins(), purge_messages()
        pictures = purge_pictures()  # last: undoing an import could use its pictures again
        self.stdout.write(
            f"Deleted: {keys} Idempotency-Keys, {sessions} sessions, {sign_ins} sign-ins,"
            f" {messages} emails,"
            f" files of {imports} imports, {pictures} picture files."
        )
