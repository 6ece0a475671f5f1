"""Run an import's next step: in the request if the file is small, else in a worker.

The requested step is stored in the import's own row. The task message holds only the import's id,
so a lost message or a killed worker loses nothing: the next call of `run_pending_steps` does it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Length
from django.tasks import task
from django.utils import timezone
from django.utils.translation import gettext as _

from shop.images import StorageFull
from shop.models import ChangeSet, ImportFile, User
from shop.product_files.imports import pictures, preview
from shop.services.change_sets import apply, undo
from shop.services.change_sets.locking import STATE_ERRORS, State, is_stalled
from shop.services.errors import ConcurrentUpdate, ImportNotReady, ShopError

#: Bytes of an upload whose steps run in the request: a second or two.
MAX_INLINE_BYTES = 300_000
#: Waiting time without a worker after which the page offers to run the step itself.
WORKER_TIMEOUT = timedelta(seconds=10)
PREVIEW, APPLY, UNDO, PICTURES = "preview", "apply", "undo", "pictures"
#: Step -> the states in which it can be requested, and the state in which it ends.
STEP_STATES: dict[str, tuple[tuple[State, ...], State]] = {
    PREVIEW: (preview.CHECKABLE_STATES, State.CHECKED),
    APPLY: ((State.CHECKED,), State.APPLIED),
    UNDO: ((State.APPLIED,), State.UNDONE),
    PICTURES: ((State.APPLIED,), State.APPLIED),
}

type PendingStep = dict[str, Any]


def request_step(
    change_set_id: int,
    step: str,
    *,
    actor: User,
    good_only: bool = False,
    seen: datetime | None = None,
    options: dict[str, Any] | None = None,
    run_inline: bool = False,
) -> None:
    """Request a step. It runs now if the file is small or `run_inline` is set, else in a worker.

    `seen` is the `checked_at` of the preview that staff confirmed; `options` replace the import's.
    The result is stored in the import, as are errors of the step itself.

    Raises ImportNotReady if the import's state does not allow the step, or one is pending.
    """
    pending = {
        "step": step,
        "actor": actor.pk,
        "good_only": good_only,
        "at": timezone.now().isoformat(),
    }
    ready = ChangeSet.objects.filter(
        pk=change_set_id, state__in=STEP_STATES[step][0], pending_step={}
    )
    if seen is not None:
        ready = ready.filter(checked_at=seen)
    columns = {} if options is None else {"options": options}
    if not ready.update(pending_step=pending, error="", **columns):
        raise ImportNotReady(_step_refusal(change_set_id, step))

    if run_inline or _upload_size(change_set_id) <= MAX_INLINE_BYTES:
        run_pending_steps(change_set_id)
    else:
        run_in_worker.enqueue(change_set_id)


@task
def run_in_worker(change_set_id: int) -> None:
    """Run an import's pending steps as a background task."""
    run_pending_steps(change_set_id)


def run_pending_steps(change_set_id: int) -> None:
    """Run the pending steps, unless another worker is at it or has finished them."""
    change_set = ChangeSet.objects.get(pk=change_set_id)
    while pending := change_set.pending_step:
        step = pending["step"]
        try:
            STEP_FUNCTIONS[step](change_set, User.objects.get(pk=pending["actor"]), pending)
        except ConcurrentUpdate:
            return
        except StorageFull as error:
            # The step stays pending: run again, it stores the pictures that are left.
            ChangeSet.objects.filter(pk=change_set_id).update(error=error.strerror)
            return
        except ShopError as error:
            change_set.refresh_from_db()
            if change_set.state in ChangeSet.IN_PROGRESS:
                return
            is_done = isinstance(error, ImportNotReady) and change_set.state == STEP_STATES[step][1]
            _finish_step(change_set, pending, error="" if is_done else str(error))
        except Exception:
            change_set.refresh_from_db()
            message = _("Something went wrong, and nothing was changed. Try again.")
            _finish_step(change_set, pending, error=message)
            raise
        else:
            _finish_step(change_set, pending)
        change_set.refresh_from_db()


def is_waiting(change_set: ChangeSet) -> bool:
    """Return whether a step is pending and no worker has started it."""
    has_step = bool(change_set.pending_step)
    return has_step and change_set.state not in ChangeSet.IN_PROGRESS


def is_abandoned(change_set: ChangeSet) -> bool:
    """Return whether no worker has started the step in time, or the worker was killed."""
    if not is_waiting(change_set):
        return is_stalled(change_set)
    requested_at = datetime.fromisoformat(change_set.pending_step["at"])
    last_activity = max(requested_at, change_set.heartbeat_at or requested_at)
    return last_activity < timezone.now() - WORKER_TIMEOUT


def _run_preview(change_set: ChangeSet, _actor: User, _pending: PendingStep) -> None:
    preview.preview_import(change_set)
    if change_set.state == State.CHECKED:
        pictures.match_pictures(change_set)


def _run_apply(change_set: ChangeSet, actor: User, pending: PendingStep) -> None:
    apply.apply_change_set(change_set.pk, actor=actor, good_only=pending["good_only"])


def _run_undo(change_set: ChangeSet, actor: User, _pending: PendingStep) -> None:
    undo.undo_change_set(change_set.pk, actor=actor)


def _run_pictures(change_set: ChangeSet, actor: User, _pending: PendingStep) -> None:
    pictures.store_pictures(change_set, actor=actor)


STEP_FUNCTIONS: dict[str, Callable[[ChangeSet, User, PendingStep], None]] = {
    PREVIEW: _run_preview,
    APPLY: _run_apply,
    UNDO: _run_undo,
    PICTURES: _run_pictures,
}


def _finish_step(change_set: ChangeSet, pending: PendingStep, **columns: Any) -> None:
    """Clear the pending step, unless it was replaced. Pictures follow a successful apply."""
    is_applied = pending["step"] == APPLY and not columns.get("error")
    next_step: PendingStep = {}
    if is_applied and change_set.detected.get("pictures"):
        next_step = pending | {"step": PICTURES, "at": timezone.now().isoformat()}
    ChangeSet.objects.filter(pk=change_set.pk, pending_step=pending).update(
        pending_step=next_step, **columns
    )


def _step_refusal(change_set_id: int, step: str) -> str:
    """Say why a step cannot be requested now."""
    change_set = ChangeSet.objects.get(pk=change_set_id)
    if change_set.pending_step:
        return _("This was already requested. The page shows the progress.")
    if change_set.state in STEP_STATES[step][0]:
        return _("The file was checked again in the meantime. Review its rows once more.")
    return str(STATE_ERRORS[State(change_set.state)])


def _upload_size(change_set_id: int) -> int:
    """Return the bytes of a file; 0 for a change set that was made on a page."""
    sizes = ImportFile.objects.filter(pk=change_set_id).annotate(size=Length("content"))
    return sizes.values_list("size", flat=True).first() or 0
