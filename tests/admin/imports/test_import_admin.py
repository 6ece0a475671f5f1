"""Product files through the back office: uploaded, looked at, applied, taken back."""

import pytest
from django.utils import timezone
from support import factories
from support.import_client import (
    AFTER,
    BEFORE,
    FILE,
    GOOD,
    LIST,
    apply,
    latest,
    prices,
    step_url,
    undo,
    upload,
)

from shop.models import ImportRow, Product, ProductImport
from shop.services.stock import find_drift

RIGHTS = ("view_productimport", "add_productimport", "view_product", "change_product")


@pytest.fixture(autouse=True)
def shelf(mug, lamp):
    """What the files are about."""


def test_a_file_is_shown_applied_and_taken_back(adas_browser, ada):
    page = upload(adas_browser, GOOD)
    counts = {tab["label"]: tab["count"] for tab in page.context["rows"].tabs}
    assert counts == {"New": 1, "Changed": 1, "Same": 1, "Skipped": 0, "Wrong": 0}
    assert page.context["apply"]["what"] == "1 new product and 1 change"
    assert prices() == BEFORE
    done = apply(adas_browser)
    assert done.context["sentences"] == ["1 product was added, 1 changed."]
    assert prices() == AFTER
    asked = adas_browser.get(step_url("undo"))
    assert (asked.context["button"], prices()) == ("Take it back", AFTER)
    back = undo(adas_browser)
    assert (
        back.context["sentences"][-1]
        == "Then it was taken back: 1 product was removed, 1 restored."
    )
    assert (prices(), list(find_drift())) == (BEFORE, [])
    assert (latest().state, latest().actor) == ("undone", ada)


def test_good_rows_can_be_applied_without_the_wrong_ones(adas_browser):
    page = upload(adas_browser, FILE)
    assert page.context["rows"].here == "wrong"
    assert page.context["apply"]["says_wrong"] == "1 row is"
    refused = apply(adas_browser)
    assert refused.context["import"].error.startswith("1 rows are wrong.")
    assert prices() == BEFORE
    done = apply(adas_browser, good_only="1")
    assert done.context["sentences"] == [
        "1 product was added, 1 changed.",
        "1 wrong row was left out.",
    ]
    assert b"Download the rows to mend" in done.content
    assert prices() == AFTER


def test_a_change_is_shown_as_whole_values(adas_browser):
    upload(adas_browser, "sku,name,price,description\nMUG-1,Big mug,13," + "long " * 100)
    [line] = adas_browser.get(f"{step_url('change')}?show=changed").context["rows"].lines()
    old_and_new = [(f["label"], f["old"]["short"], f["new"]["short"]) for f in line["fields"]]
    assert old_and_new[:2] == [("name", "Mug", "Big mug"), ("price", "12.50", "13.00")]
    assert old_and_new[2][:2] == ("description", "nothing")
    assert line["fields"][2]["new"]["whole"] == ("long " * 100).strip()


def test_what_was_found_can_be_corrected(adas_browser):
    page = upload(adas_browser, "sku;name;Kosten;stock\nMUG-1;Mug;1,800;5\n")
    assert page.context["rows"].here == "same"
    form = {"column_2": "price", "point": "", "stock": "set", "blank": "keep"}
    asked = adas_browser.post(step_url("check"), form, follow=True)
    assert set(asked.context["terms"].open) == {"point"}
    asked = adas_browser.post(step_url("check"), form | {"point": ","}, follow=True)
    [line] = asked.context["rows"].lines()
    assert (line["row"].after, asked.context["terms"].open) == ({"price": "1.80", "stock": 5}, {})
    assert asked.context["terms"].fields["column_2"].initial == "price"
    adas_browser.post(step_url("check"), form | {"point": ",", "column_2": ""}, follow=True)
    assert latest().rows.get().after == {"stock": 5}


def test_encoding_and_delimiter_can_be_corrected(adas_browser):
    upload(adas_browser, "sku,name|note\nMUG-1,Caf\u00e9|x\n".encode("cp1252"))
    terms = {"encoding": "Windows-1252", "delimiter": ",", "blank": "keep"}
    adas_browser.post(step_url("check"), terms, follow=True)
    assert (latest().found["encoding"], latest().found["delimiter"]) == ("Windows-1252", ",")
    refused = adas_browser.post(step_url("check"), terms | {"delimiter": "x"}, follow=True)
    assert refused.context["terms"].errors["delimiter"]
    adas_browser.post(step_url("check"), terms | {"encoding": "UTF-8"}, follow=True)
    page = adas_browser.post(step_url("check"), terms, follow=True)
    assert page.context["import"].state == "checked"


def test_two_columns_cannot_be_one_field(adas_browser):
    upload(adas_browser, "sku,a,b\nMUG-1,1,2\n")
    refused = adas_browser.post(
        step_url("check"), {"column_1": "price", "column_2": "price"}, follow=True
    )
    assert refused.context["terms"].non_field_errors() == ["Two columns cannot be the same field."]
    assert latest().options == {}


def test_a_file_that_cannot_be_read_says_what_to_do(adas_browser):
    page = upload(adas_browser, bytes(range(256)) * 10, "photo.csv")
    assert page.context["import"].state == "failed"
    assert page.context["import"].error.startswith("This isn't a table")
    assert "Upload another file" in page.content.decode()
    assert (
        adas_browser.post(step_url("apply"), {"seen": timezone.now().isoformat()}).status_code
        == 302
    )
    assert prices() == BEFORE


def test_no_file_is_asked_for_again(adas_browser):
    answer = adas_browser.post(f"{LIST}add/", {})
    assert answer.context["form"].errors["file"] == ["This field is required."]
    assert not ProductImport.objects.exists()


def test_a_file_that_is_too_large_is_refused(adas_browser, monkeypatch):
    monkeypatch.setattr("shop.product_files.reading.limits.MAX_BYTES", 10)
    answer = upload(adas_browser, FILE)
    assert "larger than" in answer.context["form"].errors["file"][0]
    assert not ProductImport.objects.exists()


def test_a_get_changes_nothing(adas_browser):
    upload(adas_browser, GOOD)
    before = factories.all_rows()
    for step in ("check", "apply", "undo", "discard", "now", "to-mend", "addresses", "change"):
        assert adas_browser.get(step_url(step)).status_code in {200, 302}
    adas_browser.get(f"{LIST}add/")
    assert factories.all_rows() == before


def test_every_press_counts_once(adas_browser):
    key = dict([adas_browser.get(f"{LIST}add/").context["once"]])
    for _ in range(2):
        upload(adas_browser, GOOD, **key)
    assert ProductImport.objects.count() == 1
    apply(adas_browser)
    again = apply(adas_browser)
    assert factories.page_messages(again) == ["This import has been applied already."]
    assert prices() == AFTER
    undo(adas_browser)
    assert factories.page_messages(undo(adas_browser)) == [
        "This import has been taken back already."
    ]
    assert prices() == BEFORE


def test_only_what_the_page_showed_is_applied(adas_browser):
    upload(adas_browser, GOOD)
    seen = latest().checked_at.isoformat()
    adas_browser.post(step_url("check"), {"blank": "clear"})
    answer = adas_browser.post(step_url("apply"), {"seen": seen}, follow=True)
    assert factories.page_messages(answer) == [
        "The file was checked again since. Look at its rows once more."
    ]
    adas_browser.post(step_url("apply"), {"seen": "yesterday"})
    assert prices() == BEFORE


def test_a_product_that_changed_meanwhile_is_named_and_can_be_left(adas_browser):
    upload(adas_browser, GOOD)
    Product.objects.filter(sku="MUG-1").update(price="99.00")
    refused = apply(adas_browser)
    assert "Line 2 (MUG-1): Somebody edited it meanwhile: price." in refused.context["import"].error
    assert refused.context["apply"]["offers_good_only"] is True
    done = apply(adas_browser, good_only="1")
    assert done.context["rows"].here == "left"
    assert prices() == BEFORE | {"MUG-1": "99.00", "VASE": "30.00"}


def test_discarding_forgets_the_file(adas_browser):
    upload(adas_browser, GOOD)
    asked = adas_browser.get(step_url("discard"))
    assert asked.context["button"] == "Discard file"
    answer = adas_browser.post(step_url("discard"), follow=True)
    assert factories.page_messages(answer) == ["spring.csv was discarded. No product was changed."]
    assert (ProductImport.objects.count(), ImportRow.objects.count(), prices()) == (0, 0, BEFORE)


def test_what_wrote_something_cannot_be_discarded(adas_browser):
    upload(adas_browser, GOOD)
    apply(adas_browser)
    answer = adas_browser.post(step_url("discard"), follow=True)
    assert "cannot be discarded" in factories.page_messages(answer)[0]
    assert latest().state == "applied"


STEPS = ("check", "apply", "undo", "discard", "now", "to-mend", "addresses")


@pytest.mark.parametrize(
    "rights",
    [(), ("view_productimport",), ("view_productimport", "add_productimport", "view_product")],
)
def test_without_the_rights_nothing_happens(adas_browser, clerk_with, rights):
    upload(adas_browser, GOOD)
    clerk, before = clerk_with(*rights), factories.all_rows()
    for step in STEPS:
        assert (
            clerk.post(step_url(step), {"seen": latest().checked_at.isoformat()}).status_code == 403
        )
    assert upload(clerk, GOOD).status_code == 403
    assert clerk.get(step_url("change")).status_code == (200 if rights else 403)
    assert factories.all_rows() == before


def test_another_persons_upload_is_only_looked_at(adas_browser, clerk_with):
    upload(adas_browser, GOOD)
    clerk, before = clerk_with(*RIGHTS), factories.all_rows()
    page = clerk.get(step_url("change"))
    assert (page.context["apply"], page.context["terms"]) == (None, None)
    for step in ("check", "apply", "undo", "discard"):
        values = {"seen": latest().checked_at.isoformat(), "blank": "keep"}
        assert clerk.post(step_url(step), values).status_code == 403
    assert factories.all_rows() == before


def test_ones_own_upload_needs_no_superuser(clerk_with):
    clerk = clerk_with(*RIGHTS)
    upload(clerk, GOOD)
    apply(clerk)
    assert prices() == AFTER
