"""The API's documentation, as a developer opens it."""

from playwright.sync_api import expect


def test_the_documentation_works_in_its_strict_page(window):
    page = window(None)
    page.goto("/api/docs")
    operation = page.locator("#operations-Operation-health")
    operation.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text(
        "200"
    )
