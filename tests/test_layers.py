"""Modules of shop/ import only from layers below their own."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: From the lowest layer to the highest. Only modules of LEAVES may not import each other.
LEAVES = {
    "barcodes",
    "exposure",
    "images",
    "json_logging",
    "money",
    "text_validation",
    "throttling",
}
LAYERS = [
    {"db"},
    {"caching"},
    LEAVES,
    {"models"},
    {"checks", "documents", "natural_keys", "password_words", "schema_factory"},
    {"services"},
    {"product_files"},
    {"admin", "api"},
    {"apps", "management", "middleware"},
]
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
FORBIDDEN = {("admin", "api"), ("api", "admin"), ("api", "product_files")}
FILES = [path for path in (ROOT / "shop").rglob("*.py") if "migrations" not in path.parts]


def imported_modules(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                [f"shop.{a.name}" for a in node.names] if node.module == "shop" else [node.module]
            )
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def forbidden_imports(importer, source):
    """Yield the packages of shop/ that `importer` imports and must not."""
    imported = {name.split(".")[1] for name in imported_modules(source) if name.startswith("shop.")}
    for other in imported - {importer}:
        is_above = LAYER_OF[other] > LAYER_OF[importer]
        if is_above or (importer, other) in FORBIDDEN or {importer, other} <= LEAVES:
            yield other


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_lower_layers_only(path):
    importer = path.relative_to(ROOT / "shop").parts[0].removesuffix(".py")
    assert importer == "__init__" or list(forbidden_imports(importer, path.read_text())) == []


@pytest.mark.parametrize(
    ("importer", "source", "imported"),
    [
        ("services", "from shop.api import tokens", "api"),
        ("api", "import shop.admin.base", "admin"),
        ("models", "from shop.documents import emails", "documents"),
        ("product_files", "from shop.admin import base", "admin"),
        ("api", "from shop.product_files import reading", "product_files"),
        ("db", "from shop import exposure", "exposure"),
        ("images", "from shop.money import MoneyField", "money"),
    ],
)
def test_a_forbidden_import_is_reported(importer, source, imported):
    assert list(forbidden_imports(importer, source)) == [imported]


def test_settings_import_nothing_of_the_shop_but_url_configurations():
    for path in (ROOT / "settings").glob("*.py"):
        names = {
            name
            for name in imported_modules(path.read_text())
            if name.split(".")[0] in {"shop", "ninja"}
        } - {"shop.__version__"}
        assert not names or path.name == "urls.py", f"{path.name} imports {names}"
