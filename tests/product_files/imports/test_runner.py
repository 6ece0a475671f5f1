"""Running an import's steps: in the request or in a worker, and only once."""

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from support.import_runs import ada, catalogue, create_preview, csv_text, upload_text

from shop.models import ChangeSet
from shop.product_files.imports import runner
from shop.services.change_sets import apply
from shop.services.change_sets.locking import STATE_ERRORS
from shop.services.errors import ImportNotReady

pytestmark = pytest.mark.usefixtures("ada")
VASE = csv_text(["VASE", "Vase", "30", "4", ""])


@pytest.fixture
def worker(settings, monkeypatch):
    """Send every file to the worker; `worker()` runs its tasks."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    monkeypatch.setattr(runner, "MAX_INLINE_BYTES", 0)

    def work_off():
        for result in DBTaskResult.objects.ready():
            result.task.call(*result.args_kwargs["args"], **result.args_kwargs["kwargs"])

    return work_off


def current(change_set):
    change_set.refresh_from_db()
    return change_set.state, change_set.pending_step, change_set.error


def test_small_file_runs_in_the_request():
    change_set = upload_text(VASE)
    runner.request_step(change_set.pk, runner.PREVIEW, actor=ada())
    assert current(change_set) == ("checked", {}, "")
    runner.request_step(change_set.pk, runner.APPLY, actor=ada())
    assert current(change_set) == ("applied", {}, "")
    runner.request_step(change_set.pk, runner.UNDO, actor=ada())
    assert (current(change_set), catalogue()) == (("undone", {}, ""), {})


def test_large_file_waits_for_a_worker(worker):
    change_set = upload_text(VASE)
    runner.request_step(change_set.pk, runner.PREVIEW, actor=ada())
    assert (
        current(change_set)[0],
        change_set.pending_step["step"],
        runner.is_waiting(change_set),
    ) == ("uploaded", "preview", True)
    worker()
    assert current(change_set) == ("checked", {}, "")
    runner.request_step(change_set.pk, runner.APPLY, actor=ada())
    worker()
    worker()
    assert (current(change_set), list(catalogue())) == (("applied", {}, ""), ["VASE"])


def test_pending_step_is_not_requested_again(worker):
    change_set = upload_text(VASE)
    runner.request_step(change_set.pk, runner.PREVIEW, actor=ada())
    with pytest.raises(ImportNotReady, match="already requested"):
        runner.request_step(change_set.pk, runner.PREVIEW, actor=ada())
    assert DBTaskResult.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("uploaded", runner.APPLY),
        ("applied", runner.PREVIEW),
        ("undone", runner.UNDO),
        ("checked", runner.UNDO),
    ],
)
def test_step_is_refused_in_another_state(state, step):
    change_set = upload_text(VASE)
    ChangeSet.objects.update(state=state)
    with pytest.raises(ImportNotReady) as refusal:
        runner.request_step(change_set.pk, step, actor=ada())
    assert str(refusal.value) == str(STATE_ERRORS[state])
    assert current(change_set) == (state, {}, "")


def test_only_the_reviewed_preview_is_applied():
    change_set = create_preview(VASE)
    with pytest.raises(ImportNotReady, match="checked again in the meantime"):
        runner.request_step(change_set.pk, runner.APPLY, actor=ada(), seen=timezone.now())
    assert (current(change_set), catalogue()) == (("checked", {}, ""), {})


def test_error_of_a_step_is_stored():
    change_set = create_preview(csv_text(["VASE", "Vase", "cheap", "4", ""]))
    runner.request_step(change_set.pk, runner.APPLY, actor=ada())
    state, pending, error = current(change_set)
    assert (state, pending) == ("checked", {})
    assert error


def test_unexpected_error_is_stored_and_raised(monkeypatch):
    def crash(*_, **__):
        raise ZeroDivisionError

    change_set = create_preview(VASE)
    monkeypatch.setattr(apply, "apply_change_set", crash)
    with pytest.raises(ZeroDivisionError):
        runner.request_step(change_set.pk, runner.APPLY, actor=ada())
    state, pending, error = current(change_set)
    assert (state, pending, bool(error)) == ("checked", {}, True)


def test_step_finished_by_a_killed_worker_is_not_repeated(worker):
    change_set = create_preview(VASE)
    runner.request_step(change_set.pk, runner.APPLY, actor=ada())
    apply.apply_change_set(change_set.pk, actor=ada())
    worker()
    assert (current(change_set), len(catalogue())) == (("applied", {}, ""), 1)


def test_running_step_is_left_alone(worker):
    change_set = create_preview(VASE)
    runner.request_step(change_set.pk, runner.APPLY, actor=ada())
    ChangeSet.objects.update(state="applying", heartbeat_at=timezone.now())
    worker()
    state, pending, error = current(change_set)
    assert (state, pending["step"], error, catalogue()) == ("applying", "apply", "", {})
