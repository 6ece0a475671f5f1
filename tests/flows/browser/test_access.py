"""No page keeps anybody out: neither who cannot see a pale grey, nor who holds a phone."""

from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as StillTooWide
from support import world
from support.browser import PHONE, require_tool
from support.page_checks import Findings, every_page, lists, outside

AXE = Path(__file__).parents[3] / ".axe" / "axe.min.js"
# In the dark only the colours differ.
RULES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "dark": ["color-contrast"],
}
ASK = """async ([theme, rules]) => {
  if (window.Alpine) Alpine.$data(document.documentElement).switchTheme(theme);
  const still = new CSSStyleSheet();
  still.replaceSync("*, *::before, *::after { transition: none !important; animation: none !important }");
  document.adoptedStyleSheets = [still];
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"], preload: false});
  return found.violations.filter(one => ["serious", "critical"].includes(one.impact)).flatMap(
    one => one.nodes.map(node => [one.id, node.target.join(" "), node.any[0]?.message || one.help]));
}"""
# A page is as wide as the window, and so is whatever on it does not scroll by itself.
FITS = "document.documentElement.scrollWidth <= innerWidth"
WIDER = """() => [...document.querySelectorAll("body *")]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3)
  .map(e => e.outerHTML.slice(0, 120))"""
REDRAWN = 5_000  # milliseconds for a chart to be drawn anew, narrower


@pytest.fixture(scope="session")
def axe():
    """`axe(page, findings, name)`: note whatever keeps somebody from using the page, in both themes."""
    script = require_tool(AXE if AXE.exists() else None, "axe-core").read_text()

    def look(page, findings, name):
        page.evaluate(script)
        for theme, rules in RULES.items():
            page.emulate_media(color_scheme=theme)
            for rule, where, why in page.evaluate(ASK, [theme, rules]):
                findings.add(f"{theme}: {rule}: {where}: {why}", name)

    return look


def narrow(page, findings, name):
    """Note what is wider than a phone."""
    wide = page.viewport_size
    page.set_viewport_size(PHONE["viewport"])
    try:
        page.wait_for_function(FITS, timeout=REDRAWN)
    except StillTooWide:
        for what in page.evaluate(WIDER):
            findings.add(f"wider than a phone: {what}", name)
    page.set_viewport_size(wide)


def test_every_page_can_be_used_by_everyone(axe, page, ada, carl, dora, troubles):
    findings = Findings()
    world.create_world(ada, carl, dora)
    for name in every_page(page, troubles):
        axe(page, findings, name)
        narrow(page, findings, name)
    assert not findings.pages, str(findings)


def test_empty_lists_and_the_way_in_can_be_used_by_everyone(axe, page, window):
    findings = Findings()
    stranger = window(None)
    for name in outside(stranger):
        axe(stranger, findings, name)
        narrow(stranger, findings, name)
    for name in lists(page):
        axe(page, findings, name)
        narrow(page, findings, name)
    assert not findings.pages, str(findings)


def test_what_a_viewer_sees_can_be_used_by_everyone(axe, window, viewer, ada, carl, dora):
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


def test_what_is_other_on_a_phone_can_be_used_by_everyone(axe, phone, ada, carl, dora):
    findings = Findings()
    order = world.create_world(ada, carl, dora)[0]
    for path in (
        "",
        "shop/order/",
        "shop/product/",
        "shop/auditentry/",
        f"shop/order/{order.pk}/change/",
    ):
        phone.goto(f"/admin/{path}")
        axe(phone, findings, path)
        assert (
            phone.evaluate("document.documentElement.scrollWidth") == phone.viewport_size["width"]
        ), path
    assert not findings.pages, str(findings)


def test_the_next_step_is_on_the_phones_first_screen(phone, ada, carl, dora):
    for order in world.create_world(ada, carl, dora)[:4]:
        phone.goto(f"/admin/shop/order/{order.pk}/change/")
        step = phone.locator(".shop-banner .shop-button-primary")
        for part in (phone.get_by_role("heading", name=order.order_number, exact=True), step):
            box = part.bounding_box()
            assert box["y"] + box["height"] <= phone.viewport_size["height"]


@pytest.mark.parametrize("model", ["order", "product"])
def test_twenty_rows_are_a_short_way_on_a_phone(phone, carl, model):
    world.create_more_orders(carl)
    phone.goto(f"/admin/shop/{model}/")
    assert phone.locator(".data-row").count() == 20
    assert phone.evaluate("document.documentElement.scrollHeight") < 2500
    row = phone.locator(".data-row").first
    assert row.evaluate("row => row.scrollWidth <= row.clientWidth")
