"""Counts what a person does on a page: clicks, keys, and the pages that they wait for."""

from dataclasses import dataclass

COUNT_CLICKS = """
  addEventListener('pointerdown', () => window.countClick(), true);
  addEventListener('keydown', () => window.countKey(), true);
"""


@dataclass
class Effort:
    """Clicks, page loads and keys since `count_effort`."""

    clicks: int = 0
    loads: int = 0
    keys: int = 0


def count_effort(page):
    """Return the Effort of the page, which counts from its next load on."""
    effort = Effort()

    def count_click(_source):
        effort.clicks += 1

    def count_key(_source):
        effort.keys += 1

    def count_load(_page):
        effort.loads += 1

    page.context.expose_binding("countClick", count_click)
    page.context.expose_binding("countKey", count_key)
    page.add_init_script(COUNT_CLICKS)
    page.on("domcontentloaded", count_load)
    return effort
