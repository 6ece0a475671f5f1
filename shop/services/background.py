"""What a caller is not to wait for, such as a mail server: done in a thread."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import BoundedSemaphore

from django.db import connections

#: So much may wait in a process. What comes on top is a flood, and nobody is told whose mail was in it.
MAX_QUEUED = 1000

logger = logging.getLogger(__name__)
# A thread and no task of the worker: a shop without a worker sends its mails too.
_thread = ThreadPoolExecutor(1, "later")
_room = BoundedSemaphore(MAX_QUEUED)


def enqueue(work: Callable[[], None]) -> None:
    """Have it done soon, once, after what was there before; never raises.

    What fails is logged. What still waits is done when the process ends, and lost when it is killed.
    """
    if _room.acquire(blocking=False):
        _thread.submit(copy_context().run, _do, work)  # its log lines are the request's
    else:
        logger.error(
            "More than %s things are waiting to be done later; this one was dropped.", MAX_QUEUED
        )


def _do(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        logger.exception("Something that was to be done later failed.")
    finally:
        connections.close_all()
        _room.release()
