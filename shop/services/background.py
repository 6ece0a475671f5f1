"""Run work on background threads, so that responses don't wait for it."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import BoundedSemaphore

from django.db import close_old_connections, connections

#: Limit of queued calls per thread; further ones are dropped and logged.
MAX_QUEUED = 1000

logger = logging.getLogger(__name__)


class Lane:
    """A thread that runs queued work in order of submission."""

    def __init__(self, name: str) -> None:
        self.thread = ThreadPoolExecutor(1, name)
        self.slots = BoundedSemaphore(MAX_QUEUED)


# Threads, not tasks of a worker: emails are sent even where no worker runs.
LANES = {is_slow: Lane("mail" if is_slow else "background") for is_slow in (False, True)}


def enqueue(work: Callable[[], object], *, is_slow: bool = False) -> None:
    """Run `work` soon and once. Never raises; failures are logged.

    Work that waits for another server is slow: other work does not wait behind it. Queued work
    still runs when the process exits normally, and is lost when it is killed.
    """
    lane = LANES[is_slow]
    if not lane.slots.acquire(blocking=False):
        logger.error("The background queue is full (%s calls); this call was dropped.", MAX_QUEUED)
        return
    context = copy_context()  # so that its log lines carry the request id
    try:
        lane.thread.submit(context.run, _run_work, work, lane)
    except RuntimeError:
        lane.slots.release()
        logger.warning("The process is exiting; a background call was dropped.")


def _run_work(work: Callable[[], object], lane: Lane) -> None:
    try:
        close_old_connections()
        work()
    except Exception:
        logger.exception("A background call failed.")
    finally:
        if lane is LANES[True]:
            close_old_connections()  # each order has an email: connecting anew would slow it down
        else:
            connections.close_all()
        lane.slots.release()
