"""Who does an import's step, and that it is done once whatever happens to them."""

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from support.import_runs import ada, catalogue, checked, text_of

from shop.models import ProductImport
from shop.product_files.imports import apply, runner
from shop.product_files.imports.preview import store_upload
from shop.services.errors import ImportNotReady

pytestmark = pytest.mark.usefixtures("ada")
VASE = text_of(["VASE", "Vase", "30", "4", ""])


@pytest.fixture
def worker(settings, monkeypatch):
    """Every file is a worker's, and this is it: does what waits."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    monkeypatch.setattr(runner, "SMALL", 0)

    def work_off():
        for result in DBTaskResult.objects.ready():
            result.task.call(*result.args_kwargs["args"], **result.args_kwargs["kwargs"])

    return work_off


def uploaded(text=VASE):
    return store_upload(actor=ada(), name="spring.csv", content=text.encode())


def now(product_import):
    product_import.refresh_from_db()
    return product_import.state, product_import.asked, product_import.error


def test_a_small_file_is_done_at_once():
    product_import = uploaded()
    runner.request_step(product_import.pk, runner.CHECK, actor=ada())
    assert now(product_import) == ("checked", {}, "")
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    assert now(product_import) == ("applied", {}, "")
    runner.request_step(product_import.pk, runner.UNDO, actor=ada())
    assert (now(product_import), catalogue()) == (("undone", {}, ""), {})


def test_a_large_one_waits_for_a_worker(worker):
    product_import = uploaded()
    runner.request_step(product_import.pk, runner.CHECK, actor=ada())
    assert (
        now(product_import)[0],
        product_import.asked["step"],
        runner.is_pending(product_import),
    ) == ("uploaded", "check", True)
    worker()
    assert now(product_import) == ("checked", {}, "")
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    worker()
    worker()
    assert (now(product_import), list(catalogue())) == (("applied", {}, ""), ["VASE"])


def test_what_was_asked_for_is_not_asked_for_again(worker):
    product_import = uploaded()
    runner.request_step(product_import.pk, runner.CHECK, actor=ada())
    with pytest.raises(ImportNotReady, match="asked for already"):
        runner.request_step(product_import.pk, runner.CHECK, actor=ada())
    assert DBTaskResult.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "step", "said"),
    [
        ("uploaded", runner.APPLY, "not been checked yet"),
        ("applied", runner.CHECK, "applied already"),
        ("undone", runner.UNDO, "taken back already"),
        ("checked", runner.UNDO, "not been applied"),
    ],
)
def test_each_step_has_its_states(state, step, said):
    product_import = uploaded()
    ProductImport.objects.update(state=state)
    with pytest.raises(ImportNotReady, match=said):
        runner.request_step(product_import.pk, step, actor=ada())
    assert now(product_import) == (state, {}, "")


def test_only_the_check_that_was_seen_is_applied():
    product_import = checked(VASE)
    with pytest.raises(ImportNotReady, match="checked again since"):
        runner.request_step(product_import.pk, runner.APPLY, actor=ada(), seen=timezone.now())
    assert (now(product_import), catalogue()) == (("checked", {}, ""), {})


def test_a_refusal_is_kept_for_the_page():
    product_import = checked(text_of(["VASE", "Vase", "cheap", "4", ""]))
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    state, asked, error = now(product_import)
    assert (state, asked) == ("checked", {})
    assert "wrong" in error


def test_what_nobody_expected_is_said_and_raised(monkeypatch):
    def crash(*_, **__):
        raise ZeroDivisionError

    product_import = checked(VASE)
    monkeypatch.setattr(apply, "apply_import", crash)
    with pytest.raises(ZeroDivisionError):
        runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    assert now(product_import) == ("checked", {}, runner.ODD)


def test_a_worker_killed_after_its_work_leaves_nothing_to_do(worker):
    product_import = checked(VASE)
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    apply.apply_import(product_import.pk, actor=ada())
    worker()
    assert (now(product_import), len(catalogue())) == (("applied", {}, ""), 1)


def test_who_comes_while_another_is_at_it_leaves_it_alone(worker):
    product_import = checked(VASE)
    runner.request_step(product_import.pk, runner.APPLY, actor=ada())
    ProductImport.objects.update(state="applying", heartbeat_at=timezone.now())
    worker()
    state, asked, error = now(product_import)
    assert (state, asked["step"], error, catalogue()) == ("applying", "apply", "", {})
