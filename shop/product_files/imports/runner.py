"""Who does the next step of an import: the one who asks where the file is small, else a worker.

What was asked for stands in the import's own row. The message to the worker says no more than which import,
so that one that is lost, or whose worker was killed, costs nothing: the next who calls `carry_out` does it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Length
from django.tasks import task
from django.utils import timezone

from shop.models import ImportFile, ProductImport, User
from shop.product_files.imports import apply, pictures, preview, undo
from shop.product_files.imports.locking import STATE_ERRORS, State, is_stalled
from shop.services.errors import ConcurrentUpdate, ImportNotReady, ShopError

#: Bytes of an upload that is worked on while the page waits: a second or two.
SMALL = 300_000
#: After so long without a worker, the page offers to do it by itself.
PATIENCE = timedelta(seconds=10)
ODD = "Something went wrong here, and nothing was changed. Try it again."
CHECK, APPLY, UNDO, PICTURES = "check", "apply", "undo", "pictures"
#: Step → the states that it can be asked for in, and the one that it ends in.
STATES: dict[str, tuple[tuple[State, ...], State]] = {
    CHECK: (preview.FREE, State.CHECKED),
    APPLY: ((State.CHECKED,), State.APPLIED),
    UNDO: ((State.APPLIED,), State.UNDONE),
    PICTURES: ((State.APPLIED,), State.APPLIED),
}

type Asked = dict[str, Any]


def request_step(
    import_id: int,
    step: str,
    *,
    actor: User,
    good_only: bool = False,
    seen: datetime | None = None,
    options: dict[str, Any] | None = None,
    at_once: bool = False,
) -> None:
    """Have a step done: now where the file is small or `at_once`, else by a worker.

    `seen` is the check whose preview somebody agreed to, `options` how the file is to be read. What comes of
    it, a refusal too, stands in the import. Raises ImportNotReady when it cannot take this step now, or was
    asked for something already.
    """
    asked = {
        "step": step,
        "actor": actor.pk,
        "good_only": good_only,
        "at": timezone.now().isoformat(),
    }
    ready = ProductImport.objects.filter(pk=import_id, state__in=STATES[step][0], asked={})
    if seen is not None:
        ready = ready.filter(checked_at=seen)
    chosen = {} if options is None else {"options": options}
    if not ready.update(asked=asked, error="", **chosen):
        raise ImportNotReady(_why_not(import_id, step))
    if at_once or _size(import_id) <= SMALL:
        run_pending_steps(import_id)
    else:
        run_in_worker.enqueue(import_id)


@task
def run_in_worker(import_id: int) -> None:
    """For a worker."""
    run_pending_steps(import_id)


def run_pending_steps(import_id: int) -> None:
    """Do what an import was asked for, unless somebody is at it or has done it."""
    product_import = ProductImport.objects.get(pk=import_id)
    while asked := product_import.asked:
        step = asked["step"]
        try:
            DO[step](product_import, User.objects.get(pk=asked["actor"]), asked)
        except ConcurrentUpdate:
            return
        except ShopError as error:
            product_import.refresh_from_db()
            if product_import.state in ProductImport.IN_PROGRESS:
                return
            is_done = isinstance(error, ImportNotReady) and product_import.state == STATES[step][1]
            _settle(product_import, asked, error="" if is_done else str(error))
        except Exception:
            product_import.refresh_from_db()
            _settle(product_import, asked, error=ODD)
            raise
        else:
            _settle(product_import, asked)
        product_import.refresh_from_db()


def is_pending(product_import: ProductImport) -> bool:
    """Whether a step was asked for and nobody has taken it up."""
    return bool(product_import.asked) and product_import.state not in ProductImport.IN_PROGRESS


def is_abandoned(product_import: ProductImport) -> bool:
    """Whether nobody seems to be at it: no worker is running, or it was killed."""
    if not is_pending(product_import):
        return is_stalled(product_import)
    asked_at = datetime.fromisoformat(product_import.asked["at"])
    last_sign = max(asked_at, product_import.heartbeat_at or asked_at)
    return last_sign < timezone.now() - PATIENCE


def _check(product_import: ProductImport, _: User, __: Asked) -> None:
    preview.preview_import(product_import)
    if product_import.state == State.CHECKED:
        pictures.match_pictures(product_import)


def _apply(product_import: ProductImport, actor: User, asked: Asked) -> None:
    apply.apply_import(product_import.pk, actor=actor, good_only=asked["good_only"])


def _undo(product_import: ProductImport, actor: User, _: Asked) -> None:
    undo.undo_import(product_import.pk, actor=actor)


def _draw(product_import: ProductImport, actor: User, _: Asked) -> None:
    pictures.store_pictures(product_import, actor=actor)


DO: dict[str, Callable[[ProductImport, User, Asked], None]] = {
    CHECK: _check,
    APPLY: _apply,
    UNDO: _undo,
    PICTURES: _draw,
}


def _settle(product_import: ProductImport, asked: Asked, **columns: Any) -> None:
    """Take the wish off the row, unless it is another one by now; pictures come after what was applied."""
    is_applied = asked["step"] == APPLY and not columns.get("error")
    has_pictures = is_applied and product_import.found.get("pictures")
    left = asked | {"step": PICTURES, "at": timezone.now().isoformat()} if has_pictures else {}
    ProductImport.objects.filter(pk=product_import.pk, asked=asked).update(asked=left, **columns)


def _why_not(import_id: int, step: str) -> str:
    product_import = ProductImport.objects.get(pk=import_id)
    if product_import.asked:
        return "This was asked for already. The page shows how far it is."
    if product_import.state in STATES[step][0]:
        return "The file was checked again since. Look at its rows once more."
    return STATE_ERRORS[State(product_import.state)]


def _size(import_id: int) -> int:
    sizes = ImportFile.objects.filter(pk=import_id).annotate(size=Length("content"))
    return sizes.values_list("size", flat=True).get()
