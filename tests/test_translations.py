"""Every text that a person reads is marked for translation."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.translation_check import find_in_python, find_in_template

from shop.models import Order

ROOT = Path(__file__).parents[1]
PACKAGES = ("models", "admin", "documents", "services", "product_files")
#: Texts that stay unmarked, as `path: text`.
ALLOWED: frozenset[str] = frozenset()


def unmarked_texts(paths, find):
    """Return one line per unmarked text: `path:line: text`."""
    return [
        f"{name}:{line}: {text}"
        for path in sorted(paths)
        for name in [path.relative_to(ROOT).as_posix()]
        for line, text in sorted(set(find(path)))
        if f"{name}: {text}" not in ALLOWED
    ]


def test_every_text_in_the_code_is_marked():
    paths = [path for name in PACKAGES for path in (ROOT / "shop" / name).rglob("*.py")]
    texts = unmarked_texts(paths, lambda path: find_in_python(path.read_text(encoding="utf-8")))
    assert texts == [], "\n".join(["unmarked texts:", *texts])


def test_every_text_in_the_templates_is_marked():
    paths = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    texts = unmarked_texts(
        paths,
        lambda path: find_in_template(
            path.read_text(encoding="utf-8"), is_html=path.suffix == ".html"
        ),
    )
    assert texts == [], "\n".join(["unmarked texts:", *texts])


@pytest.mark.parametrize(
    "source",
    [
        "models.CharField('name')",
        "forms.CharField(label='Name')",
        "forms.CharField(error_messages={'required': 'Enter a name.'})",
        "class Kind(models.TextChoices):\n    SALE = 'sale', 'Sale'",
        "class Meta:\n    verbose_name = 'order'",
        "class Gone(ShopError):\n    code, message = 'gone', 'It is gone.'",
        "@admin.action(description='Archive selected products')\ndef archive(): pass",
        "page(title=f'Change {count} prices')",
        "page(hint='Nothing changes.' if rows else '')",
        "messages.error(request, 'It failed: %s' % error)",
        "messages.add_message(request, level, 'It failed')",
        "form.add_error(None, 'It failed.')",
        "raise ValidationError({'name': ['It is empty.']})",
        "raise NotFound('There is no such order.')",
        "_(f'Order {order}')",
        "ngettext('%s order' % count, '%s orders' % count, count)",
    ],
)
def test_unmarked_text_in_code_is_found(source):
    assert list(find_in_python(source)) != []


@pytest.mark.parametrize(
    "source",
    [
        "models.CharField(_('name'), max_length=5)",
        "messages.error(request, _('Order %(order)s failed.') % {'order': order})",
        "page(title=ngettext('%(n)d order', '%(n)d orders', n) % {'n': n}, hint='')",
        "raise NotFound",
        "raise ImproperlyConfigured('DATABASE_URL is missing.')",
        "logger.error('The email was not sent.')",
        "class Kind(models.TextChoices):\n    SALE = 'sale', _('Sale')",
        "@display(label={State.DONE: 'success'})\ndef state(): pass",
    ],
)
def test_marked_text_in_code_is_accepted(source):
    assert list(find_in_python(source)) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>\n Total</p>", [(2, "Total")]),
        ("{% blocktranslate %}Total{% endblocktranslate %}\n{{ a }} of {{ b }}", [(2, "of")]),
        ('<a title="Remove {{ item }}" class="button">×</a>', [(1, "Remove  ")]),
        ('{{ note|default:"none" }}', [(1, "none")]),
        ('<a class="button {{ kind|default:"primary" }}"><kbd>Enter</kbd></a>', []),
        ('{% include "x.html" with title="Orders" %}', [(1, "Orders")]),
        ('{% include "x.html" with title=_("Orders") %}', []),
        ('{% translate "Total" %}: {{ total }} &nbsp;<b class="big">{{ a }}</b>', []),
        ("<style>a { color: red }</style><script>let text;</script>{# comment #}", []),
    ],
)
def test_text_in_templates(source, expected):
    assert list(find_in_template(source, is_html=True)) == expected


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs gettext's xgettext")
def test_makemessages_finds_the_texts(tmp_path):
    for name in ("shop", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "locale").mkdir()
    command = [sys.executable, "-m", "django", "makemessages", "--locale=de"]
    environ = {name: os.environ[name] for name in os.environ if name != "DJANGO_SETTINGS_MODULE"}
    result = subprocess.run(
        command,
        cwd=tmp_path,
        env=environ,
        check=True,
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert "warning" not in result.stdout.lower()
    catalogue = (tmp_path / "locale/de/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    for status in Order.Status:
        assert f'msgid "{status.label}"' in catalogue
