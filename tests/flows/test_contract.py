"""Schemathesis tests the running shop against its own OpenAPI document.

For thousands of other cases:
`CONTRACT_EXAMPLES=100 CONTRACT_SEED=1 pytest -n 0 -s tests/flows/test_contract.py`.
"""

import os
import subprocess
from pathlib import Path

import pytest
from django.db import connection
from support import world
from support.factories import api_client

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = ROOT / ".contract/bin/schemathesis"
EXAMPLES, SEED = os.environ.get("CONTRACT_EXAMPLES", "5"), os.environ.get("CONTRACT_SEED")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth,unsupported_method,use_after_free,ensure_resource_availability"
)
# These operations would end the session that the other calls use.
EXCLUDED_PATHS = "^/api/auth/(logout|password)/"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["nobody", "customer", "admin"])
def test_the_api_conforms_to_its_document(server, role, ada, carl, dora, tmp_path):
    if connection.vendor == "sqlite":
        pytest.skip("runs on PostgreSQL only")
    if not SCHEMATHESIS.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "schemathesis is not installed: run .ci/contract"
        )
    world.create_world(ada, carl, dora)
    command = [SCHEMATHESIS, "run", f"{server}/api/openapi.json"]
    if user := {"customer": carl, "admin": ada}.get(role):
        command += ["-H", f"Authorization: Bearer {api_client(user).token}"]
    command += ["--checks", CHECKS, "--exclude-path-regex", EXCLUDED_PATHS]
    command += ["--phases", "coverage,fuzzing,stateful"]
    command += ["-n", EXAMPLES, "--suppress-health-check", "all"]
    command += ["--seed", SEED] if SEED else ["--generation-deterministic"]
    run = subprocess.run(
        [*command, "--no-color"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    print(run.stdout[-1500:])  # noqa: T201 - the number of cases
    assert run.returncode == 0, run.stdout
