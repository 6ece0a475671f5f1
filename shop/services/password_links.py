"""Emails with a link by which one sets a password: invitations of staff, and resets."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.utils import timezone

from shop.db.transactions import atomically
from shop.models import OutboxMessage, User
from shop.models.outbox import PASSWORD_RESET, STAFF_INVITATION
from shop.services import background, outbox
from shop.services.idempotency import run_once

#: Password resets for one address; more are not sent.
MAX_RESETS, RESET_PERIOD = 3, timedelta(hours=1)


def add_invitation(user: User, *, page: str, invited_by: User) -> None:
    """Write an email with a link to `page`, in the caller's transaction."""
    payload = {"page": page, "invited_by": str(invited_by)}
    message = _add_message(STAFF_INVITATION, user, payload)
    outbox.deliver_after_commit(partial(outbox.deliver_new, [message]))


def send_reset_message(*, email: str, key: str = "", request: str = "", page: str = "") -> None:
    """Send a reset link, if the account exists and got fewer than MAX_RESETS lately.

    With a `page` the account must be one of staff. The same request with the same key sends it
    once. Run this on the background thread: its time tells whether the account exists.
    """
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None or (page and not user.is_staff):
        return
    added: list[OutboxMessage] = []
    work = partial(_add_reset_message, user, {"page": page} if page else {}, added)
    run_once(user=user, key=key, request=request, work=work)
    background.enqueue(partial(outbox.deliver_new, added), is_slow=True)


@atomically
def _add_reset_message(user: User, payload: Mapping[str, str], added: list[OutboxMessage]) -> str:
    """Write the message and append it to `added`, unless there were MAX_RESETS; return its key."""
    added.clear()  # a retried transaction starts anew
    # The lock makes concurrent requests count each other's messages.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    resets = OutboxMessage.objects.filter(user=user, kind=PASSWORD_RESET)
    if resets.filter(created_at__gt=timezone.now() - RESET_PERIOD).count() >= MAX_RESETS:
        return ""
    added.append(_add_message(PASSWORD_RESET, user, payload))
    return str(added[0].pk)


def _add_message(kind: str, user: User, payload: Mapping[str, str]) -> OutboxMessage:
    """Write a message that is tried for as long as its link works."""
    lifetime = min(outbox.TRIED_FOR, timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT))
    message = outbox.new_message(kind, user, lifetime=lifetime, payload=payload)
    message.save()
    return message
