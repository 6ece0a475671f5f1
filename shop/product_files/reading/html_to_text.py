"""Conversion of HTML descriptions to the plain text of a product description."""

import html
import re
from html.parser import HTMLParser

_TAG = re.compile(r"<[a-zA-Z/!]")
_PARAGRAPH_TAGS = frozenset(
    {"p", "div", "ul", "ol", "dl", "table", "blockquote", "section", "article", "pre", "hr"}
    | {"h1", "h2", "h3", "h4", "h5", "h6"}
)
_LINE_TAGS = frozenset({"br", "li", "tr", "dt", "dd"})
_HIDDEN_TAGS = frozenset({"script", "style", "template", "title"})
_SPACES = re.compile(r"[^\S\n]+")
_LINE_BREAK = re.compile(r" *\n *")
_BLANK_LINES = re.compile(r"\n{3,}")


def html_to_text(text: str) -> str:
    """Return the text without tags and entities. Paragraphs, line breaks and lists are kept."""
    if not _TAG.search(text):
        return html.unescape(text)
    parser = _TextExtractor()
    parser.feed(text.replace("\r\n", "\n").replace("\r", "\n"))
    parser.close()
    plain = _SPACES.sub(" ", "".join(parser.pieces))
    return _BLANK_LINES.sub("\n\n", _LINE_BREAK.sub("\n", plain)).strip()


class _TextExtractor(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden_depth = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - HTMLParser's signature
        if tag in _HIDDEN_TAGS:
            self._hidden_depth += 1
        if tag in _PARAGRAPH_TAGS:
            self.pieces.append("\n\n")
        elif tag in _LINE_TAGS:
            self.pieces.append("\n- " if tag == "li" else "\n")
        elif tag in {"td", "th"}:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN_TAGS:
            self._hidden_depth = max(0, self._hidden_depth - 1)
        if tag in _PARAGRAPH_TAGS:
            self.pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden_depth:
            self.pieces.append(data)
