"""The import pages: size, query counts, missing workers, pictures and samples."""

import html
import io
import re
import zipfile
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from support import factories
from support.import_client import (
    IMPORTS,
    PRICES_AFTER,
    PRICES_BEFORE,
    VALID_FILE,
    apply,
    latest_import,
    prices,
    step_url,
    undo,
    upload,
)

from shop.models import ChangeSet, Product
from shop.product_files.imports import runner
from shop.services.change_sets.locking import STATE_ERRORS
from shop.services.change_sets.retention import CHANGE_SET_RETENTION, purge_change_sets


@pytest.fixture(autouse=True)
def products(mug, lamp):
    """The products that the files change."""


def file_of(count):
    rows = (f"N-{n},Thing {n},{n % 90 + 1},3,{'w' * 3000}" for n in range(count))
    return "\n".join(["sku,name,price,stock,description", *rows])


@pytest.mark.parametrize("count", [1, 3, 300])
def test_query_count_of_the_page_does_not_grow(adas_browser, statements, count):
    upload(adas_browser, file_of(count))
    page = step_url("change")
    with statements(5):
        answer = adas_browser.get(page)
    assert len(list(answer.context["rows"].page)) == min(count, 50)
    assert len(answer.content) < 500_000


@pytest.mark.parametrize("count", [1, 3])
def test_query_count_of_the_list_does_not_grow(adas_browser, statements, count):
    for _ in range(count):
        upload(adas_browser, VALID_FILE)
    with statements(4):
        answer = adas_browser.get(IMPORTS)
    assert len(answer.context["cl"].result_list) == count


def test_rows_are_paged_and_searched(adas_browser):
    upload(adas_browser, file_of(120))
    last = adas_browser.get(f"{step_url('change')}?show=new&page=3").context["rows"]
    assert [row.sku for row in last.page] == [f"N-{n}" for n in range(100, 120)]
    matches = adas_browser.get(f"{step_url('change')}?show=new&q=thing 11").context["rows"]
    assert [row.sku for row in matches.page] == ["N-11", *(f"N-{n}" for n in range(110, 120))]
    for odd in ("?page=x", "?page=999", "?show=nothing", "?q=%00"):
        assert adas_browser.get(f"{step_url('change')}{odd}").status_code == 200


@pytest.fixture
def no_worker(settings, monkeypatch):
    """Send every file to the worker, which is not running."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    monkeypatch.setattr(runner, "MAX_INLINE_BYTES", 0)


def an_hour_later(change_set):
    earlier = timezone.now() - timedelta(hours=1)
    pending = change_set.pending_step and change_set.pending_step | {"at": earlier.isoformat()}
    ChangeSet.objects.filter(pk=change_set.pk).update(pending_step=pending, heartbeat_at=earlier)


def test_page_offers_to_run_the_step_without_a_worker(adas_browser, no_worker):
    page = upload(adas_browser, VALID_FILE)
    assert (page.context["is_busy"], page.context["is_abandoned"]) == (True, False)
    adas_browser.post(step_url("run-now"))
    assert latest_import().state == "uploaded"
    an_hour_later(latest_import())
    assert b"Run now" in adas_browser.get(step_url("change")).content
    assert adas_browser.post(step_url("run-now"), follow=True).context["apply"]["row_count"] == 2
    again = apply(adas_browser)
    assert again.context["progress_label"] == "Applying the changes"
    assert factories.page_messages(apply(adas_browser))[0].startswith("This was already requested.")
    an_hour_later(latest_import())
    adas_browser.post(step_url("run-now"))
    assert (prices(), latest_import().pending_step) == (PRICES_AFTER, {})


@pytest.mark.parametrize("state", ["checking", "applying"])
def test_stalled_step_is_started_again(adas_browser, no_worker, state):
    upload(adas_browser, VALID_FILE)
    runner.run_pending_steps(latest_import().pk)
    step = {"checking": "preview", "applying": "apply"}[state]
    adas_browser.post(
        step_url(step), {"seen": latest_import().checked_at.isoformat(), "blank_cells": "keep"}
    )
    ChangeSet.objects.update(state=state, heartbeat_at=timezone.now())
    adas_browser.post(step_url("run-now"))
    assert (latest_import().state, prices()) == (state, PRICES_BEFORE)
    an_hour_later(latest_import())
    assert b"Start again" in adas_browser.get(step_url("change")).content
    adas_browser.post(step_url("run-now"))
    assert latest_import().state == {"checking": "checked", "applying": "applied"}[state]
    assert prices() == (PRICES_BEFORE if state == "checking" else PRICES_AFTER)


def test_sample_file_can_be_imported(adas_browser):
    sample = adas_browser.get(f"{IMPORTS}sample.csv")
    assert "sample" in sample["Content-Disposition"]
    page = upload(adas_browser, sample.content)
    assert page.context["change_set"].counts["new"] == 1
    apply(adas_browser)
    example = Product.objects.get(sku="EXAMPLE-1")
    assert (example.price, example.stock, example.is_active) == (Decimal("12.50"), 10, True)


def test_pictures_are_packed_with_the_file(adas_browser):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("MUG-1.png", b"not a picture")
    pictures = SimpleUploadedFile("pictures.zip", archive.getvalue())
    page = upload(adas_browser, VALID_FILE, pictures=pictures)
    assert (page.context["change_set"].state, page.context["change_set"].detected["pictures"]) == (
        "checked",
        1,
    )
    done = apply(adas_browser)
    assert done.context["change_set"].warnings == [
        "Picture “mug-1”: This image can't be read. Choose a JPEG, PNG or WebP file."
    ]
    assert prices() == PRICES_AFTER


def test_pictures_must_be_a_zip(adas_browser):
    answer = upload(adas_browser, VALID_FILE, pictures=SimpleUploadedFile("a.zip", b"nothing"))
    assert list(answer.context["form"].errors) == ["pictures"]
    assert not ChangeSet.objects.exists()


def test_urls_of_remote_pictures_can_be_downloaded(adas_browser):
    upload(adas_browser, "sku,name,picture\nMUG-1,Mug,https://cdn.example.com/mug.jpg\n")
    assert len(latest_import().warnings) == 1
    listed = adas_browser.get(step_url("picture-urls"))
    assert listed.content == b"MUG-1\thttps://cdn.example.com/mug.jpg\r\n"


def test_page_links_to_the_stock_movements(adas_browser):
    upload(adas_browser, VALID_FILE)
    apply(adas_browser)
    page = adas_browser.get(step_url("change")).content.decode()
    [link] = re.findall(r'href="(/admin/shop/stockmovement/\?[^"]*)"', page)
    movements = adas_browser.get(link).context["cl"].result_list
    assert [str(movement.product) for movement in movements] == ["Vase"]


def test_very_long_value_is_complete_in_a_search(adas_browser):
    text = "w" * 19_000
    upload(
        adas_browser,
        "\n".join(["sku,name,price,description", *(f"N-{n},T,1,{text}" for n in range(60))]),
    )
    page = f"{step_url('change')}?show=new"
    answer = adas_browser.get(page)
    assert len(answer.content) < 500_000
    assert b"15,000 characters more: search for this row to see them" in answer.content
    assert text.encode() in adas_browser.get(f"{page}&q=N-17").content


def test_closed_import_cannot_be_undone(adas_browser):
    upload(adas_browser, VALID_FILE)
    apply(adas_browser)
    ChangeSet.objects.update(
        created_at=timezone.now() - CHANGE_SET_RETENTION,
        heartbeat_at=timezone.now() - CHANGE_SET_RETENTION,
    )
    purge_change_sets()
    answer = adas_browser.get(step_url("change"))
    assert str(STATE_ERRORS["closed"]) in html.unescape(answer.content.decode())
    assert step_url("undo") not in answer.content.decode()
    answer = adas_browser.post(step_url("undo"), follow=True)
    assert factories.page_messages(answer) == [STATE_ERRORS["closed"]]


def test_purge_deletes_old_imports_that_were_not_applied(adas_browser):
    upload(adas_browser, VALID_FILE)
    now = timezone.now()
    ChangeSet.objects.update(created_at=now - CHANGE_SET_RETENTION, heartbeat_at=now)
    assert (purge_change_sets(), ChangeSet.objects.count()) == (0, 1)
    ChangeSet.objects.update(heartbeat_at=timezone.now() - CHANGE_SET_RETENTION)
    assert (purge_change_sets(), ChangeSet.objects.count()) == (1, 0)


def remove_field_from(change_set):
    """Let the import have a field and a model that the project doesn't have any more."""
    detected = change_set.detected
    entry = {"model": "shop.gone", "name": "Acme", "key": 1, "hash": "", "used": True}
    detected["columns"]["gone"] = detected["columns"].pop("price")
    detected["changed_fields"].append("gone")
    detected |= {"missing": [entry], "created": [entry]}
    change_set.save()
    for row in change_set.rows.exclude(after={}):
        row.after["gone"], row.before["gone"] = "new:0", 1
        row.save()


@pytest.mark.parametrize("state", ["checked", "applied", "undone"])
def test_an_import_outlives_the_fields_that_it_has_set(adas_browser, state):
    upload(adas_browser, VALID_FILE)
    if state != "checked":
        apply(adas_browser)
    remove_field_from(latest_import())
    if state == "undone":
        undo(adas_browser)
        assert prices() == PRICES_BEFORE
    assert latest_import().state == state
    for tab in ("new", "changed", "unchanged"):
        answer = adas_browser.get(f"{step_url('change')}?show={tab}")
        assert answer.status_code == 200
        assert len(list(answer.context["rows"].page_rows())) == 1
    assert adas_browser.get(step_url("error-report")).status_code == 200
    assert adas_browser.get(IMPORTS).status_code == 200


def test_a_checked_import_with_a_removed_field_is_applied(adas_browser):
    upload(adas_browser, VALID_FILE)
    remove_field_from(latest_import())
    apply(adas_browser)
    assert (latest_import().state, prices()) == ("applied", PRICES_AFTER)
