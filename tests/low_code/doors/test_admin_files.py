"""Files of further models in the admin: exported, changed, previewed and imported."""

import csv
import io
from decimal import Decimal

import openpyxl
import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from support import factories
from support.html_forms import form_fields
from tablib import Dataset

from shop.models import AuditEntry
from shop.product_files.catalogue_files import MAX_BYTES, MAX_ROWS, resource_class

BRANDS, COUNTRIES = "/admin/shop/brand/", "/admin/shop/country/"
HEADERS = "name,country,founded on,local,margin"


def brands():
    return apps.get_model("shop", "Brand").objects.order_by("name")


def upload(browser, content, url=BRANDS, name="brands.csv"):
    """Upload a file and return the page with its preview, or with an error."""
    content = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile(name, content)
    return browser.post(f"{url}import/", {"import_file": file, "format": "0", "resource": "0"})


def statuses(response):
    return [row.import_type for row in response.context["result"].rows]


def refusals(response):
    """Return the codes or texts that say why a file is refused, and that it can't be confirmed."""
    assert response.status_code == 200
    assert "confirm_form" not in response.context
    if "result" not in response.context:
        return list(response.context["form"].errors)
    result = response.context["result"]
    invalid = {(row.number, name) for row in result.invalid_rows for name in row.error_dict}
    return sorted(invalid | {(row.number, "") for row in result.error_rows})


def confirm(browser, response, url=BRANDS):
    data = response.context["confirm_form"].initial
    return browser.post(f"{url}process_import/", data)


def export(browser, url=BRANDS, file_format="csv", query=""):
    response = browser.post(f"{url}export/?{query}", {"file_format": file_format})
    return b"".join(response)


def read_csv(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.fixture
def kiln(create_brand, create_country):
    """A brand with a value in each field."""
    return create_brand(
        "Kiln & Sons",
        country=create_country("Japan"),
        founded_on="1999-01-02",
        is_local=True,
        margin=Decimal("2.50"),
    )


@pytest.fixture
def clerk(db):
    def create(*codenames):
        user = factories.create_user("Cleo", "Clerk", role="admin")
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return factories.staff_client(user)

    return create


def test_an_exported_file_is_imported_as_it_is(adas_browser, kiln, create_brand, unchanged):
    create_brand("=1+1")
    rows = read_csv(export(adas_browser))
    assert rows[0] == {
        "name": "Kiln & Sons",
        "country": "Japan",
        "founded on": "1999-01-02",
        "local": "yes",
        "margin": "2.50",
    }
    assert rows[1]["name"] == "'=1+1"
    for file_format in ("csv", "xlsx"):
        response = upload(adas_browser, export(adas_browser, file_format=file_format))
        assert statuses(response) == ["skip", "skip"]
        before = list(brands().values())
        assert confirm(adas_browser, response).status_code == 302
        assert list(brands().values()) == before
    assert not AuditEntry.objects.exists()


def test_an_export_holds_what_the_list_shows(adas_browser, kiln, create_brand):
    create_brand("Lux")
    rows = read_csv(export(adas_browser, query="founded_on__isempty=1"))
    assert [row["name"] for row in rows] == ["Lux"]
    content = export(adas_browser, file_format="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert [row[0].value for row in sheet.iter_rows()] == ["name", "Kiln & Sons", "Lux"]


def test_rows_are_previewed_then_added_and_changed(adas_browser, kiln, create_country, unchanged):
    create_country("France")
    content = f"{HEADERS}\nkiln & sons,France,,no,3\nLux, japan ,2001-02-03,YES,1.25\nNova,,,,\n"
    with_sessions_only = list(brands().values())
    response = upload(adas_browser, content)
    assert statuses(response) == ["update", "new", "new"]
    assert list(brands().values()) == with_sessions_only
    assert not AuditEntry.objects.exists()

    assert confirm(adas_browser, response).status_code == 302
    values = brands().values_list("name", "country__name", "founded_on", "is_local", "margin")
    saved = [(n, c, str(f), i, m) for n, c, f, i, m in values]
    assert saved == [
        ("Lux", "Japan", "2001-02-03", True, Decimal("1.25")),
        ("Nova", None, "None", False, Decimal(0)),
        ("kiln & sons", "France", "None", False, Decimal("3.00")),
    ]
    entries = {entry.record_label: entry for entry in AuditEntry.objects.all()}
    assert {label: entry.action for label, entry in entries.items()} == {
        "kiln & sons": "changed",
        "Lux": "added",
        "Nova": "added",
    }
    assert "margin: 2.50 → 3" in entries["kiln & sons"].changes
    assert "country: Japan → France" in entries["kiln & sons"].changes


def test_columns_that_are_not_in_the_file_stay_as_they_are(adas_browser, kiln):
    assert (
        confirm(adas_browser, upload(adas_browser, "NAME;Margin\nKiln & Sons;4,5\n")).status_code
        == 302
    )
    kiln.refresh_from_db()
    assert (kiln.margin, kiln.country.name, kiln.is_local) == (Decimal("4.50"), "Japan", True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_files_of_spreadsheets_are_read(adas_browser, db, encoding):
    response = upload(adas_browser, "name;margin\r\nCafé;1,50\r\n".encode(encoding))
    assert confirm(adas_browser, response).status_code == 302
    assert list(brands().values_list("name", "margin")) == [("Café", Decimal("1.50"))]


#: Rows below the headers -> line and column of each error.
WRONG_ROWS = {
    "Lux,Atlantis,,,": [(1, "country")],
    "Lux,,yesterday,,": [(1, "founded on")],
    "Lux,,,perhaps,": [(1, "local")],
    "Lux,,,,abc": [(1, "margin")],
    "Lux,,,,1.234": [(1, "margin")],
    "Lux,,,,1e400": [(1, "margin")],
    "Lux,,,,NaN": [(1, "margin")],
    ",Japan,,,1": [(1, "name")],
    "\u202e,,,,1": [(1, "name")],
    f"{'x' * 51},,,,": [(1, "name")],
    "Lux,,9999-99-99,maybe,x": [(1, "founded on"), (1, "local"), (1, "margin")],
    "Good,,,,\nLux,,,,x": [(2, "margin")],
}


@pytest.mark.parametrize("rows", WRONG_ROWS)
def test_one_wrong_cell_imports_nothing(adas_browser, kiln, unchanged, rows):
    with unchanged():
        assert refusals(upload(adas_browser, f"{HEADERS}\n{rows}\n")) == WRONG_ROWS[rows]


@pytest.mark.parametrize(
    ("names", "wrong"),
    [("kiln & sons\nKiln & Sons", [(2, "")]), ("Lux\nLux", [(2, "name")])],
)
def test_a_record_in_two_rows_is_refused(adas_browser, kiln, unchanged, names, wrong):
    with unchanged():
        assert refusals(upload(adas_browser, f"name\n{names}\n")) == wrong


def big_xlsx():
    book = openpyxl.Workbook()
    book.active.append(["name"])
    book.active.append(["x" * 32_000])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


BAD_FILES = {
    "empty": b"",
    "blank": b" \n\n",
    "binary": bytes(range(256)) * 20,
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "zip": b"PK\x03\x04" + bytes(200),
    "no header": b"Lux,Japan\nNova,France\n",
    "headers only": b"name,country\n",
    "unknown header": b"name,price\nLux,1\n",
    "doubled header": b"name,Name\nLux,1\n",
    "no key": b"country,margin\nJapan,1\n",
    "too many cells": b"name\nLux,1,2\n",
    "many columns": b"name" + b",x" * 5000 + b"\nLux\n",
    "wrong encoding": b"name\nCaf\xc3\xa9\n" * 9000 + b"Caf\xe9\n",
    "open quote": b'name,margin\n"Lux,1\n' * 3,
    "huge cell": b"name\n" + b"x" * 1_500_000 + b"\n",
    "too large": b"name\n" + b"Lux\n" * (MAX_BYTES // 4),
    "too many rows": b"name\n" + b"".join(b"B%d\n" % n for n in range(MAX_ROWS + 1)),
    "nul": b"name\nL\0x\n",
    "truncated xlsx": big_xlsx()[:-100],
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_broken_file_is_refused_with_a_message(adas_browser, kiln, unchanged, kind):
    sessions = Session.objects.count()
    with unchanged():
        response = upload(adas_browser, BAD_FILES[kind])
        if kind == "nul":
            assert refusals(response) in (["import_file"], [(1, "name")])
        else:
            assert refusals(response) == ["import_file"]
    assert Session.objects.count() == sessions


def test_a_long_cell_of_a_workbook_is_an_error_of_its_row(adas_browser, db, unchanged):
    with unchanged():
        assert refusals(upload(adas_browser, big_xlsx())) == [(1, "name")]


def test_an_import_confirmed_twice_is_applied_once(adas_browser, db):
    response = upload(adas_browser, "name\nLux\n")
    for _ in range(2):
        assert confirm(adas_browser, response).status_code == 302
    assert brands().count() == 1
    assert AuditEntry.objects.count() == 1


def test_what_changed_after_the_preview_is_not_overwritten(adas_browser, kiln, unchanged):
    response = upload(adas_browser, "name,margin\nNova,1\nKiln & Sons,9\n")
    brands().update(margin=5)
    with unchanged():
        answer = confirm(adas_browser, response)
        assert (answer.status_code, answer["Location"]) == (302, f"{BRANDS}import/")


def test_another_users_upload_or_an_invented_one_is_not_applied(adas_browser, db, unchanged):
    bea = factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)
    other = factories.staff_client(bea)
    response = upload(adas_browser, "name\nLux\n")
    with unchanged():
        assert confirm(other, response)["Location"] == f"{BRANDS}import/"
        for token in ("", "x", "../../etc/passwd", response.context["csrf_token"]):
            data = {"import_file_name": str(token), "format": "x", "resource": "9"}
            assert adas_browser.post(f"{BRANDS}process_import/", data).status_code == 302
        assert adas_browser.get(f"{BRANDS}process_import/").status_code == 405


RIGHTS = {
    ("view_brand",): (200, 403),
    ("view_brand", "change_brand"): (200, 403),
    ("view_brand", "add_brand", "change_brand"): (200, 200),
    ("view_product",): (403, 403),
}


@pytest.mark.parametrize("codenames", RIGHTS)
def test_rights_decide_about_import_and_export(clerk, adas_browser, kiln, unchanged, codenames):
    browser = clerk(*codenames)
    may_export, may_import = RIGHTS[codenames]
    assert browser.get(f"{BRANDS}export/").status_code == may_export
    assert browser.get(f"{BRANDS}import/").status_code == may_import
    assert upload(browser, "name\nLux\n").status_code == may_import
    if may_export == 200:
        context = browser.get(BRANDS).context
        assert bool(context.get("export_url")), bool(context.get("import_url")) == (
            True,
            may_import == 200,
        )
    if may_import == 403:
        preview = upload(adas_browser, "name\nLux\n")
        with unchanged():
            assert confirm(browser, preview).status_code == 403


def test_the_pages_of_an_import_are_shown(adas_browser, kiln):
    page = adas_browser.get(f"{BRANDS}import/")
    assert form_fields(page, "")["format"] == ["0"]
    assert b"Atlantis" in upload(adas_browser, "name,country\nLux,Atlantis\n").content


def test_cells_are_read_as_in_product_files(ada, create_tag):
    """Products stand for a further model with choices and a many-to-many field."""
    tags = {create_tag(name).pk for name in ("mug", "salt; pepper")}
    product = factories.create_product()
    resource = resource_class(type(product))()
    for cells, wrong in (
        (["spring and summer", 'MUG; "salt; pepper"', "1.250"], set()),
        (["spring", "", "1"], {"season"}),
        (["", "mugs", "1"], {"tags"}),
        (["", "", "1,250"], {"tare"}),
    ):
        headers = ["SKU", "season", "tags", "tare"]
        rows = Dataset([product.sku, *cells], headers=headers)
        result = resource.import_data(rows, dry_run=True, user=ada)
        assert {name for row in result.invalid_rows for name in row.error_dict} == wrong
        if not wrong:
            applied = resource.import_data(rows, dry_run=False, user=ada)
            assert applied.rows[0].import_type == "update"
            product.refresh_from_db()
            assert (product.season, product.tare) == ("ss", Decimal("1.250"))
            assert {tag.pk for tag in product.tags.all()} == tags


def test_many_rows_run_few_statements_each(adas_browser, db, django_assert_max_num_queries):
    content = "name\n" + "".join(f"Brand {number}\n" for number in range(50))
    with django_assert_max_num_queries(50 * 12 + 30):
        assert len(statuses(upload(adas_browser, content))) == 50
