"""Find texts that a person reads and that are not marked for translation, in code and templates."""

import ast
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from django.db.models import Field
from django.db.models.fields.related import RelatedField
from django.template.base import Lexer, Token, TokenType

from shop.services import errors


def _subclasses(base: type) -> Iterator[type]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


#: Keyword arguments and class attributes that hold a text.
TEXT_NAMES = {
    "add_label",
    "empty_label",
    "empty_text",
    "search_help_text",
    "button",
    "description",
    "error_messages",
    "help_text",
    "hint",
    "label",
    "message",
    "short_description",
    "title",
    "verbose_name",
    "verbose_name_plural",
    "violation_error_message",
}
#: Function or method -> position of its text.
TEXT_ARGUMENTS = {
    "messages.success": 1,
    "messages.info": 1,
    "messages.warning": 1,
    "messages.error": 1,
    "messages.add_message": 2,
    "message_user": 1,
    "add_error": 1,
    "ValidationError": 0,
}
TEXT_ARGUMENTS |= {
    name: 0
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.ShopError)
}
#: Model fields whose first argument is their verbose name.
MODEL_FIELDS = {f.__name__ for f in _subclasses(Field) if not issubclass(f, RelatedField)}
GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
TRANSLATED_BLOCKS = {"blocktranslate", "blocktrans"}
SKIPPED_BLOCKS = TRANSLATED_BLOCKS | {"comment"}
#: Elements without texts for people: code, and names of keys.
SKIPPED_ELEMENTS = {"kbd", "script", "style"}
ICON_CLASS = "material-symbols-outlined"
TEXT_ATTRIBUTES = {"title", "aria-label", "alt", "placeholder"}
#: A literal argument of a template tag or filter that is shown, such as `default:"none"`.
TAG_TEXT = re.compile(
    r"""(?:\|default(?:_if_none)?:|\b(?:title|label|hint|button|placeholder)=)(["'])(.*?)\1"""
)
#: Names and units that no language translates.
UNTRANSLATED = {"API", "CSV", "JSON", "PDF", "SKU", "XLSX"}

#: A line and the text found in it.
type Finding = tuple[int, str]


def find_in_python(source: str) -> Iterator[Finding]:
    """Yield unmarked texts of a module, and texts that are formatted before their translation."""
    for node in ast.walk(ast.parse(source)):
        for value in _text_nodes(node):
            yield from ((found.lineno, ast.unparse(found)) for found in _unmarked(value))
        if isinstance(node, ast.Call) and _called_name(node) in GETTEXT:
            yield from (
                (part.lineno, ast.unparse(part))
                for part in node.args
                if isinstance(part, ast.JoinedStr | ast.BinOp)
            )


def find_in_template(source: str, *, is_html: bool) -> Iterator[Finding]:
    """Yield unmarked texts of a template: text nodes, attributes, and arguments of tags."""
    tokens = Lexer(source).tokenize()
    before = ""
    for token in tokens:
        is_in_html_tag = before.rfind("<") > before.rfind(">")
        if token.token_type == TokenType.TEXT:
            before += token.contents
        elif token.token_type != TokenType.COMMENT and not is_in_html_tag:
            texts = [match[2] for match in TAG_TEXT.finditer(token.contents)]
            yield from ((token.lineno, text) for text in texts if _is_text(text))
    text = _blank_out_tags(tokens)
    if is_html:
        parser = _TextParser()
        parser.feed(text)
        parser.close()
        yield from parser.findings
    else:
        for number, line in enumerate(text.split("\n"), start=1):
            if _is_text(line):
                yield number, line.strip()


def _text_nodes(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions of a node that hold a text for people."""
    if isinstance(node, ast.Call):
        name = _called_name(node)
        position = TEXT_ARGUMENTS.get(name, TEXT_ARGUMENTS.get(name.rpartition(".")[2]))
        if name.rpartition(".")[2] in MODEL_FIELDS and not name.startswith(("forms.", "fields.")):
            position = 0  # the verbose name
        if position is not None and len(node.args) > position:
            yield node.args[position]
        for keyword in node.keywords:
            # Unfold's `label={...}` maps values to colours.
            is_colours = keyword.arg == "label" and isinstance(keyword.value, ast.Dict)
            if keyword.arg in TEXT_NAMES and not is_colours:
                yield keyword.value
    elif isinstance(node, ast.ClassDef):
        is_choices = any(ast.unparse(base).endswith("Choices") for base in node.bases)
        for statement in node.body:
            if isinstance(statement, ast.Assign):
                yield from _assigned_texts(statement, is_choices=is_choices)


def _assigned_texts(statement: ast.Assign, *, is_choices: bool) -> Iterator[ast.expr]:
    [target, *_] = statement.targets
    if is_choices and isinstance(statement.value, ast.Tuple):
        yield statement.value.elts[-1]
        return
    pairs: Iterable[tuple[ast.expr, ast.expr]] = [(target, statement.value)]
    if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
        pairs = zip(target.elts, statement.value.elts, strict=True)
    for name, value in pairs:
        if isinstance(name, ast.Name) and name.id in TEXT_NAMES:
            yield value


def _unmarked(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the literals with letters in an expression that no gettext function surrounds."""
    match node:
        case ast.Constant(value=str(text)) if _is_text(text):
            yield node
        case ast.JoinedStr(values=parts):
            if any(_is_text(part.value) for part in parts if isinstance(part, ast.Constant)):
                yield node
        case _:
            for part in _parts(node):
                yield from _unmarked(part)


def _parts(node: ast.expr) -> list[ast.expr]:
    """Return the expressions that a text is put together from."""
    match node:
        case (
            ast.BinOp(op=ast.Mod(), left=part)
            | ast.Call(func=ast.Attribute(value=part, attr="format"))
            | ast.Call(func=ast.Name(id="str" | "format_html" | "mark_safe"), args=[part, *_])
        ):
            return [part]
        case ast.BinOp(left=first, right=second) | ast.IfExp(body=first, orelse=second):
            return [first, second]
        case (
            ast.Dict(values=parts)
            | ast.BoolOp(values=parts)
            | ast.List(elts=parts)
            | ast.Tuple(elts=parts)
        ):
            return parts
    return []


def _called_name(call: ast.Call) -> str:
    """Return the dotted name of the called function; empty if it has none."""
    is_named = isinstance(call.func, ast.Name | ast.Attribute)
    return ast.unparse(call.func) if is_named else ""


def _blank_out_tags(tokens: list[Token]) -> str:
    """Return the template's text with tags and translated blocks replaced by blank space.

    Line numbers stay the same.
    """
    parts, skipped_until = [], ""
    for token in tokens:
        if token.token_type == TokenType.TEXT:
            is_skipped = bool(skipped_until)
            parts.append(re.sub(r"[^\n]+", " ", token.contents) if is_skipped else token.contents)
            continue
        parts.append(" ")
        if token.token_type == TokenType.BLOCK:
            name = token.contents.split()[0]
            if name in SKIPPED_BLOCKS:
                skipped_until = f"end{name}"
            elif name == skipped_until:
                skipped_until = ""
    return "".join(parts)


def _is_text(text: str) -> bool:
    """Whether a text has words: letters that are not part of a URL, a tag or a known name."""
    plain = re.sub(r"<[^>]*>|&\w+;|%\(\w+\)\w|%\w|\{\w*\}|\w+://\S+", " ", text)
    return any(word not in UNTRANSLATED for word in re.findall(r"[^\W\d_]{2,}", plain))


class _TextParser(HTMLParser):
    """Collects text nodes, except code, keys and icons, and attributes that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Finding] = []
        self._is_skipping = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_icon = ICON_CLASS in (dict(attrs).get("class") or "").split()
        self._is_skipping = is_icon or tag in SKIPPED_ELEMENTS
        for name, value in attrs:
            if name in TEXT_ATTRIBUTES and value and _is_text(value):
                self.findings.append((self.getpos()[0], value))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - HTMLParser's
        self._is_skipping = False

    def handle_data(self, data: str) -> None:
        if not self._is_skipping and _is_text(data):
            blank_lines = data[: len(data) - len(data.lstrip())].count("\n")
            self.findings.append((self.getpos()[0] + blank_lines, " ".join(data.split())))
