"""The one-way street of this app: a file may import only from the rows below its own."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = [
    {"db", "exposure", "images", "json_logging", "money", "text_validation", "throttling"},
    {"models"},
    {"checks", "documents", "schema_factory"},
    {"services"},
    {"product_files"},
    {"admin", "api"},
    {"apps", "management", "middleware"},
]
ROW = {name: number for number, names in enumerate(ROWS) for name in names}
NEVER = {("admin", "api"), ("api", "admin"), ("api", "product_files")}
FILES = [path for path in (ROOT / "shop").rglob("*.py") if "migrations" not in path.parts]


def imports(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                [f"shop.{a.name}" for a in node.names] if node.module == "shop" else [node.module]
            )
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def wrong_ways(mine, source):
    """The imports that point up or sideways, by name."""
    theirs = {name.split(".")[1] for name in imports(source) if name.startswith("shop.")}
    for other in theirs - {mine}:
        if ROW[other] > ROW[mine] or (mine, other) in NEVER or (ROW[mine] == 0 and ROW[other] == 0):
            yield f"{mine} must not import {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_point_down(path):
    mine = path.relative_to(ROOT / "shop").parts[0].removesuffix(".py")
    assert mine == "__init__" or list(wrong_ways(mine, path.read_text())) == []


@pytest.mark.parametrize(
    ("mine", "source"),
    [
        ("services", "from shop.api import tokens"),
        ("api", "import shop.admin.base"),
        ("models", "from shop.documents import emails"),
        ("product_files", "from shop.admin import base"),
        ("api", "from shop.product_files import reading"),
    ],
)
def test_an_import_that_points_up_is_found(mine, source):
    assert list(wrong_ways(mine, source)) != []


def test_settings_import_nothing_of_the_shop_but_addresses():
    for path in (ROOT / "settings").glob("*.py"):
        found = {
            name for name in imports(path.read_text()) if name.split(".")[0] in {"shop", "ninja"}
        } - {"shop.__version__"}
        assert not found or path.name == "urls.py", f"{path.name} imports {found}"
