"""Make a copy of the project that has all of `changes.py`, and run commands in it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from low_code.changes import CHANGES
from low_code.edits import Change

ROOT = Path(__file__).parents[2]
COPIED = ("settings", "shop", "templates", "fixtures", "tests", "manage.py", "pyproject.toml")
IGNORED = shutil.ignore_patterns("__pycache__", "*.sqlite3*")
#: Installed by the scripts in `.ci/`, where they are.
TOOLS = (".axe", ".clients")
#: Tells pytest that it runs in the copy, where the tests in `doors/` belong.
GROWN = "SHOP_GROWN_COPY"
#: Without the variables of the test process that starts the copy's.
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PYTEST_", "COV_", "COVERAGE_"))
}
#: The warning about a field, and the id of any message, in the output of `manage.py check`.
UNINDEXED = re.compile(r"\(shop\.W001\) \w+: '(\w+)'")
CHECK_ID = re.compile(r"\(\w+\.[A-Z]\d+\)")


def apply_change(folder: Path, change: Change) -> None:
    """Write the change into its file. Fails if the text to replace is not there exactly once."""
    path = folder / change.file
    text = path.read_text(encoding="utf-8")
    for edit in change.edits:
        assert text.count(edit.old) == 1, (change.title, edit.old, text.count(edit.old))
        text = text.replace(edit.old, edit.new)
    path.write_text(text, encoding="utf-8")


def copy_project(folder: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=IGNORED)
        else:
            shutil.copy(ROOT / name, folder / name)
    for name in TOOLS:
        if (ROOT / name).exists():
            (folder / name).symlink_to((ROOT / name).resolve())


def read_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for name in COPIED
        for path in (folder / name, *(folder / name).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def run_python(folder: Path, *arguments: str, **environ: str) -> tuple[int, str]:
    """Run Python in the folder, with an SQLite file of the copy; return exit code and output."""
    copy = {
        "DATABASE_URL": "sqlite:///copy.sqlite3",
        "EMAIL_URL": "dummy://",
        "MEDIA_ROOT": ".media",
        "DJANGO_SETTINGS_MODULE": "settings.development",
    }
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=ENVIRON | copy | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


def run_command(folder: Path, *arguments: str) -> str:
    """Run a management command, which must succeed; return its output."""
    code, output = run_python(folder, "-m", "django", *arguments)
    assert code == 0, output
    return output


def grow(folder: Path) -> None:
    """Copy the project into the folder and make all changes, by the recipe in CONTRIBUTING.

    Fails unless each change edits one file of models, one migration is all that is added, the
    demo's data can be migrated, and the system checks say nothing but the expected warnings.
    `before.zip` is then a backup of the demo from before the changes.
    """
    copy_project(folder)
    run_command(folder, "demo", "--no-server")
    run_command(folder, "backup", "before.zip")
    before = read_files(folder)
    for change in CHANGES:
        apply_change(folder, change)
    run_command(folder, "makemigrations", "-v0", "--no-input", "--name", "grown")
    run_command(folder, "migrate", "-v0")

    after = read_files(folder)
    assert {path for path, content in before.items() if after.get(path) != content} == {
        change.file for change in CHANGES
    }
    assert all(change.file.startswith("shop/models/") for change in CHANGES)
    [added] = after.keys() - before.keys()
    assert re.fullmatch(r"shop/migrations/\d{4}_grown\.py", added)
    output = run_command(folder, "check")
    warned = {name for change in CHANGES for name in change.warned}
    assert set(UNINDEXED.findall(output)) == warned, output
    assert len(CHECK_ID.findall(output)) == len(warned), output


if __name__ == "__main__":  # cd tests && ../.venv/bin/python -m low_code.growth FOLDER
    target = Path(sys.argv[1]).resolve()
    target.mkdir(parents=True)
    grow(target)
