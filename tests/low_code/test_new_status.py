"""A new order status needs an edit of one file and a migration, shown on a copy of the project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the copy has its own SQLite file"),
]
ROOT = Path(__file__).parents[2]
COPIED = ("settings", "shop", "templates", "fixtures", "tests", "manage.py", "pyproject.toml")
IGNORED = shutil.ignore_patterns("__pycache__", "*.sqlite3*")
#: Without the variables of the test process that starts the copy's.
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
ENVIRON |= {"DATABASE_URL": "sqlite:///copy.sqlite3", "EMAIL_URL": "dummy://"}
STATUS_FILE = "shop/models/order_status.py"
#: Text in STATUS_FILE -> the same with the status "packed" between "confirmed" and "shipped".
EDITS = {
    """
    SHIPPED = "shipped", _("Shipped")
""": """
    PACKED = "packed", _("Packed")
    SHIPPED = "shipped", _("Shipped")
""",
    """
        next=(OrderStatus.SHIPPED, OrderStatus.CANCELLED),
""": """
        next=(OrderStatus.PACKED, OrderStatus.CANCELLED),
""",
    """
    OrderStatus.SHIPPED: StatusFacts(
""": """
    OrderStatus.PACKED: StatusFacts(
        next=(OrderStatus.SHIPPED, OrderStatus.CANCELLED),
        role="info",
        action=_("Mark as packed"),
        bulk_action=_("Pack selected orders"),
        waiting_for=_("to be handed over"),
        customer_can_cancel=True,
    ),
    OrderStatus.SHIPPED: StatusFacts(
""",
}
#: Tests that visit every page, show every status or move orders.
TESTS = (
    "tests/admin/test_every_url.py",
    "tests/admin/orders",
    "tests/services/test_order_moves.py",
    "tests/services/test_bulk_moves.py",
    "tests/api/test_order_status.py",
    "tests/test_checks.py",
)


def add_status(path):
    text = path.read_text(encoding="utf-8")
    for old, new in EDITS.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def read_files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in COPIED
        for path in (folder / name, *(folder / name).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def run_python(folder, *arguments):
    """Run Python in the folder; return its exit code and output."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=ENVIRON,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


def test_a_new_status_needs_one_edited_file_and_a_migration(tmp_path):
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(
            ROOT / name, tmp_path / name, **({"ignore": IGNORED} if copy is shutil.copytree else {})
        )
    before = read_files(tmp_path)
    add_status(tmp_path / STATUS_FILE)
    for command in ("makemigrations", "migrate"):
        code, output = run_python(tmp_path, "manage.py", command, "-v0")
        assert code == 0, output

    after = read_files(tmp_path)
    edited = {path for path, content in before.items() if after.get(path) != content}
    added = after.keys() - before.keys()
    assert edited == {STATUS_FILE}
    assert [Path(path).parent.as_posix() for path in added] == ["shop/migrations"]

    code, output = run_python(
        tmp_path,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-m",
        "not browser",
        "--tb=short",
        *TESTS,
    )
    assert code == 0, output
