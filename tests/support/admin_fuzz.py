"""Hostile requests to every URL of the admin: each query parameter, form field and body."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote_plus, urlsplit

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile

from support import admin_urls, hostile_inputs

#: Values of a parameter or field, percent-encoded where they are no text.
VALUES = [
    *hostile_inputs.QUERY_VALUES,
    *("2026-00-01", "0000-01-01", "10000-01-01", "99999999-01-01", "25:61", "1,2", "a" * 100_000),
    *("true", "1|2", "{}", '{"a":', "[[[[", "e30=", "====", "a:b:c", "../../etc/passwd", "0x10"),
    *("%00%00", "%0d%0aX-Header:%201", "%C2%85", "%F0%9F%98%80", "%E2%81%A6", "%EF%BB%BF", "+%09+"),
    *(str(2**31), str(-(2**63) - 1), "1e5", "-0", "1_000", "%D9%A3", "%EF%BC%91", "Infinity", "("),
    *("%s%n{0}{{7*7}}", "<script>alert(1)</script>", '"', "'", "\\", "^(a+)+$", "1.2.3", "-1.-2"),
]
#: Parameters that pages of Django's admin, Unfold and the shop read.
COMMON_PARAMETERS = [
    *("_changelist_filters", "_popup", "_to_field", "_facets", "e", "next", "once", "days", "step"),
    *("_save", "_addanother", "_saveasnew", "post", "action", "select_across", "index", "page"),
    *("seen", "good_only", "key", "fingerprint", "pdf", "note", "reason", "by", "file_format"),
]
LIST_PARAMETERS = ["q", "o", "p", "all", "s", "show", "pk", "id__in", "pk__in", "__", "%00", "a__b"]
LOOKUPS = [
    *("exact", "iexact", "in", "isnull", "gt", "lte", "range", "year", "year__gte", "month"),
    *("date", "week", "hour", "regex", "iregex", "icontains", "startswith", "from", "to", "from_0"),
]
PARAMETERS_BY_NAME = {
    "autocomplete": ["app_label", "model_name", "field_name", "term"],
    "search": ["s", "extended", "page"],
    "shop_order_search_choices": ["term"],
    "shop_product_look_up_products": ["code", "id", "text"],
}
#: Content types and bodies that no form sends.
BODIES = [
    ("application/x-www-form-urlencoded", b"a=%ff&b=%00&=&&_selected_action=%00"),
    ("application/x-www-form-urlencoded", b"a=1&" * 2000),
    ("application/x-www-form-urlencoded; charset=utf-16", b"a=1"),
    ("application/x-www-form-urlencoded; charset=hex", b"a=1"),
    ("text/plain; charset=unicode_escape", b"a=1"),
    ("text/plain; charset=undefined", b"a=1"),
    ("multipart/form-data; boundary=x; charset=hex", b"--x\r\n\r\n--x--"),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="\x00/../a"\r\n\r\n!\r\n--x--',
    ),
    (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Disposition: form-data\r\nContent-Transfer-Encoding: base64\r\n\r\n!",
    ),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n1\r\n' * 200,
    ),
    ("application/json", b'{"a": ' + b"[" * 50_000),
    ("application/json", b""),
    ("image/png", bytes(range(256))),
]


class FormReader(HTMLParser):
    """Reads the fields of a page's forms, and the parameters of its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.files: set[str] = set()
        self.parameters: dict[str, str] = {}
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name, value = found.get("name", ""), found.get("value", "")
        if tag == "a" and "?" in found.get("href", ""):
            query = urlsplit(found["href"]).query
            self.parameters |= dict(parse_qsl(query, keep_blank_values=True))
        elif tag == "option" and self._select and value:
            self.fields.append((self._select, value))
        elif tag == "select":
            self._select = name
        elif tag in {"input", "textarea", "button"} and name and name != "csrfmiddlewaretoken":
            self.fields.append((name, value))
            if found.get("type") == "file":
                self.files.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


@dataclass
class Page:
    """A URL with the parameters and form fields that it is known to read."""

    name: str
    path: str
    parameters: dict[str, str]
    #: Field -> its values on the page.
    fields: dict[str, list[str]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


@dataclass
class Attack:
    """A request, as arguments of Django's test client; `query` is percent-encoded."""

    page: Page
    method: str
    query: str = ""
    data: Any = None
    content_type: str = ""

    def send(self, client: Any) -> Any:
        url = f"{self.page.path}?{self.query}" if self.query else self.page.path
        if self.method == "get":
            return client.get(url)
        if isinstance(self.data, bytes):  # as it is: `post` would encode it
            return client.generic("POST", url, self.data, content_type=self.content_type)
        return client.post(url, self.data)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.page.path}?{self.query[:200]} {str(self.data)[:300]}"


def read_pages(client: Any) -> list[Page]:
    """Open every page of the admin but login and logout, and read its forms."""
    pages = []
    for url in admin_urls.admin_urls():
        if url.name in {"login", "logout"}:
            continue
        page = Page(url.name, url.path, dict.fromkeys(_parameters(url), "1"))
        response = client.get(url.path)
        if not response.streaming and "html" in response.get("Content-Type", ""):
            forms = FormReader(response.content.decode())
            for name, value in forms.fields:
                page.fields.setdefault(name, []).append(value)
            page.files = forms.files
            page.parameters |= forms.parameters | dict.fromkeys(page.fields, "1")
        pages.append(page)
    return pages


def _parameters(url: admin_urls.AdminUrl) -> Iterator[str]:
    yield from COMMON_PARAMETERS
    yield from PARAMETERS_BY_NAME.get(url.name, ())
    match = re.fullmatch(r"([a-z]+)_([a-z]+)_(changelist|export)", url.name)
    if match:
        yield from LIST_PARAMETERS
        for model_field in apps.get_model(match[1], match[2])._meta.concrete_fields:
            yield from (f"{model_field.name}__{lookup}" for lookup in LOOKUPS)
            if model_field.is_relation:
                yield f"{model_field.name}__id__exact"
                yield f"{model_field.name}__email"


def attacks(pages: list[Page], seed: int) -> Iterator[Attack]:
    """Yield attacks without end: on each parameter, field and body in turn, with random values."""
    rng = random.Random(seed)  # noqa: S311 - repeatable
    targets: list[tuple[Page, str, Any]] = [
        *((page, "parameter", name) for page in pages for name in page.parameters),
        *((page, "field", name) for page in pages for name in page.fields),
        *((page, "body", body) for page in pages for body in BODIES),
    ]
    while True:
        rng.shuffle(targets)
        for page, kind, target in targets:
            yield _build_attack(rng, page, kind, target)


def _build_attack(rng: random.Random, page: Page, kind: str, target: Any) -> Attack:
    if kind == "body":
        content_type, data = target
        return Attack(page, "post", data=data, content_type=content_type)
    if kind == "parameter":
        names = [target, *rng.sample(list(page.parameters), rng.choice([0, 0, 1, 2]))]
        pairs = [(name, value) for name in names for value in _hostile_values(rng)]
        query = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in pairs)
        method = rng.choice(["get", "get", "get", "post"])
        data = {name: values[0] for name, values in page.fields.items()}
        return Attack(page, method, query, data | _action(rng, page))
    data = {name: rng.choice(values) for name, values in page.fields.items()} | _action(rng, page)
    for name in [target, *rng.sample(list(page.fields), rng.choice([0, 0, 1]))]:
        data[name] = [_hostile_form_value(rng, name in page.files) for _ in _hostile_values(rng)]
        if rng.random() < 0.1:
            del data[name]
    return Attack(page, "post", data=data)


def _action(rng: random.Random, page: Page) -> dict[str, Any]:
    """Return a list's action with selected rows, so that most attacks get to its form."""
    if "action" not in page.fields:
        return {}
    selected = page.fields.get("_selected_action", ["1"])
    names = ("note", "reason", "by", "value", "file_format", "layout", "post", "pdf", "once")
    extra = {name: rng.choice(["", "1", "percent", "csv", "own"]) for name in names}
    chosen = {name: value for name, value in extra.items() if rng.random() < 0.3}
    actions = [value for value in page.fields["action"] if value]
    action = rng.sample(actions, min(len(actions), rng.choice([1, 1, 1, 2])))
    return {"action": action, "_selected_action": rng.sample(selected, 1), "index": "0", **chosen}


def _hostile_values(rng: random.Random) -> list[str]:
    return rng.sample(VALUES, rng.choice([1, 1, 1, 2]))


def _hostile_form_value(rng: random.Random, is_file: bool) -> Any:  # noqa: FBT001
    value = rng.choice(VALUES)
    content = rng.choice([b"", b"\0" * 50, b"SKU,name\nA,B\n", b"PK\x03\x04" + bytes(40), b"\xff"])
    if rng.random() < (0.7 if is_file else 0.05):
        return SimpleUploadedFile(rng.choice(["a.csv", "a.zip", "x" * 300, "a\u202e.png"]), content)
    return _decode(value)


def _encode(text: str) -> str:
    """Quote a text, but keep what is percent-encoded on purpose."""
    return text if re.search(r"%[0-9a-fA-F]{2}", text) else quote_plus(text)


def _decode(text: str) -> str:
    """Return the text of a percent-encoded value, as a browser would send it in a form."""
    return unquote_plus(text) if re.search(r"%[0-9a-fA-F]{2}", text) else text
