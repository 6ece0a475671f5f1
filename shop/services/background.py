"""Run work on a background thread, so that responses don't wait for SMTP."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import BoundedSemaphore

from django.db import close_old_connections

#: Limit of queued calls per process; further ones are dropped and logged.
MAX_QUEUED = 1000

logger = logging.getLogger(__name__)
# A thread, not a worker task: emails are sent even where no worker runs.
_thread = ThreadPoolExecutor(1, "background")
_slots = BoundedSemaphore(MAX_QUEUED)


def enqueue(work: Callable[[], None]) -> None:
    """Run `work` soon, once, in order of submission. Never raises; failures are logged.

    Queued work still runs when the process exits normally, and is lost when it is killed.
    """
    if _slots.acquire(blocking=False):
        context = copy_context()  # so that its log lines carry the request id
        _thread.submit(context.run, _run_work, work)
    else:
        logger.error("The background queue is full (%s calls); this call was dropped.", MAX_QUEUED)


def _run_work(work: Callable[[], None]) -> None:
    try:
        close_old_connections()
        work()
    except Exception:
        logger.exception("A background call failed.")
    finally:
        close_old_connections()  # after an error or CONN_MAX_AGE; connecting takes milliseconds
        _slots.release()
