"""Running an import's steps: in the request or in a worker, and only once."""

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from support.import_runs import ada, catalogue, create_preview, csv_text, upload_text

from shop.models import ProductImport
from shop.product_files.imports import apply, runner
from shop.product_files.imports.locking import STATE_ERRORS
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


def current(product_import):
    product_import.refresh_from_db()
    return product_import.state, product_import.pending_step, product_import.error


def test_small_file_runs_in_the_request():
    product_import = upload_text(VASE)
    runner.request_step(product_import.pk, runner.PREVIEW, actor=ada())
    assert current(product_import) == ("checked", {}, "")
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    assert current(product_import) == ("applied", {}, "")
    runner.request_step(product_import.pk, runner.UNDO, actor=ada())
    assert (current(product_import), catalogue()) == (("undone", {}, ""), {})


def test_large_file_waits_for_a_worker(worker):
    product_import = upload_text(VASE)
    runner.request_step(product_import.pk, runner.PREVIEW, actor=ada())
    assert (
        current(product_import)[0],
        product_import.pending_step["step"],
        runner.is_waiting(product_import),
    ) == ("uploaded", "preview", True)
    worker()
    assert current(product_import) == ("checked", {}, "")
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    worker()
    worker()
    assert (current(product_import), list(catalogue())) == (("applied", {}, ""), ["VASE"])


def test_pending_step_is_not_requested_again(worker):
    product_import = upload_text(VASE)
    runner.request_step(product_import.pk, runner.PREVIEW, actor=ada())
    with pytest.raises(ImportNotReady, match="already requested"):
        runner.request_step(product_import.pk, runner.PREVIEW, actor=ada())
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
    product_import = upload_text(VASE)
    ProductImport.objects.update(state=state)
    with pytest.raises(ImportNotReady) as refusal:
        runner.request_step(product_import.pk, step, actor=ada())
    assert str(refusal.value) == str(STATE_ERRORS[state])
    assert current(product_import) == (state, {}, "")


def test_only_the_reviewed_preview_is_applied():
    product_import = create_preview(VASE)
    with pytest.raises(ImportNotReady, match="checked again in the meantime"):
        runner.request_step(product_import.pk, runner.APPLY, actor=ada(), seen=timezone.now())
    assert (current(product_import), catalogue()) == (("checked", {}, ""), {})


def test_error_of_a_step_is_stored():
    product_import = create_preview(csv_text(["VASE", "Vase", "cheap", "4", ""]))
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    state, pending, error = current(product_import)
    assert (state, pending) == ("checked", {})
    assert error


def test_unexpected_error_is_stored_and_raised(monkeypatch):
    def crash(*_, **__):
        raise ZeroDivisionError

    product_import = create_preview(VASE)
    monkeypatch.setattr(apply, "apply_import", crash)
    with pytest.raises(ZeroDivisionError):
        runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    state, pending, error = current(product_import)
    assert (state, pending, bool(error)) == ("checked", {}, True)


def test_step_finished_by_a_killed_worker_is_not_repeated(worker):
    product_import = create_preview(VASE)
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    apply.apply_import(product_import.pk, actor=ada())
    worker()
    assert (current(product_import), len(catalogue())) == (("applied", {}, ""), 1)


def test_running_step_is_left_alone(worker):
    product_import = create_preview(VASE)
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    ProductImport.objects.update(state="applying", heartbeat_at=timezone.now())
    worker()
    state, pending, error = current(product_import)
    assert (state, pending["step"], error, catalogue()) == ("applying", "apply", "", {})
