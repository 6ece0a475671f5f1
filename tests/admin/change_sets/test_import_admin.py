"""Product imports in the admin: upload, preview, apply, undo and discard."""

import pytest
from django.utils import timezone
from support import factories
from support.import_client import (
    FILE,
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

from shop.models import ChangeRow, ChangeSet, Product
from shop.services.change_sets.locking import STATE_ERRORS
from shop.services.stock import find_drift

STEPS = ("preview", "apply", "undo", "discard", "run-now", "error-report", "picture-urls")
PERMISSIONS = ("view_changeset", "add_changeset", "view_product", "change_product")


@pytest.fixture(autouse=True)
def products(mug, lamp):
    """The products that the files change."""


def test_import_is_previewed_applied_and_undone(adas_browser, ada):
    page = upload(adas_browser, VALID_FILE)
    counts = {tab["label"]: tab["count"] for tab in page.context["rows"].tabs}
    assert counts == {"New": 1, "Changed": 1, "Unchanged": 1, "Skipped": 0, "Errors": 0}
    assert page.context["apply"]["changes"] == "1 new product and 1 change"
    assert prices() == PRICES_BEFORE
    done = apply(adas_browser)
    assert done.context["results"] == ["1 product was added, 1 changed."]
    assert prices() == PRICES_AFTER
    confirmation = adas_browser.get(step_url("undo"))
    assert (confirmation.context["button"], prices()) == ("Undo import", PRICES_AFTER)
    back = undo(adas_browser)
    assert (
        back.context["results"][-1]
        == "The import was undone: 1 product was removed and 1 restored."
    )
    assert (prices(), list(find_drift())) == (PRICES_BEFORE, [])
    assert (latest_import().state, latest_import().actor) == ("undone", ada)


def test_valid_rows_can_be_applied_without_those_with_errors(adas_browser):
    page = upload(adas_browser, FILE)
    assert page.context["rows"].current_tab == "error"
    assert page.context["apply"]["error_message"] == "1 row has errors."
    refused = apply(adas_browser)
    assert refused.context["change_set"].error
    assert prices() == PRICES_BEFORE
    done = apply(adas_browser, good_only="1")
    assert done.context["results"] == [
        "1 product was added, 1 changed.",
        "1 row with errors was left out.",
    ]
    assert step_url("error-report").encode() in done.content
    assert prices() == PRICES_AFTER


def test_changes_show_old_and_new_values(adas_browser):
    upload(adas_browser, "sku,name,price,description\nMUG-1,Big mug,13," + "long " * 100)
    [line] = adas_browser.get(f"{step_url('change')}?show=changed").context["rows"].page_rows()
    old_and_new = [(c["label"], c["old"]["folded"], c["new"]["folded"]) for c in line["changes"]]
    assert old_and_new[:2] == [("name", "Mug", "Big mug"), ("price", "12.50", "13.00")]
    assert old_and_new[2][:2] == ("description", "empty")
    assert line["changes"][2]["new"]["unfolded"] == ("long " * 100).strip()


def test_detected_options_can_be_corrected(adas_browser):
    page = upload(adas_browser, "sku;name;Kosten;stock\nMUG-1;Mug;1,800;5\n")
    assert page.context["rows"].current_tab == "unchanged"
    form = {"column_2": "price", "decimal_mark": "", "stock_mode": "set", "blank_cells": "keep"}
    response = adas_browser.post(step_url("preview"), form, follow=True)
    assert response.context["form"].open_questions == ["decimal_mark"]
    response = adas_browser.post(step_url("preview"), form | {"decimal_mark": ","}, follow=True)
    [line] = response.context["rows"].page_rows()
    assert (line["row"].after, response.context["form"].open_questions) == (
        {"price": "1.80", "stock": 5},
        [],
    )
    assert response.context["form"].fields["column_2"].initial == "price"
    adas_browser.post(
        step_url("preview"), form | {"decimal_mark": ",", "column_2": ""}, follow=True
    )
    assert latest_import().rows.get().after == {"stock": 5}


def test_encoding_and_separator_can_be_corrected(adas_browser):
    upload(adas_browser, "sku,name|note\nMUG-1,Caf\u00e9|x\n".encode("cp1252"))
    options = {"encoding": "Windows-1252", "delimiter": ",", "blank_cells": "keep"}
    adas_browser.post(step_url("preview"), options, follow=True)
    assert (latest_import().detected["encoding"], latest_import().detected["delimiter"]) == (
        "Windows-1252",
        ",",
    )
    refused = adas_browser.post(step_url("preview"), options | {"delimiter": "x"}, follow=True)
    assert refused.context["form"].errors["delimiter"]
    adas_browser.post(step_url("preview"), options | {"encoding": "UTF-8"}, follow=True)
    page = adas_browser.post(step_url("preview"), options, follow=True)
    assert page.context["change_set"].state == "checked"


def test_two_columns_cannot_be_the_same_field(adas_browser):
    upload(adas_browser, "sku,a,b\nMUG-1,1,2\n")
    refused = adas_browser.post(
        step_url("preview"), {"column_1": "price", "column_2": "price"}, follow=True
    )
    assert refused.context["form"].has_error("__all__", "duplicate_column")
    assert latest_import().options == {}


def test_unreadable_file_offers_another_upload(adas_browser):
    page = upload(adas_browser, bytes(range(256)) * 10, "photo.csv")
    assert page.context["change_set"].state == "failed"
    assert page.context["change_set"].error.startswith("This isn't a table")
    assert "Upload another file" in page.content.decode()
    assert (
        adas_browser.post(step_url("apply"), {"seen": timezone.now().isoformat()}).status_code
        == 302
    )
    assert prices() == PRICES_BEFORE


def test_upload_without_a_file_is_refused(adas_browser):
    answer = adas_browser.post(f"{IMPORTS}add/", {})
    assert answer.context["form"].has_error("file", "required")
    assert not ChangeSet.objects.exists()


def test_file_above_the_size_limit_is_refused(adas_browser, monkeypatch):
    monkeypatch.setattr("shop.product_files.reading.limits.MAX_BYTES", 10)
    answer = upload(adas_browser, FILE)
    assert list(answer.context["form"].errors) == ["file"]
    assert not ChangeSet.objects.exists()


def test_get_requests_change_nothing(adas_browser):
    upload(adas_browser, VALID_FILE)
    before = factories.all_rows()
    for step in (*STEPS, "change"):
        assert adas_browser.get(step_url(step)).status_code in {200, 302}
    adas_browser.get(f"{IMPORTS}add/")
    assert factories.all_rows() == before


def test_repeated_requests_count_once(adas_browser):
    key = dict([adas_browser.get(f"{IMPORTS}add/").context["once"]])
    for _ in range(2):
        upload(adas_browser, VALID_FILE, **key)
    assert ChangeSet.objects.count() == 1
    apply(adas_browser)
    again = apply(adas_browser)
    assert factories.page_messages(again) == [STATE_ERRORS["applied"]]
    assert prices() == PRICES_AFTER
    undo(adas_browser)
    assert factories.page_messages(undo(adas_browser)) == [STATE_ERRORS["undone"]]
    assert prices() == PRICES_BEFORE


def test_only_the_reviewed_preview_is_applied(adas_browser):
    upload(adas_browser, VALID_FILE)
    seen = latest_import().checked_at.isoformat()
    adas_browser.post(step_url("preview"), {"blank_cells": "clear"})
    answer = adas_browser.post(step_url("apply"), {"seen": seen}, follow=True)
    assert factories.page_messages(answer) == [
        "The file was checked again in the meantime. Review its rows once more."
    ]
    adas_browser.post(step_url("apply"), {"seen": "yesterday"})
    assert prices() == PRICES_BEFORE


def test_conflicts_are_shown_and_can_be_left_out(adas_browser):
    upload(adas_browser, VALID_FILE)
    Product.objects.filter(sku="MUG-1").update(price="99.00")
    refused = apply(adas_browser)
    assert (
        "Line 2 (MUG-1): It was edited after the preview: price."
        in refused.context["change_set"].error
    )
    assert refused.context["apply"]["offers_good_only"] is True
    done = apply(adas_browser, good_only="1")
    assert done.context["rows"].current_tab == "left_out"
    assert prices() == PRICES_BEFORE | {"MUG-1": "99.00", "VASE": "30.00"}


def test_discard_deletes_the_import(adas_browser):
    upload(adas_browser, VALID_FILE)
    confirmation = adas_browser.get(step_url("discard"))
    assert confirmation.context["button"] == "Discard file"
    answer = adas_browser.post(step_url("discard"), follow=True)
    assert factories.page_messages(answer) == ["spring.csv was discarded. No product was changed."]
    assert (ChangeSet.objects.count(), ChangeRow.objects.count(), prices()) == (
        0,
        0,
        PRICES_BEFORE,
    )


def test_applied_import_cannot_be_discarded(adas_browser):
    upload(adas_browser, VALID_FILE)
    apply(adas_browser)
    answer = adas_browser.post(step_url("discard"), follow=True)
    assert len(factories.page_messages(answer)) == 1
    assert latest_import().state == "applied"


@pytest.mark.parametrize(
    "rights",
    [(), ("view_changeset",), ("view_changeset", "add_changeset", "view_product")],
)
def test_pages_need_the_permissions(adas_browser, staff_client_with, rights):
    upload(adas_browser, VALID_FILE)
    browser, before = staff_client_with(*rights), factories.all_rows()
    for step in STEPS:
        assert (
            browser.post(
                step_url(step), {"seen": latest_import().checked_at.isoformat()}
            ).status_code
            == 403
        )
    assert upload(browser, VALID_FILE).status_code == 403
    assert browser.get(step_url("change")).status_code == (200 if rights else 403)
    assert factories.all_rows() == before


def test_import_of_another_user_is_read_only(adas_browser, staff_client_with):
    upload(adas_browser, VALID_FILE)
    browser, before = staff_client_with(*PERMISSIONS), factories.all_rows()
    page = browser.get(step_url("change"))
    assert (page.context["apply"], page.context["form"]) == (None, None)
    for step in ("preview", "apply", "undo", "discard"):
        values = {"seen": latest_import().checked_at.isoformat(), "blank_cells": "keep"}
        assert browser.post(step_url(step), values).status_code == 403
    assert factories.all_rows() == before


def test_own_import_needs_no_superuser(staff_client_with):
    browser = staff_client_with(*PERMISSIONS)
    upload(browser, VALID_FILE)
    apply(browser)
    assert prices() == PRICES_AFTER


@pytest.mark.parametrize("may_move_stock", [True, False])
def test_a_file_moves_stock_only_with_the_right_to(staff_client_with, mug, may_move_stock):
    rights = ("manage_stock",) if may_move_stock else ()
    browser = staff_client_with(*PERMISSIONS, *rights)
    upload(browser, "sku,name,price,stock\nMUG-1,Big mug,13.00,2")
    questions = latest_import().detected["questions"]
    assert questions == (["stock_mode"] if may_move_stock else [])
    browser.post(step_url("preview"), {"stock_mode": "set"})
    apply(browser)
    mug.refresh_from_db()
    assert (mug.name, mug.stock) == ("Big mug", 2 if may_move_stock else 10)
