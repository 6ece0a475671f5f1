"""README shows the table of changes."""

from low_code import growth
from low_code.changes import CHANGES, render_table


def test_readme_shows_what_each_change_costs():
    assert render_table() in (growth.ROOT / "README.md").read_text(encoding="utf-8")


def test_each_change_edits_one_file_of_models_once_per_text(tmp_path):
    growth.copy_project(tmp_path)
    for change in CHANGES:
        assert change.file.startswith("shop/models/")
        growth.apply_change(tmp_path, change)
