"""Every text that a person reads is marked for translation: literals in Python and in templates."""

import ast
import re
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

ROOT = Path(__file__).parents[1]
FOLDERS = ("models", "admin", "documents", "services", "product_files")
PYTHON = sorted(path for name in FOLDERS for path in (ROOT / "shop" / name).rglob("*.py"))
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.*") if path.is_file())

MARKERS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext"}
#: Keyword arguments whose values people read.
TEXT_KEYWORDS = {
    *("verbose_name", "verbose_name_plural", "label", "help_text", "violation_error_message"),
    *("title", "hint", "button", "empty_text", "add_label", "search_help_text", "empty_label"),
}
TEXT_ATTRIBUTES = TEXT_KEYWORDS - {"title"}
OWN_FIELDS = {"MoneyField", "SkuField", "PictureField", "LowerEmailField"}
MESSAGE_FUNCTIONS = {"success", "info", "warning", "error"}
#: Attributes of HTML elements that people read or hear.
TEXT_ATTRIBUTE = re.compile(r'\b(?:title|aria-label|alt|placeholder)="([^"]*[^\W\d_]{2}[^"]*)"')
#: Markup, names of icons, and keys on the keyboard.
NOT_TEXT = re.compile(
    r"<(style|script|kbd)\b.*?</\1>|<span class=\"material-symbols-outlined.*?</span>"
    r"|<[^>]*>|<!--.*?-->|&\w+;|[^<]*>",
    re.DOTALL,
)
WORD = re.compile(r"[^\W\d_]{2}")


def is_unmarked(node):
    """Return whether the expression is a text literal with words."""
    if isinstance(node, ast.JoinedStr):
        return any(is_unmarked(part) for part in node.values if isinstance(part, ast.Constant))
    return isinstance(node, ast.Constant) and bool(WORD.search(str(node.value)))


def function_name(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def call_texts(call):
    """Yield the arguments of a call that people read."""
    name = function_name(call)
    yield from (word.value for word in call.keywords if word.arg in TEXT_KEYWORDS)
    if name in {"display", "action"}:
        yield from (word.value for word in call.keywords if word.arg == "description")
    is_models = ast.unparse(call.func).startswith("models.")
    is_field = name in OWN_FIELDS or (is_models and name.endswith("Field"))
    if call.args and (is_field or name in {"ValidationError", "FileRefused"}):
        yield call.args[0]
    is_message = ast.unparse(call.func).startswith("messages.") and name in MESSAGE_FUNCTIONS
    if len(call.args) > 1 and (is_message or name == "add_error"):
        yield call.args[1]


def class_texts(node):
    """Yield the labels of choices and the options of a ModelAdmin or Meta that people read."""
    is_choices = any("Choices" in ast.unparse(base) for base in node.bases)
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            names = {target.id for target in statement.targets if isinstance(target, ast.Name)}
            if names & TEXT_ATTRIBUTES:
                yield statement.value
            if is_choices and isinstance(statement.value, ast.Tuple):
                yield statement.value.elts[-1]


def unmarked_in_python(source):
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    values = [value for node in nodes if isinstance(node, ast.Call) for value in call_texts(node)]
    values += [v for node in nodes if isinstance(node, ast.ClassDef) for v in class_texts(node)]
    for value in values:
        parts = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
        yield from (part.lineno for part in parts if is_unmarked(part))
    for node in nodes:
        if isinstance(node, ast.Call) and function_name(node) in MARKERS:
            yield from (part.lineno for part in node.args if isinstance(part, ast.JoinedStr))


def unmarked_in_template(source):
    inside, text = "", ""
    for token in Lexer(source).tokenize():
        word = token.contents.split(" ", 1)[0]
        if token.token_type == TokenType.BLOCK and word in {"blocktranslate", "comment"}:
            inside = word
        elif token.token_type == TokenType.BLOCK and word in {"endblocktranslate", "endcomment"}:
            inside = ""
        elif token.token_type == TokenType.TEXT and not inside:
            text += token.contents
        else:
            text += "\0"
    yield from TEXT_ATTRIBUTE.findall(text)
    yield from (part.strip() for part in NOT_TEXT.sub("\1", text).split("\1") if WORD.search(part))


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_in_python_is_marked(path):
    assert sorted(set(unmarked_in_python(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_in_templates_is_marked(path):
    assert list(unmarked_in_template(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        'name = models.CharField("name", max_length=9)',
        'price = forms.DecimalField(label="New price")',
        'class Kind(TextChoices):\n    NEW = "new", "New"',
        'messages.success(request, f"{count} orders")',
        'raise ValidationError("Too much.")',
        'text = _(f"{count} orders")',
        'class OrderAdmin:\n    empty_text = "No orders yet."',
    ],
)
def test_an_unmarked_text_in_python_is_found(source):
    assert list(unmarked_in_python(source)) != []


@pytest.mark.parametrize("source", ["<p>Orders</p>", '<a title="Orders">1</a>', "{{ n }} orders"])
def test_an_unmarked_text_in_a_template_is_found(source):
    assert list(unmarked_in_template(source)) != []


@pytest.mark.parametrize(
    "source", ['<p class="shop-box">{% translate "Orders" %}</p>', "<b>{{ order }}</b> · 2"]
)
def test_marked_texts_are_accepted(source):
    assert list(unmarked_in_template(source)) == []
