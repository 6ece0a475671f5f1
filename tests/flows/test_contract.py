"""The running shop against its own document, by schemathesis: calls that keep to it or not, and in a row.

`CONTRACT_EXAMPLES=100 pytest -n 0 -s tests/flows/test_contract.py` is the long form, of thousands of cases.
"""

import os
import subprocess
from pathlib import Path

import pytest
from django.db import connection
from support import world
from support.factories import api_client

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".contract/bin/schemathesis"
EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "5")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth,unsupported_method,use_after_free,ensure_resource_availability"
)
# Whoever signs out or sets another password calls in vain from then on.
LEAVE_OUT = "^/api/auth/(logout|password)/"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["customer", "admin"])
def test_it_keeps_to_its_document(server, role, ada, carl, dora, tmp_path):
    if connection.vendor == "sqlite":
        pytest.skip("once is enough, on the stricter database")
    if not PROGRAM.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "schemathesis is not here: run .ci/contract"
        )
    world.create_world(ada, carl, dora)
    token = api_client({"customer": carl, "admin": ada}[role]).token
    command = [PROGRAM, "run", f"{server}/api/openapi.json", "-H", f"Authorization: Bearer {token}"]
    command += ["--checks", CHECKS, "--exclude-path-regex", LEAVE_OUT]
    command += ["--phases", "coverage,fuzzing,stateful"]
    command += ["-n", EXAMPLES, "--generation-deterministic", "--suppress-health-check", "all"]
    run = subprocess.run(
        [*command, "--no-color"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    print(run.stdout[-1500:])  # noqa: T201 - how many cases there were
    assert run.returncode == 0, run.stdout
