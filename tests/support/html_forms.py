"""What a browser sends for the form of a page: every field as it is in the HTML."""

from html.parser import HTMLParser
from typing import Any


class _FormReader(HTMLParser):
    """Collects the fields of the form with this id, as a browser does, but for its buttons."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.is_inside = form_id, False
        self.data: dict[str, list[str]] = {}
        self._select: str | None = None
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, kind = found.get("name") or "", found.get("type") or "text"
        if tag == "form":
            self.is_inside = (found.get("id") or "") == self.form_id
        if not self.is_inside:
            return
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in found:
            self._add(self._select, found.get("value") or "")
        elif tag == "textarea" and name:
            self._textarea = name
            self._add(name, "")
        elif tag == "input" and name and kind in {"checkbox", "radio"}:
            if "checked" in found:
                self._add(name, found.get("value") or "on")
        elif tag == "input" and name and kind not in {"submit", "file", "image", "button"}:
            self._add(name, found.get("value") or "")

    def handle_data(self, data: str) -> None:
        if self.is_inside and self._textarea:
            # A line break after the tag does not belong to the value.
            self.data[self._textarea][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea" and self._textarea:
            values = self.data[self._textarea]
            values[-1] = values[-1].removeprefix("\r").removeprefix("\n").replace("\n", "\r\n")
            self._textarea = None

    def _add(self, name: str, value: str) -> None:
        self.data.setdefault(name, []).append(value.replace("\n", "\r\n"))


def form_fields(response: Any, form_id: str) -> dict[str, list[str]]:
    """Return the values of the form with this id on the page, by field."""
    reader = _FormReader(form_id)
    reader.feed(response.content.decode())
    assert reader.data, f"no form {form_id}"
    return reader.data
