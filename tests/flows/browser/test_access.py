"""Accessibility of every page by axe-core, in both themes, and the layout on a phone."""

from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from support import admin_urls, factories, world
from support.browser import PHONE, require_tool
from support.page_checks import Findings, empty_lists, every_page, signed_out_pages

AXE = Path(__file__).parents[3] / ".axe" / "axe.min.js"
# The dark theme differs in colours only.
RULES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "dark": ["color-contrast"],
}
RUN_AXE = """async ([theme, rules]) => {
  if (window.Alpine) Alpine.$data(document.documentElement).switchTheme(theme);
  const still = new CSSStyleSheet();
  still.replaceSync(
    "*, *::before, *::after { transition: none !important; animation: none !important }");
  document.adoptedStyleSheets = [still];
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const options = {runOnly: rules, resultTypes: ["violations"], preload: false};
  const results = await axe.run(document, options);
  return results.violations.filter(rule => ["serious", "critical"].includes(rule.impact)).flatMap(
    rule => rule.nodes.map(
      node => [rule.id, node.target.join(" "), node.any[0]?.message || rule.help]));
}"""
# Neither a page nor a part of it may scroll sideways, but for the further steps of an order and for
# tables of cells: products edited as in a spreadsheet, and the figures of a report.
FITS = """() => document.documentElement.scrollWidth <= innerWidth
  && ![...document.querySelectorAll("#content *")].some(e => e.scrollWidth > e.clientWidth + 1
    && e.clientWidth && ["auto", "scroll"].includes(getComputedStyle(e).overflowX)
    && !e.matches(
      "textarea, .shop-more-steps, .shop-table-scroll, .shop-report .shop-scroll"))"""
OVERFLOWING = """() => [...document.querySelectorAll("body *")]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3)
  .map(e => e.outerHTML.slice(0, 120))"""
RIGHT_EDGES = """() => [...document.querySelectorAll("#result_list .data-row > *")]
  .map(e => e.getBoundingClientRect().right)"""
REDRAW_TIMEOUT = 5_000  # milliseconds in which a chart is redrawn


@pytest.fixture(scope="session")
def axe():
    """`axe(page, findings, name)` adds the page's accessibility violations in both themes."""
    script = require_tool(AXE if AXE.exists() else None, "axe-core").read_text()

    def check(page, findings, name):
        page.evaluate(script)
        for theme, rules in RULES.items():
            page.emulate_media(color_scheme=theme)
            for rule, selector, message in page.evaluate(RUN_AXE, [theme, rules]):
                findings.add(f"{theme}: {rule}: {selector}: {message}", name)

    return check


def check_phone_width(page, findings, name):
    """Add the elements that are wider than a phone's screen."""
    desktop_size = page.viewport_size
    page.set_viewport_size(PHONE["viewport"])
    try:
        page.wait_for_function(FITS, timeout=REDRAW_TIMEOUT)
    except PlaywrightTimeout:
        for element in page.evaluate(OVERFLOWING):
            findings.add(f"wider than a phone: {element}", name)
    page.set_viewport_size(desktop_size)


def test_every_page_is_accessible(axe, page, ada, carl, dora, troubles):
    findings = Findings()
    world.create_world(ada, carl, dora)
    for name in every_page(page, troubles):
        axe(page, findings, name)
        check_phone_width(page, findings, name)
    assert not findings.pages, str(findings)


def test_empty_lists_and_login_are_accessible(axe, page, window):
    findings = Findings()
    signed_out = window(None)
    for name in signed_out_pages(signed_out):
        axe(signed_out, findings, name)
        check_phone_width(signed_out, findings, name)
    for name in empty_lists(page):
        axe(page, findings, name)
        check_phone_width(page, findings, name)
    assert not findings.pages, str(findings)


def test_pages_of_a_viewer_are_accessible(axe, window, viewer, ada, carl, dora):
    findings = Findings()
    order = world.create_world(ada, carl, dora)[0]
    page = window(viewer)
    for path in (
        "",
        "shop/product/1/change/",
        f"shop/order/{order.pk}/change/",
        "shop/order/",
        "shop/user/2/change/",
    ):
        page.goto(f"/admin/{path}")
        axe(page, findings, path)
    assert not findings.pages, str(findings)


def test_phone_layouts_are_accessible(axe, phone, ada, carl, dora):
    findings = Findings()
    order = world.create_world(ada, carl, dora)[0]
    for path in (
        "",
        "shop/order/",
        "shop/product/",
        "shop/auditentry/",
        f"shop/order/{order.pk}/change/",
        "reports/day/?period=last_30_days",
        "reports/product/?period=last_30_days",
        "reports/tax/?first=x&last=x",
    ):
        phone.goto(f"/admin/{path}")
        axe(phone, findings, path)
        assert (
            phone.evaluate("document.documentElement.scrollWidth") == phone.viewport_size["width"]
        ), path
    assert not findings.pages, str(findings)


def test_lists_on_a_phone_are_cards_that_nothing_cuts_off(phone, ada, carl, dora):
    world.create_world(ada, carl, dora)
    for url in admin_urls.admin_urls(only="_changelist"):
        phone.goto(url.path)
        rights = phone.evaluate(RIGHT_EDGES)
        assert rights, url.name
        assert max(rights) <= phone.viewport_size["width"], url.name
        assert (
            phone.locator("#result_list thead th:not(.action-checkbox-column):visible").count() == 0
        )


def test_page_numbers_are_in_a_row_on_a_phone(phone):
    for number in range(26):
        factories.create_product(f"Mug {number:02}")
    phone.goto("/admin/shop/product/")
    first, second = (phone.locator("#main").get_by_text(text, exact=True) for text in "12")
    assert first.bounding_box()["y"] == second.bounding_box()["y"]


def test_the_next_action_is_on_the_first_screen_of_a_phone(phone, ada, carl, dora):
    for order in world.create_world(ada, carl, dora)[:4]:
        phone.goto(f"/admin/shop/order/{order.pk}/change/")
        button = phone.locator(".shop-banner .shop-button-primary")
        for element in (phone.locator(".shop-banner-title"), button):
            box = element.bounding_box()
            assert box["y"] + box["height"] <= phone.viewport_size["height"]


@pytest.mark.parametrize("model", ["order", "product"])
def test_twenty_rows_are_short_on_a_phone(phone, carl, model):
    world.create_more_orders(carl)
    phone.goto(f"/admin/shop/{model}/")
    assert phone.locator(".data-row").count() == 20
    assert phone.evaluate("document.documentElement.scrollHeight") < 2500
    row = phone.locator(".data-row").first
    assert row.evaluate("row => row.scrollWidth <= row.clientWidth")
