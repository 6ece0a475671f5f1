"""Private names of libraries are used in shop/db only, where `INTERNALS` lists them."""

import ast
import importlib
import inspect
import pkgutil

import pytest
from db.test_django_internals import INTERNALS, ROOT
from django import forms

#: Private names that Django documents, or that its documentation uses.
DOCUMENTED = {"_base_manager", "_db", "_default_manager", "_meta", "_state"}
FILES = [path for path in ROOT.rglob("*.py") if "migrations" not in path.parts]
ATTRIBUTE_FUNCTIONS = {"getattr", "setattr", "hasattr", "delattr"}


def is_private(name):
    return name.startswith("_") and not name.startswith("__") and name not in DOCUMENTED | {"_"}


def defined_names(source):
    """Private names that classes of this source define: methods and attributes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            for member in ast.walk(node):
                if isinstance(member, ast.FunctionDef):
                    yield member.name
                elif isinstance(member, ast.Attribute) and isinstance(member.ctx, ast.Store):
                    yield member.attr


def is_attribute_dict(node):
    """Whether the expression is `vars(…)` or `….__dict__`."""
    text = ast.unparse(node)
    return text.startswith("vars(") or text.endswith(".__dict__")


def named_attribute(node):
    """The constant that names an attribute in an expression such as `getattr(x, "_y")`."""
    name = None
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ATTRIBUTE_FUNCTIONS:
        name = node.args[1]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        name = node.args[0] if is_attribute_dict(node.func.value) else None
    elif isinstance(node, ast.Subscript) and is_attribute_dict(node.value):
        name = node.slice
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""


def foreign_private_names(source, own_names):
    """Yield the private names of other objects, modules and base classes that the source uses."""
    for node in ast.walk(ast.parse(source)):
        names = [named_attribute(node)]
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Attribute):
            is_own = ast.unparse(node.value) in {"self", "cls"} and node.attr in own_names
            names = [] if is_own else [node.attr]
        yield from filter(is_private, names)


OWN_NAMES = {name for path in FILES for name in defined_names(path.read_text())}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_private_names_of_others_are_used_in_shop_db_only(path):
    names = set(foreign_private_names(path.read_text(), OWN_NAMES))
    if (ROOT / "db") in path.parents:
        listed = " ".join(name for _, name, _, _ in INTERNALS)
        names = {name for name in names if name not in listed}
    assert names == set()


@pytest.mark.parametrize(
    "source",
    [
        "queryset._secret",
        "self._secret",
        "super()._secret()",
        "type(form)._secret",
        "from django.forms import _secret",
        "from django.forms._secret import x",
        "from shop.services.accounts import _secret",
        "hasattr(response, '_secret')",
        "setattr(response, '_secret', 1)",
        "vars(request).get('_secret')",
        "request.__dict__['_secret'] = 1",
    ],
)
def test_a_private_name_is_reported(source):
    assert list(foreign_private_names(source, {"_own"})) == ["_secret"]


@pytest.mark.parametrize("source", ["self._own", "cls._own", "model._meta", "self.__dict__"])
def test_own_and_documented_names_are_not_reported(source):
    assert list(foreign_private_names(source, {"_own"})) == []


def overridden_private_names(class_):
    """Yield the private methods and properties of a class that a base outside shop/ has too."""
    bases = [base for base in class_.__mro__[1:] if not base.__module__.startswith("shop")]
    for name, value in vars(class_).items():
        function = getattr(value, "fget", None) or getattr(value, "func", None) or value
        is_own = getattr(function, "__module__", "") == class_.__module__
        if is_own and is_private(name) and any(name in vars(base) for base in bases):
            yield name


def test_no_class_overrides_a_private_name_of_a_library():
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages([str(ROOT)], "shop.")
        if ".migrations" not in module.name
    ]
    classes = {
        member
        for module in modules
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__.startswith("shop.")
    }
    assert len(classes) > 100
    assert {c.__name__: list(overridden_private_names(c)) for c in classes} == {
        c.__name__: [] for c in classes
    }


def test_an_overridden_private_name_is_reported():
    class Form(forms.ModelForm):
        def _get_validation_exclusions(self):
            return set()

    assert list(overridden_private_names(Form)) == ["_get_validation_exclusions"]
