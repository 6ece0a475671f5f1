"""The OpenAPI document of the grown project, and the clients that are generated from it.

The clients compile strictly together with a program each (`low_code/clients/`), which then runs.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from support.api_operations import DOCUMENT, OPERATIONS, SCHEMAS
from support.factories import api_client

ROOT = Path(__file__).parents[3]
TOOLS = ROOT / ".clients"
PROGRAMS = ROOT / "tests/low_code/clients"
TSCONFIG = {
    "compilerOptions": {
        "strict": True,
        "noUncheckedIndexedAccess": True,
        "exactOptionalPropertyTypes": True,
        "noUnusedLocals": True,
        "target": "es2022",
        "lib": ["es2022", "dom"],
        "module": "esnext",
        "moduleResolution": "bundler",
        "types": [],
    },
    "files": ["program.ts"],
}
PYTHON_CONFIG = {
    "package_name_override": "shop_client",
    "project_name_override": "shop-client",
    "literal_enums": True,
    "post_hooks": [],
}
NEW_FIELDS = {
    "colour": "string",
    "season": "string",
    "weight": "integer",
    "is_fragile": "boolean",
    "released_on": "date",
    "drawn_at": "date-time",
    "discontinued_at": "date-time",
    "tare": "string",
    "site": "string",
    "facts": "any",
    "supplier_code": "string",
    "brand_id": "integer",
    "tag_ids": ["integer"],
}
READ_ONLY_FIELDS = {"views": "integer", "back": "string", "manual": "string"}
FILTERS = {
    "colour": ["string"],
    "season": ["string"],
    "min_weight": "integer",
    "max_weight": "integer",
    "has_weight": "boolean",
    "is_fragile": "boolean",
    "released_on_from": "date",
    "released_on_to": "date",
    "has_released_on": "boolean",
    "drawn_from": "date-time",
    "discontinued_to": "date-time",
    "min_tare": "number",
    "supplier_code": ["string"],
    "has_supplier_code": "boolean",
    "has_back": "boolean",
    "brand_id": ["integer"],
    "has_brand": "boolean",
    "tag_id": ["integer"],
    "expand": ["string"],
}


def type_name(schema):
    """Return the type that the document states, of a list that of its items in a list."""
    if "$ref" in schema:
        return type_name(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return type_name(schema["anyOf"][0])
    if schema.get("type") == "array":
        return [type_name(schema["items"])]
    return schema.get("format", schema.get("type", "any"))


def properties(schema):
    return SCHEMAS[schema]["properties"]


@pytest.mark.parametrize("schema", ["ProductOut", "ProductIn", "ProductPatch"])
def test_new_fields_are_documented_with_their_types(schema):
    documented = properties(schema)
    tare = "string" if schema == "ProductOut" else "number"  # a body may have either
    expected = NEW_FIELDS | {"tare": tare}
    assert {name: type_name(documented[name]) for name in expected} == expected
    assert "cost" not in documented
    assert documented["colour"]["description"] == "As on the label."


def test_fields_that_nobody_sends_are_only_in_answers():
    documented = properties("ProductOut")
    types = {name: type_name(documented[name]) for name in READ_ONLY_FIELDS}
    assert types == READ_ONLY_FIELDS
    for body in ("ProductIn", "ProductPatch"):
        assert not READ_ONLY_FIELDS.keys() & properties(body).keys()


def test_limits_and_choices_are_documented():
    fields = properties("ProductIn")
    assert fields["colour"]["maxLength"] == 12
    assert fields["season"]["enum"] == ["ss", "aw", ""]
    limits = json.dumps(fields["weight"])
    assert ('"maximum": 5000' in limits, '"minimum": 0' in limits) == (True, True)


def test_filters_are_documented_with_their_types():
    [listing] = [operation for operation in OPERATIONS if operation.id == "list_products"]
    types = {p["name"]: type_name(p["schema"]) for p in listing.parameters if p["in"] == "query"}
    assert {name: types.get(name) for name in FILTERS} == FILTERS
    assert "min_cost" not in types


def test_further_models_have_operations_and_schemas():
    paths = DOCUMENT["paths"]
    assert {
        path: set(paths[path])
        for path in ("/api/brands/", "/api/brands/{pk}/", "/api/tags/", "/api/countries/")
    } == {
        "/api/brands/": {"get", "post"},
        "/api/brands/{pk}/": {"get", "put", "patch", "delete"},
        "/api/tags/": {"get", "post"},
        "/api/countries/": {"get", "post"},
    }
    assert "margin" not in json.dumps(SCHEMAS["BrandOut"])


def test_fields_of_orders_and_users_are_documented():
    assert {"gift_message", "pickup_on", "promised_on", "channel"} <= properties("OrderOut").keys()
    checkout = properties("CheckoutIn").keys()
    assert {"gift_message", "pickup_on"} <= checkout
    assert not {"promised_on", "channel", "picked_by"} & checkout
    assert {"company", "birthday", "credit"} <= properties("UserOut").keys()
    for body in ("RegisterIn", "ProfileIn", "ProfilePatch"):
        assert {"company", "birthday"} <= properties(body).keys()
        assert "credit" not in properties(body)


@pytest.fixture
def folder(tmp_path):
    """A folder with the document and the programs."""
    if not (TOOLS / "installed.txt").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "The generators are not installed: run .ci/clients"
        )
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    for program in PROGRAMS.iterdir():
        (tmp_path / program.name).write_bytes(program.read_bytes())
    return tmp_path


def run(folder, tool, *arguments):
    """Run one of the installed tools, which must succeed; return its output."""
    result = subprocess.run(
        [TOOLS / tool, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def arguments(server, ada, settings):
    """The arguments of the programs: the URL of the running shop, and a token of staff."""
    settings.SHOP_TWO_FACTOR = "optional"  # as the server has it, and a session is valid under
    return server, api_client(ada).token


def assert_program_ran(output):
    assert json.loads(output) == {
        "weight": 250,
        "found": [["Jug", "Kiln & Sons", ["gift"]]],
        "brands": ["Kiln & Sons"],
        "company": "Fern Ltd",
        "order": ["For you", "2026-04-01", "pending"],
    }


@pytest.mark.django_db(transaction=True)
def test_a_typescript_client_compiles_and_runs(folder, arguments):
    (folder / "tsconfig.json").write_text(json.dumps(TSCONFIG))
    (folder / "package.json").write_text('{"type": "module"}')
    node_tools = TOOLS / "node_modules"
    run(
        folder,
        "bin/node",
        node_tools / "openapi-typescript/bin/cli.js",
        # A field with a default is one that a body may leave out.
        *("openapi.json", "--output", "schema.d.ts", "--default-non-nullable", "false"),
    )
    run(folder, "bin/node", node_tools / "typescript/bin/tsc")
    assert_program_ran(run(folder, "bin/node", "program.js", *arguments))


@pytest.mark.django_db(transaction=True)
def test_a_python_client_compiles_and_runs(folder, arguments):
    (folder / "config.json").write_text(json.dumps(PYTHON_CONFIG))
    options = ("--config", "config.json", "--meta", "none", "--fail-on-warning")
    generate = ("generate", "--path", "openapi.json", "--output-path", "shop_client")
    run(folder, "bin/openapi-python-client", *generate, *options)
    run(folder, "bin/python", "-m", "mypy", "--strict", "shop_client", "program.py")
    assert_program_ran(run(folder, "bin/python", "program.py", *arguments))
