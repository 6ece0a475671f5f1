"""What the browser tests share: window sizes, and tools that may be missing on a laptop."""

import os

import pytest

DESKTOP = {"viewport": {"width": 1366, "height": 900}}  # wide enough for the menu
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def require_tool(path, name):
    """Skip a test whose tool is missing; in CI, where everything must run, fail it."""
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"{name} is missing: run .ci/browser"
        )
    return path
