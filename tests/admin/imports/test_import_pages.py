"""The pages of product files: their size and cost, work without a worker, pictures, samples."""

import io
import zipfile
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from support import factories
from support.import_client import AFTER, BEFORE, GOOD, LIST, apply, latest, prices, step_url, upload

from shop.models import Product, ProductImport
from shop.product_files.imports import runner
from shop.services.import_retention import KEPT_FOR, purge_imports


@pytest.fixture(autouse=True)
def shelf(mug, lamp):
    """What the files are about."""


def many(count):
    rows = (f"N-{n},Thing {n},{n % 90 + 1},3,{'w' * 3000}" for n in range(count))
    return "\n".join(["sku,name,price,stock,description", *rows])


@pytest.mark.parametrize("count", [1, 3, 300])
def test_a_page_costs_the_same_whatever_the_file(adas_browser, statements, count):
    upload(adas_browser, many(count))
    page = step_url("change")
    with statements(4):
        answer = adas_browser.get(page)
    assert len(list(answer.context["rows"].page)) == min(count, 50)
    assert len(answer.content) < 500_000


@pytest.mark.parametrize("count", [1, 3])
def test_the_history_costs_the_same_however_long(adas_browser, statements, count):
    for _ in range(count):
        upload(adas_browser, GOOD)
    with statements(3):
        answer = adas_browser.get(LIST)
    assert len(answer.context["cl"].result_list) == count


def test_rows_are_paged_and_searched(adas_browser):
    upload(adas_browser, many(120))
    last = adas_browser.get(f"{step_url('change')}?show=new&page=3").context["rows"]
    assert [row.sku for row in last.page] == [f"N-{n}" for n in range(100, 120)]
    found = adas_browser.get(f"{step_url('change')}?show=new&q=thing 11").context["rows"]
    assert [row.sku for row in found.page] == ["N-11", *(f"N-{n}" for n in range(110, 120))]
    for odd in ("?page=x", "?page=999", "?show=nothing", "?q=%00"):
        assert adas_browser.get(f"{step_url('change')}{odd}").status_code == 200


@pytest.fixture
def no_worker(settings, monkeypatch):
    """A shop whose files are too large for a page, and where nobody started the worker."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    monkeypatch.setattr(runner, "SMALL", 0)


def an_hour_later(product_import):
    earlier = timezone.now() - timedelta(hours=1)
    asked = product_import.asked and product_import.asked | {"at": earlier.isoformat()}
    ProductImport.objects.filter(pk=product_import.pk).update(asked=asked, heartbeat_at=earlier)


def test_without_a_worker_the_page_offers_to_do_it(adas_browser, no_worker):
    page = upload(adas_browser, GOOD)
    assert (page.context["is_busy"], page.context["is_forgotten"]) == (True, False)
    adas_browser.post(step_url("now"))
    assert latest().state == "uploaded"
    an_hour_later(latest())
    assert b"No worker has taken this up" in adas_browser.get(step_url("change")).content
    assert adas_browser.post(step_url("now"), follow=True).context["apply"]["good"] == 2
    again = apply(adas_browser)
    assert again.context["doing"] == "Writing to the catalogue"
    assert factories.page_messages(apply(adas_browser))[0].startswith("This was asked for already.")
    an_hour_later(latest())
    adas_browser.post(step_url("now"))
    assert (prices(), latest().asked) == (AFTER, {})


@pytest.mark.parametrize("state", ["checking", "applying"])
def test_what_a_killed_worker_left_is_started_again(adas_browser, no_worker, state):
    upload(adas_browser, GOOD)
    runner.run_pending_steps(latest().pk)
    step = {"checking": "check", "applying": "apply"}[state]
    adas_browser.post(step_url(step), {"seen": latest().checked_at.isoformat(), "blank": "keep"})
    ProductImport.objects.update(state=state, heartbeat_at=timezone.now())
    adas_browser.post(step_url("now"))
    assert (latest().state, prices()) == (state, BEFORE)
    an_hour_later(latest())
    assert b"Start again" in adas_browser.get(step_url("change")).content
    adas_browser.post(step_url("now"))
    assert latest().state == {"checking": "checked", "applying": "applied"}[state]
    assert prices() == (BEFORE if state == "checking" else AFTER)


def test_the_sample_file_is_imported_as_it_is(adas_browser):
    sample = adas_browser.get(f"{LIST}sample.csv")
    assert "sample" in sample["Content-Disposition"]
    page = upload(adas_browser, sample.content)
    assert page.context["import"].counts["new"] == 1
    apply(adas_browser)
    example = Product.objects.get(sku="EXAMPLE-1")
    assert (example.price, example.stock, example.is_active) == (Decimal("12.50"), 10, True)


def test_pictures_beside_the_file_are_packed_with_it(adas_browser):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("MUG-1.png", b"not a picture")
    pictures = SimpleUploadedFile("pictures.zip", archive.getvalue())
    page = upload(adas_browser, GOOD, pictures=pictures)
    assert (page.context["import"].state, page.context["import"].found["pictures"]) == (
        "checked",
        1,
    )
    done = apply(adas_browser)
    assert done.context["import"].warnings == [
        "Picture “mug-1”: This image can't be read. Choose a JPEG, PNG or WebP file."
    ]
    assert prices() == AFTER


def test_pictures_that_are_no_zip_are_refused(adas_browser):
    answer = upload(adas_browser, GOOD, pictures=SimpleUploadedFile("a.zip", b"nothing"))
    assert "damaged" in answer.context["form"].errors["pictures"][0]
    assert not ProductImport.objects.exists()


def test_the_addresses_of_pictures_elsewhere_can_be_downloaded(adas_browser):
    upload(adas_browser, "sku,name,picture\nMUG-1,Mug,https://cdn.example.com/mug.jpg\n")
    assert latest().warnings[0].startswith("1 row names a picture on another server.")
    listed = adas_browser.get(step_url("addresses"))
    assert listed.content == b"MUG-1\thttps://cdn.example.com/mug.jpg\r\n"


def test_the_ledger_shows_what_an_import_moved(adas_browser):
    upload(adas_browser, GOOD)
    apply(adas_browser)
    page = adas_browser.get(f"/admin/shop/stockmovement/?product_import__id__exact={latest().pk}")
    assert [str(line.product) for line in page.context["cl"].result_list] == ["Vase"]


def test_a_very_long_value_is_whole_where_its_row_is_searched(adas_browser):
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


def test_an_old_import_says_that_it_is_closed(adas_browser):
    upload(adas_browser, GOOD)
    apply(adas_browser)
    ProductImport.objects.update(
        created_at=timezone.now() - KEPT_FOR, heartbeat_at=timezone.now() - KEPT_FOR
    )
    purge_imports()
    answer = adas_browser.get(step_url("change"))
    assert b"its rows are no longer kept, so it cannot be taken back" in answer.content
    assert b"Take it back" not in answer.content
    assert factories.page_messages(adas_browser.post(step_url("undo"), follow=True))[0].endswith(
        "taken back."
    )


def test_an_old_file_that_was_never_applied_is_forgotten(adas_browser):
    upload(adas_browser, GOOD)
    ProductImport.objects.update(created_at=timezone.now() - KEPT_FOR, heartbeat_at=timezone.now())
    assert (purge_imports(), ProductImport.objects.count()) == (0, 1)
    ProductImport.objects.update(heartbeat_at=timezone.now() - KEPT_FOR)
    assert (purge_imports(), ProductImport.objects.count()) == (1, 0)
