"""The interactive API documentation."""

from playwright.sync_api import expect


def test_the_documentation_works_under_its_content_security_policy(window):
    page = window(None)
    page.goto("/api/docs")
    operation = page.locator("#operations-Operation-health")
    operation.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text(
        "200"
    )
