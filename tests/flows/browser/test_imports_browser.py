"""A product import in the browser: corrected, applied and undone; on a desktop and a phone."""

import pytest
from playwright.sync_api import expect

from shop.models import Product
from shop.services.stock import find_drift

FILE = "SKU;Name;Kosten;Stock\nMUG-1;Mug;13,00;4\nVASE-1;Vase;30,00;2\nBAD-1;Bad;cheap;1\n"


def upload(page, text, name="spring.csv"):
    page.goto("/admin/shop/product/")
    tools = page.get_by_role("button", name="More", exact=True)
    if tools.is_visible():  # on a phone
        tools.click()
    page.get_by_role("link", name="Import", exact=True).click()
    file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("[name=file]").set_input_files(files=[file])
    page.get_by_role("button", name="Upload and preview").click()
    page.get_by_role("heading", name=name).wait_for()


def tab(page, name):
    page.get_by_role("navigation", name="Row status").get_by_role("link", name=name).click()


def state():
    return {p.sku: (str(p.price), p.stock) for p in Product.objects.order_by("pk")}


@pytest.mark.parametrize("device", ["page", "phone"])
def test_import_is_corrected_applied_and_undone(request, device, mug):
    page = request.getfixturevalue(device)
    upload(page, FILE)
    page.get_by_text("How the file was read").click()
    page.get_by_text("Choose fields for them").click()
    page.get_by_label("“Kosten” is").select_option(label="price")
    page.get_by_label("Stock in the file").select_option(label="Add to the current stock")
    page.get_by_role("button", name="Check again").last.click()
    expect(page.get_by_text("“cheap” isn't a price")).to_be_visible()
    tab(page, "Changed 1")
    expect(page.locator(".shop-rows")).to_contain_text("12.50 → 13.00")
    page.get_by_label("SKU or name").fill("nothing like it")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("No rows match this search.")).to_be_visible()
    assert state() == {"MUG-1": ("12.50", 10)}
    page.get_by_role("button", name="Apply valid rows only: 1 new product and 1 change").click()
    expect(page.get_by_text("1 product was added, 1 changed.")).to_be_visible()
    assert state() == {"MUG-1": ("13.00", 14), "VASE-1": ("30.00", 2)}
    page.get_by_role("link", name="Undo import").click()
    page.get_by_role("button", name="Undo import").click()
    expect(page.get_by_text("The import was undone")).to_be_visible()
    assert (state(), list(find_drift())) == ({"MUG-1": ("12.50", 10)}, [])


def test_error_report_is_corrected_and_imported(page, mug):
    upload(page, FILE.replace("Kosten", "Price"))
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download rows with errors").click()
    corrected = (
        downloading.value.path().read_text(encoding="utf-8-sig").replace(";cheap;", ";9,00;")
    )
    assert downloading.value.suggested_filename == "spring errors.csv"
    page.get_by_role("button", name="Apply valid rows only").click()
    page.get_by_text("1 product was added").wait_for()
    upload(page, corrected, "corrected.csv")
    page.get_by_role("button", name="Apply 1 new product").click()
    page.get_by_text("1 product was added").wait_for()
    assert state() == {"MUG-1": ("13.00", 10), "VASE-1": ("30.00", 2), "BAD-1": ("9.00", 1)}
