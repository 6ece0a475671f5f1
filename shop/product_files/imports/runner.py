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
from shop.models import ImportFile, ProductImport, User
from shop.product_files.imports import apply, pictures, preview, undo
from shop.product_files.imports.locking import STATE_ERRORS, State, is_stalled
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
    import_id: int,
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
    ready = ProductImport.objects.filter(
        pk=import_id, state__in=STEP_STATES[step][0], pending_step={}
    )
    if seen is not None:
        ready = ready.filter(checked_at=seen)
    columns = {} if options is None else {"options": options}
    if not ready.update(pending_step=pending, error="", **columns):
        raise ImportNotReady(_step_refusal(import_id, step))

    if run_inline or _upload_size(import_id) <= MAX_INLINE_BYTES:
        run_pending_steps(import_id)
    else:
        run_in_worker.enqueue(import_id)


@task
def run_in_worker(import_id: int) -> None:
    """Run an import's pending steps as a background task."""
    run_pending_steps(import_id)


def run_pending_steps(import_id: int) -> None:
    """Run the pending steps, unless another worker is at it or has finished them."""
    product_import = ProductImport.objects.get(pk=import_id)
    while pending := product_import.pending_step:
        step = pending["step"]
        try:
            STEP_FUNCTIONS[step](product_import, User.objects.get(pk=pending["actor"]), pending)
        except ConcurrentUpdate:
            return
        except StorageFull as error:
            # The step stays pending: run again, it stores the pictures that are left.
            ProductImport.objects.filter(pk=import_id).update(error=error.strerror)
            return
        except ShopError as error:
            product_import.refresh_from_db()
            if product_import.state in ProductImport.IN_PROGRESS:
                return
            is_done = (
                isinstance(error, ImportNotReady) and product_import.state == STEP_STATES[step][1]
            )
            _finish_step(product_import, pending, error="" if is_done else str(error))
        except Exception:
            product_import.refresh_from_db()
            message = _("Something went wrong, and nothing was changed. Try again.")
            _finish_step(product_import, pending, error=message)
            raise
        else:
            _finish_step(product_import, pending)
        product_import.refresh_from_db()


def is_waiting(product_import: ProductImport) -> bool:
    """Return whether a step is pending and no worker has started it."""
    has_step = bool(product_import.pending_step)
    return has_step and product_import.state not in ProductImport.IN_PROGRESS


def is_abandoned(product_import: ProductImport) -> bool:
    """Return whether no worker has started the step in time, or the worker was killed."""
    if not is_waiting(product_import):
        return is_stalled(product_import)
    requested_at = datetime.fromisoformat(product_import.pending_step["at"])
    last_activity = max(requested_at, product_import.heartbeat_at or requested_at)
    return last_activity < timezone.now() - WORKER_TIMEOUT


def _run_preview(product_import: ProductImport, _actor: User, _pending: PendingStep) -> None:
    preview.preview_import(product_import)
    if product_import.state == State.CHECKED:
        pictures.match_pictures(product_import)


def _run_apply(product_import: ProductImport, actor: User, pending: PendingStep) -> None:
    apply.apply_import(product_import.pk, actor=actor, good_only=pending["good_only"])


def _run_undo(product_import: ProductImport, actor: User, _pending: PendingStep) -> None:
    undo.undo_import(product_import.pk, actor=actor)


def _run_pictures(product_import: ProductImport, actor: User, _pending: PendingStep) -> None:
    pictures.store_pictures(product_import, actor=actor)


STEP_FUNCTIONS: dict[str, Callable[[ProductImport, User, PendingStep], None]] = {
    PREVIEW: _run_preview,
    APPLY: _run_apply,
    UNDO: _run_undo,
    PICTURES: _run_pictures,
}


def _finish_step(product_import: ProductImport, pending: PendingStep, **columns: Any) -> None:
    """Clear the pending step, unless it was replaced. Pictures follow a successful apply."""
    is_applied = pending["step"] == APPLY and not columns.get("error")
    next_step: PendingStep = {}
    if is_applied and product_import.detected.get("pictures"):
        next_step = pending | {"step": PICTURES, "at": timezone.now().isoformat()}
    ProductImport.objects.filter(pk=product_import.pk, pending_step=pending).update(
        pending_step=next_step, **columns
    )


def _step_refusal(import_id: int, step: str) -> str:
    """Say why a step cannot be requested now."""
    product_import = ProductImport.objects.get(pk=import_id)
    if product_import.pending_step:
        return _("This was already requested. The page shows the progress.")
    if product_import.state in STEP_STATES[step][0]:
        return _("The file was checked again in the meantime. Review its rows once more.")
    return str(STATE_ERRORS[State(product_import.state)])


def _upload_size(import_id: int) -> int:
    sizes = ImportFile.objects.filter(pk=import_id).annotate(size=Length("content"))
    return sizes.values_list("size", flat=True).get()
