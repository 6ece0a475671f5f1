"""What is declared once is obeyed everywhere: tests in a copy of the project with all changes."""

import os

import coverage
import pytest

from low_code import growth

pytestmark = pytest.mark.slow
#: Tests that find new fields, models and statuses by themselves, beside those in `doors/`.
GROWING_TESTS = (
    "tests/admin/test_every_url.py",
    "tests/admin/orders",
    "tests/api/test_openapi.py",
    "tests/api/test_rights.py",
    "tests/api/test_strict_requests.py",
    "tests/api/test_query_counts.py",
    "tests/api/test_order_status.py",
    "tests/services/test_order_moves.py",
    "tests/services/test_bulk_moves.py",
    "tests/services/test_personal_data.py",
    "tests/test_checks.py",
    "tests/test_exposure.py",
    "tests/test_translations.py",
)


def inner_database_url():
    """Return the database of this run, on which the copy makes test databases of its own."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        return "sqlite:///copy.sqlite3"
    base, _, options = url.partition("?")
    return f"{base}_grown" + (f"?{options}" if options else "")


def measure_coverage(copy):
    """Return what lets the copy's tests count for this run's coverage, but for the grown models."""
    settings = (growth.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    settings = settings.replace('"shop/migrations/*"', '"shop/migrations/*", "shop/models/*"')
    (copy / "coverage.toml").write_text(settings, encoding="utf-8")
    # The run that measures combines all files whose names start with `.coverage.`.
    data_file = str(growth.ROOT / ".coverage.grown")
    return ("--cov", "--cov-report=", "--cov-config=coverage.toml"), {"COVERAGE_FILE": data_file}


def test_all_changes_are_obeyed_everywhere(tmp_path):
    growth.grow(tmp_path)
    options, environ = measure_coverage(tmp_path) if coverage.Coverage.current() else ((), {})
    code, output = growth.run_python(
        tmp_path,
        *("-m", "pytest", "-p", "no:cacheprovider", "-m", "not browser", "--tb=short", *options),
        *("tests/low_code/doors", *GROWING_TESTS),
        DATABASE_URL=inner_database_url(),
        DJANGO_SETTINGS_MODULE="settings.test",
        **{growth.GROWN: "1"},
        **environ,
    )
    assert code == 0, output
