"""HTML descriptions of other shops as the plain text that ours are."""

import html
import re
from html.parser import HTMLParser

_TAG = re.compile(r"<[a-zA-Z/!]")
_PARAGRAPHS = frozenset(
    {"p", "div", "ul", "ol", "dl", "table", "blockquote", "section", "article", "pre", "hr"}
    | {"h1", "h2", "h3", "h4", "h5", "h6"}
)
_LINES = frozenset({"br", "li", "tr", "dt", "dd"})
_UNSEEN = frozenset({"script", "style", "template", "title"})
_BLANKS = re.compile(r"[^\S\n]+")
_AROUND_BREAKS = re.compile(r" *\n *")
_MANY_BREAKS = re.compile(r"\n{3,}")


def html_to_text(text: str) -> str:
    """The text without tags, its paragraphs, line breaks and lists kept, entities as the signs they mean."""
    if not _TAG.search(text):
        return html.unescape(text)
    reader = _Reader()
    reader.feed(text.replace("\r\n", "\n").replace("\r", "\n"))
    reader.close()
    found = _BLANKS.sub(" ", "".join(reader.pieces))
    return _MANY_BREAKS.sub("\n\n", _AROUND_BREAKS.sub("\n", found)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the library's
        if tag in _UNSEEN:
            self._unseen += 1
        self.pieces.append(_break(tag))
        if tag == "li":
            self.pieces.append("- ")
        elif tag in {"td", "th"}:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if tag in _PARAGRAPHS:
            self.pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)


def _break(tag: str) -> str:
    return "\n\n" if tag in _PARAGRAPHS else "\n" if tag in _LINES else ""
