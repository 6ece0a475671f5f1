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

from shop.exchange import applying, checking, pictures, undoing
from shop.exchange.states import SAYS, State, is_stuck
from shop.models import Import, ImportFile, User
from shop.services.errors import ImportNotReady, Overtaken, ShopError

#: Bytes of an upload that is worked on while the page waits: a second or two.
SMALL = 300_000
#: After so long without a worker, the page offers to do it by itself.
PATIENCE = timedelta(seconds=10)
ODD = "Something went wrong here, and nothing was changed. Try it again."
CHECK, APPLY, UNDO, PICTURES = "check", "apply", "undo", "pictures"
#: Step → the states that it can be asked for in, and the one that it ends in.
STATES: dict[str, tuple[tuple[State, ...], State]] = {
    CHECK: (checking.FREE, State.CHECKED),
    APPLY: ((State.CHECKED,), State.APPLIED),
    UNDO: ((State.APPLIED,), State.UNDONE),
    PICTURES: ((State.APPLIED,), State.APPLIED),
}

type Asked = dict[str, Any]


def ask(
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
    asked = {"step": step, "actor": actor.pk, "good_only": good_only, "at": timezone.now().isoformat()}
    ready = Import.objects.filter(pk=import_id, state__in=STATES[step][0], asked={})
    if seen is not None:
        ready = ready.filter(checked_at=seen)
    chosen = {} if options is None else {"options": options}
    if not ready.update(asked=asked, error="", **chosen):
        raise ImportNotReady(_why_not(import_id, step))
    if at_once or _size(import_id) <= SMALL:
        carry_out(import_id)
    else:
        carry_out_later.enqueue(import_id)


@task
def carry_out_later(import_id: int) -> None:
    """For a worker."""
    carry_out(import_id)


def carry_out(import_id: int) -> None:
    """Do what an import was asked for, unless somebody is at it or has done it."""
    import_ = Import.objects.get(pk=import_id)
    while asked := import_.asked:
        step = asked["step"]
        try:
            DO[step](import_, User.objects.get(pk=asked["actor"]), asked)
        except Overtaken:
            return
        except ShopError as error:
            import_.refresh_from_db()
            if import_.state in Import.AT_WORK:
                return
            is_done = isinstance(error, ImportNotReady) and import_.state == STATES[step][1]
            _settle(import_, asked, error="" if is_done else str(error))
        except Exception:
            import_.refresh_from_db()
            _settle(import_, asked, error=ODD)
            raise
        else:
            _settle(import_, asked)
        import_.refresh_from_db()


def is_waiting(import_: Import) -> bool:
    """Whether a step was asked for and nobody has taken it up."""
    return bool(import_.asked) and import_.state not in Import.AT_WORK


def is_forgotten(import_: Import) -> bool:
    """Whether nobody seems to be at it: no worker is running, or it was killed."""
    if not is_waiting(import_):
        return is_stuck(import_)
    asked_at = datetime.fromisoformat(import_.asked["at"])
    last_sign = max(asked_at, import_.beat_at or asked_at)
    return last_sign < timezone.now() - PATIENCE


def _check(import_: Import, _: User, __: Asked) -> None:
    checking.check(import_)
    if import_.state == State.CHECKED:
        pictures.look(import_)


def _apply(import_: Import, actor: User, asked: Asked) -> None:
    applying.apply(import_.pk, actor=actor, good_only=asked["good_only"])


def _undo(import_: Import, actor: User, _: Asked) -> None:
    undoing.undo(import_.pk, actor=actor)


def _draw(import_: Import, actor: User, _: Asked) -> None:
    pictures.draw(import_, actor=actor)


DO: dict[str, Callable[[Import, User, Asked], None]] = {
    CHECK: _check,
    APPLY: _apply,
    UNDO: _undo,
    PICTURES: _draw,
}


def _settle(import_: Import, asked: Asked, **columns: Any) -> None:
    """Take the wish off the row, unless it is another one by now; pictures come after what was applied."""
    is_applied = asked["step"] == APPLY and not columns.get("error")
    has_pictures = is_applied and import_.found.get("pictures")
    left = asked | {"step": PICTURES, "at": timezone.now().isoformat()} if has_pictures else {}
    Import.objects.filter(pk=import_.pk, asked=asked).update(asked=left, **columns)


def _why_not(import_id: int, step: str) -> str:
    import_ = Import.objects.get(pk=import_id)
    if import_.asked:
        return "This was asked for already. The page shows how far it is."
    if import_.state in STATES[step][0]:
        return "The file was checked again since. Look at its rows once more."
    return SAYS[State(import_.state)]


def _size(import_id: int) -> int:
    sizes = ImportFile.objects.filter(pk=import_id).annotate(size=Length("content"))
    return sizes.values_list("size", flat=True).get()
