"""Who does an import's step, and that it is done once whatever happens to them."""

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from importing import ada, catalogue, checked, text_of

from shop.exchange import applying, work
from shop.exchange.checking import upload
from shop.models import Import
from shop.services.errors import ImportNotReady

pytestmark = pytest.mark.usefixtures("ada")
VASE = text_of(["VASE", "Vase", "30", "4", ""])


@pytest.fixture
def worker(settings, monkeypatch):
    """Every file is a worker's, and this is it: does what waits."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    monkeypatch.setattr(work, "SMALL", 0)

    def work_off():
        for result in DBTaskResult.objects.ready():
            result.task.call(*result.args_kwargs["args"], **result.args_kwargs["kwargs"])

    return work_off


def uploaded(text=VASE):
    return upload(actor=ada(), name="spring.csv", content=text.encode())


def now(import_):
    import_.refresh_from_db()
    return import_.state, import_.asked, import_.error


def test_a_small_file_is_done_at_once():
    import_ = uploaded()
    work.ask(import_.pk, work.CHECK, actor=ada())
    assert now(import_) == ("checked", {}, "")
    work.ask(import_.pk, work.APPLY, actor=ada())
    assert now(import_) == ("applied", {}, "")
    work.ask(import_.pk, work.UNDO, actor=ada())
    assert (now(import_), catalogue()) == (("undone", {}, ""), {})


def test_a_large_one_waits_for_a_worker(worker):
    import_ = uploaded()
    work.ask(import_.pk, work.CHECK, actor=ada())
    assert (now(import_)[0], import_.asked["step"], work.is_waiting(import_)) == ("uploaded", "check", True)
    worker()
    assert now(import_) == ("checked", {}, "")
    work.ask(import_.pk, work.APPLY, actor=ada())
    worker()
    worker()
    assert (now(import_), list(catalogue())) == (("applied", {}, ""), ["VASE"])


def test_what_was_asked_for_is_not_asked_for_again(worker):
    import_ = uploaded()
    work.ask(import_.pk, work.CHECK, actor=ada())
    with pytest.raises(ImportNotReady, match="asked for already"):
        work.ask(import_.pk, work.CHECK, actor=ada())
    assert DBTaskResult.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "step", "said"),
    [
        ("uploaded", work.APPLY, "not been checked yet"),
        ("applied", work.CHECK, "applied already"),
        ("undone", work.UNDO, "taken back already"),
        ("checked", work.UNDO, "not been applied"),
    ],
)
def test_each_step_has_its_states(state, step, said):
    import_ = uploaded()
    Import.objects.update(state=state)
    with pytest.raises(ImportNotReady, match=said):
        work.ask(import_.pk, step, actor=ada())
    assert now(import_) == (state, {}, "")


def test_only_the_check_that_was_seen_is_applied():
    import_ = checked(VASE)
    with pytest.raises(ImportNotReady, match="checked again since"):
        work.ask(import_.pk, work.APPLY, actor=ada(), seen=timezone.now())
    assert (now(import_), catalogue()) == (("checked", {}, ""), {})


def test_a_refusal_is_kept_for_the_page():
    import_ = checked(text_of(["VASE", "Vase", "cheap", "4", ""]))
    work.ask(import_.pk, work.APPLY, actor=ada())
    state, asked, error = now(import_)
    assert (state, asked) == ("checked", {})
    assert "wrong" in error


def test_what_nobody_expected_is_said_and_raised(monkeypatch):
    def crash(*_, **__):
        raise ZeroDivisionError

    import_ = checked(VASE)
    monkeypatch.setattr(applying, "apply", crash)
    with pytest.raises(ZeroDivisionError):
        work.ask(import_.pk, work.APPLY, actor=ada())
    assert now(import_) == ("checked", {}, work.ODD)


def test_a_worker_killed_after_its_work_leaves_nothing_to_do(worker):
    import_ = checked(VASE)
    work.ask(import_.pk, work.APPLY, actor=ada())
    applying.apply(import_.pk, actor=ada())
    worker()
    assert (now(import_), len(catalogue())) == (("applied", {}, ""), 1)


def test_who_comes_while_another_is_at_it_leaves_it_alone(worker):
    import_ = checked(VASE)
    work.ask(import_.pk, work.APPLY, actor=ada())
    Import.objects.update(state="applying", beat_at=timezone.now())
    worker()
    state, asked, error = now(import_)
    assert (state, asked["step"], error, catalogue()) == ("applying", "apply", "", {})
