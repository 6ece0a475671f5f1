"""What a product file names and doesn't exist: created with the import, removed by its undo."""

from functools import partial

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from support import factories
from support.concurrency import run_concurrently
from support.import_client import apply, latest_import, step_url, undo, upload
from support.import_runs import (
    ada,
    create_applied,
    create_preview,
    csv_text,
    outcomes,
    row_values,
    undone,
)

from shop.models import AuditEntry, Product, User
from shop.natural_keys import NaturalKeys
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.missing import build_record
from shop.services.crud import update_record
from shop.services.errors import ImportNotReady, ProductsChanged, ShopError
from shop.services.products import update_product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]
HEADERS = ("sku", "name", "price", "brand", "tags")
BOTH = ["shop.brand", "shop.tag"]
TEXT = csv_text(
    ("MUG-1", "Mug", "12.50", "Kiln & Son", "new; gift"),
    ("NEW-1", "Rug", "7", "kiln  & son", "NEW; old"),
    ("NEW-2", "Mat", "7", "Acme", ""),
    headers=HEADERS,
)


def model(name):
    return apps.get_model("shop", name)


def names(name):
    return sorted(model(name).objects.values_list("name", flat=True))


def links(sku):
    product = Product.objects.get(sku=sku)
    return str(product.brand or ""), sorted(map(str, product.tags.all()))


@pytest.fixture
def stocked(mug, brand, tags):
    return mug


def test_missing_records_are_offered_with_similar_names(stocked):
    change_set = create_preview(TEXT)
    assert row_values(change_set, "status") == [("error",)] * 3
    assert change_set.detected["missing"] == [
        {"model": "shop.brand", "name": "Kiln & Son", "nearest": "Kiln & Sons"},
        {"model": "shop.tag", "name": "new", "nearest": ""},
        {"model": "shop.tag", "name": "old", "nearest": ""},
        {"model": "shop.brand", "name": "Acme", "nearest": ""},
    ]


def test_names_that_cannot_be_created_are_errors_only(stocked):
    text = csv_text(("A", "Rug", "7", "x" * 51, "\u202eabc"), headers=HEADERS)
    change_set = create_preview(text, create_missing=BOTH)
    assert change_set.detected["missing"] == []
    assert row_values(change_set, "status") == [("error",)]


def test_missing_records_are_created_and_removed_again(stocked):
    before = (names("Brand"), names("Tag"), links("MUG-1"))
    change_set = create_preview(TEXT, create_missing=BOTH)
    assert row_values(change_set, "status") == [("changed",), ("new",), ("new",)]
    assert (names("Brand"), names("Tag"), links("MUG-1")) == before

    result = apply_change_set(change_set.pk, actor=ada())
    assert result == {"new": 2, "changed": 1, "left_out": 0, "created": 4}
    assert (names("Brand"), names("Tag")) == (
        ["Acme", "Kiln & Son", "Kiln & Sons"],
        ["gift", "mug", "new", "old"],
    )
    assert {sku: links(sku) for sku in ("MUG-1", "NEW-1", "NEW-2")} == {
        "MUG-1": ("Kiln & Son", ["gift", "new"]),
        "NEW-1": ("Kiln & Son", ["new", "old"]),
        "NEW-2": ("Acme", []),
    }
    added = AuditEntry.objects.filter(action="added", model_name__in=["brand", "tag"])
    assert {entry.changes for entry in added} == {
        f"name: {name}\nimport: spring.csv" for name in ("Acme", "Kiln & Son", "new", "old")
    }
    assert {entry.actor for entry in added} == {ada()}
    assert set(row_values(create_preview(TEXT), "status")) == {("unchanged",)}

    undone(change_set)
    assert (names("Brand"), names("Tag"), links("MUG-1")) == before
    assert change_set.result["created_removed"] == 4
    assert change_set.detected["kept"] == []
    assert AuditEntry.objects.filter(action="removed", model_name__in=["brand", "tag"]).count() == 4


def test_created_records_that_were_edited_or_are_in_use_are_kept(stocked, lamp):
    change_set = create_applied(TEXT, create_missing=BOTH)
    acme = model("Brand").objects.get(name="Acme")
    update_record(model("Brand"), pk=acme.pk, actor=ada(), changes={"is_local": True})
    old = model("Tag").objects.get(name="old")
    update_product(product_id=lamp.pk, actor=ada(), changes={"tags": [old]})
    undone(change_set)
    assert (names("Brand"), names("Tag")) == (["Acme", "Kiln & Sons"], ["gift", "mug", "old"])
    assert sorted(change_set.detected["kept"]) == ["Brand: Acme", "Tag: old"]
    assert (links("LAMP-1"), links("MUG-1")) == (("", ["old"]), ("", []))


def test_what_somebody_else_created_meanwhile_is_used(stocked, create_brand, create_tag):
    change_set = create_preview(TEXT, create_missing=BOTH)
    create_brand("ACME")
    create_tag("New")
    assert apply_change_set(change_set.pk, actor=ada())["created"] == 2
    assert (names("Brand"), names("Tag")) == (
        ["ACME", "Kiln & Son", "Kiln & Sons"],
        ["New", "gift", "mug", "old"],
    )
    assert (links("NEW-2"), links("MUG-1")[1]) == (("ACME", []), ["New", "gift"])
    undone(change_set)
    assert (names("Brand"), names("Tag")) == (["ACME", "Kiln & Sons"], ["New", "gift", "mug"])


def test_a_simultaneous_creation_is_found_at_the_second_attempt(stocked, create_brand, monkeypatch):
    change_set = create_preview(TEXT, create_missing=BOTH)
    find, asked = NaturalKeys.find, []

    def find_too_early(keys, name):
        asked.append(name)
        if name == "Acme" and asked.count("Acme") == 1:
            found = find(keys, name)
            create_brand("Acme")
            return found
        return find(keys, name)

    monkeypatch.setattr(NaturalKeys, "find", find_too_early)
    assert apply_change_set(change_set.pk, actor=ada())["created"] == 3
    assert names("Brand") == ["Acme", "Kiln & Son", "Kiln & Sons"]


def test_a_refused_import_creates_nothing(stocked, unchanged, monkeypatch):
    change_set = create_preview(TEXT, create_missing=BOTH)
    update_product(product_id=stocked.pk, actor=ada(), changes={"tags": []})
    tag = model("Tag").objects.get(name="mug")
    update_product(product_id=stocked.pk, actor=ada(), changes={"tags": [tag]})
    before = (names("Brand"), names("Tag"), row_values(change_set, "after", "outcome"))
    with pytest.raises(ProductsChanged):
        apply_change_set(change_set.pk, actor=ada())
    change_set.refresh_from_db()
    after = (names("Brand"), names("Tag"), row_values(change_set, "after", "outcome"))
    assert (after, change_set.state) == (before, "checked")

    result = apply_change_set(change_set.pk, actor=ada(), good_only=True)
    assert (result["new"], result["left_out"]) == (2, 1)
    assert (links("MUG-1"), links("NEW-1")) == (("", ["mug"]), ("Kiln & Son", ["new", "old"]))
    assert outcomes(change_set)["MUG-1"][0] == "left_out"


def test_rows_with_errors_create_nothing(stocked):
    text = csv_text(
        ("A", "Rug", "cheap", "Acme", "one"), ("B", "Mat", "7", "Zeta", ""), headers=HEADERS
    )
    change_set = create_applied(text, create_missing=BOTH, good_only=True)
    assert (names("Brand"), names("Tag")) == (["Kiln & Sons", "Zeta"], ["gift", "mug"])
    assert change_set.result["created"] == 1


def staff_with(*codes):
    user = factories.create_user("Bea", "Clerk", role=User.Role.ADMIN, is_active=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return user


IMPORT_RIGHTS = ("add_changeset", "change_product", "view_product", "view_changeset")


def test_the_permission_to_add_is_checked_again_when_applying(stocked):
    change_set = create_preview(TEXT, create_missing=BOTH)
    bea = staff_with(*IMPORT_RIGHTS, "add_tag")
    before = (names("Brand"), names("Tag"), Product.objects.count())
    with pytest.raises(ImportNotReady, match="brand"):
        apply_change_set(change_set.pk, actor=bea)
    assert (names("Brand"), names("Tag"), Product.objects.count()) == before


def test_the_page_offers_only_what_the_user_may_add(stocked):
    browser = factories.staff_client(staff_with(*IMPORT_RIGHTS, "add_tag"))
    page = upload(browser, TEXT)
    assert [entry["name"] for entry in page.context["form"].missing] == ["new", "old"]
    browser.post(step_url("preview"), {"create_missing": "create"})
    assert latest_import().options == {"create_missing": ["shop.tag"]}
    assert row_values(latest_import(), "status") == [("error",)] * 3


def test_the_page_creates_missing_records_at_one_press(stocked, adas_browser):
    page = upload(adas_browser, TEXT)
    assert b"Kiln &amp; Sons" in page.content  # the similar name
    page = adas_browser.post(step_url("preview"), {"create_missing": "create"}, follow=True)
    assert latest_import().options == {"create_missing": BOTH}
    assert b"new:" not in page.content
    assert b"Acme (new)" in page.content
    # Reading the file again keeps the choice, and can take it back.
    adas_browser.post(step_url("preview"), {"create_missing": "create", "blank_cells": "keep"})
    assert latest_import().options["create_missing"] == BOTH
    change_set = latest_import()
    page = apply(adas_browser, change_set)
    again = apply(adas_browser, change_set)
    assert again.status_code == 200
    assert (names("Brand"), names("Tag")) == (
        ["Acme", "Kiln & Son", "Kiln & Sons"],
        ["gift", "mug", "new", "old"],
    )
    page = adas_browser.get(page.request["PATH_INFO"] + "?show=changed")
    assert b"Kiln &amp; Son" in page.content
    model("Brand").objects.filter(name="Acme").update(is_local=True)
    page = undo(adas_browser)
    assert b"Brand: Acme" in page.content
    assert names("Brand") == ["Acme", "Kiln & Sons"]


def test_the_choice_to_create_can_be_taken_back(stocked, adas_browser):
    upload(adas_browser, TEXT)
    adas_browser.post(step_url("preview"), {"create_missing": "create"})
    adas_browser.post(step_url("preview"), {"create_missing": ""})
    assert latest_import().options.get("create_missing", []) == []
    assert row_values(latest_import(), "status") == [("error",)] * 3


def test_the_command_creates_missing_records_if_told_to(stocked, tmp_path, capsys):
    path = tmp_path / "spring.csv"
    path.write_text(TEXT)
    before = (names("Brand"), names("Tag"), Product.objects.count())
    with pytest.raises(CommandError):
        call_command("import_products", path)
    assert "Did you mean “Kiln & Sons”?" in capsys.readouterr().out
    assert (names("Brand"), names("Tag"), Product.objects.count()) == before
    call_command("import_products", path, "--create-missing")
    assert names("Tag") == ["gift", "mug", "new", "old"]
    assert "4 related records created" in capsys.readouterr().out


def test_what_needs_more_than_a_name_is_not_created():
    assert isinstance(build_record(model("Brand"), "Acme"), model("Brand"))
    assert build_record(model("Brand"), "x" * 51) is None
    assert build_record(User, "bea@example.com") is None
    assert build_record(Product, "NEW-1") is None


def closing_connection(call):
    """Return the call, which closes the thread's database connection, and returns its error."""

    def run():
        try:
            return call()
        except ShopError as error:
            return type(error)
        finally:
            connection.close()

    return run


@pytest.mark.django_db(transaction=True)
def test_two_imports_create_a_record_once(stocked):
    actor = ada()
    for turn in range(5):
        imports = [
            create_preview(
                csv_text(
                    (f"N-{turn}-{side}", "Rug", "7", f"Brand {turn}", ""),
                    (f"M-{turn}-{side}", "Rug", "7", "", f"a{turn}; b{turn}"),
                    headers=HEADERS,
                ),
                create_missing=BOTH,
            )
            for side in (1, 2)
        ]
        results = run_concurrently(
            *[
                closing_connection(partial(apply_change_set, change_set.pk, actor=actor))
                for change_set in imports
            ]
        )
        assert sorted(result["created"] for result in results if result.get("created")) in (
            [3],
            [1, 2],
        )
        assert model("Brand").objects.filter(name=f"Brand {turn}").count() == 1
        assert model("Tag").objects.filter(name__endswith=turn).count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_edit_at_the_same_moment_is_before_or_after_the_import(stocked, tags):
    actor = ada()
    for _turn in range(8):
        update_product(product_id=stocked.pk, actor=actor, changes={"tags": []})
        change_set = create_preview(csv_text(("MUG-1", "mug"), headers=("sku", "tags")))
        edit = partial(
            update_product, product_id=stocked.pk, actor=actor, changes={"tags": [tags[0]]}
        )
        applied, _edited = run_concurrently(
            closing_connection(partial(apply_change_set, change_set.pk, actor=actor)),
            closing_connection(edit),
        )
        # The edit is never lost: it comes last, or the import sees it and changes nothing.
        assert links("MUG-1")[1] == ["gift"]
        assert applied in (ProductsChanged, {"new": 0, "changed": 1, "left_out": 0})
