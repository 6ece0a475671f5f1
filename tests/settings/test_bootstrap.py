import sys
from pathlib import Path

import pytest

from settings import bootstrap


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project's folder without an environment, and what would have been run in it."""
    for name in bootstrap.LOCKS.values():
        (tmp_path / name).write_text(f"# {name}\n")
    venv = tmp_path / ".venv"
    done = []
    paths = {
        "ROOT": tmp_path,
        "VENV": venv,
        "PYTHON": venv / "bin" / "python",
        "STAMP": venv / "installed.txt",
    }
    for name, path in paths.items():
        monkeypatch.setattr(bootstrap, name, path)

    def make(python):
        done.append(("make", python))
        paths["PYTHON"].parent.mkdir(parents=True)
        paths["PYTHON"].touch()

    def install(lock):
        done.append(("install", lock))
        paths["STAMP"].write_text(bootstrap._digest(lock))

    monkeypatch.setattr(bootstrap, "_answers", lambda python, module: Path(python).exists())
    monkeypatch.setattr(bootstrap, "_make", make)
    monkeypatch.setattr(bootstrap, "_install", install)
    monkeypatch.setattr(bootstrap, "_become", lambda command: done.append(("become", *command)))
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    return tmp_path, done


def test_the_first_run_makes_installs_and_goes_on_inside(project):
    root, done = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    python = str(root / ".venv" / "bin" / "python")
    assert done == [
        ("make", sys.executable),
        ("install", "requirements.txt"),
        ("become", python, "manage.py", "demo"),
    ]


def test_the_second_run_only_goes_on_inside(project):
    _, done = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    done.clear()
    bootstrap.ensure_environment(["manage.py", "demo", "--fresh"])
    assert [step[0] for step in done] == ["become"]


def test_a_changed_lock_file_is_installed(project):
    root, done = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    done.clear()
    (root / "requirements.txt").write_text("# newer\n")
    bootstrap.ensure_environment(["manage.py", "demo"])
    assert [step[0] for step in done] == ["install", "become"]


def test_the_suite_needs_more_than_the_demo(project):
    _, done = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    bootstrap.ensure_environment(["manage.py", "test"])
    assert [step[:2] for step in done if step[0] == "install"] == [
        ("install", "requirements.txt"),
        ("install", "requirements-dev.txt"),
    ]


def test_an_environment_that_does_not_answer_is_made_anew(project, monkeypatch):
    root, done = project
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").touch()
    monkeypatch.setattr(bootstrap, "_answers", lambda python, module: False)
    monkeypatch.setattr(bootstrap, "_make", lambda python: done.append(("make", python)))
    bootstrap.ensure_environment(["manage.py", "demo"])
    assert [step[0] for step in done] == ["make", "install", "become"]


@pytest.mark.parametrize("broken", ["#!/bin/sh\nexit 1\n", None])
def test_what_cannot_run_does_not_answer(tmp_path, broken):
    python = tmp_path / "python"
    if broken:
        python.write_text(broken)
        python.chmod(0o755)
    assert bootstrap._answers(str(python), "pip") is False


def test_without_django_other_commands_say_where_to_start(project, monkeypatch):
    monkeypatch.setattr(bootstrap, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"Start with: python3 manage\.py demo"):
        bootstrap.ensure_environment(["manage.py", "migrate"])


def test_inside_it_nothing_is_left_to_do(project, monkeypatch):
    root, done = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    done.clear()
    monkeypatch.setattr(sys, "prefix", str(root / ".venv"))
    bootstrap.ensure_environment(["manage.py", "demo"])
    assert done == []


@pytest.mark.parametrize("arguments", [["manage.py"], ["manage.py", "migrate"]])
def test_other_commands_use_what_is_there(project, monkeypatch, arguments):
    _, done = project
    bootstrap.ensure_environment(arguments)
    assert done == []
    bootstrap.ensure_environment(["manage.py", "demo"])
    done.clear()
    bootstrap.ensure_environment(arguments)
    assert [step[0] for step in done] == ["become"]
    done.clear()
    monkeypatch.setattr(sys, "prefix", "/somebodys/own")
    bootstrap.ensure_environment(arguments)
    assert done == []


def test_an_old_python_looks_for_a_newer_one(monkeypatch, tmp_path):
    newer = tmp_path / "versions" / "3.13.9" / "bin" / "python3"
    newer.parent.mkdir(parents=True)
    newer.symlink_to(sys.executable)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 11, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/false")
    assert bootstrap._new_enough() == str(newer)


def test_an_old_python_alone_says_what_is_needed(monkeypatch, tmp_path):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 11, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.12 or newer; this is 3\.11"):
        bootstrap._new_enough()


def test_an_environment_that_cannot_be_made_leaves_nothing_and_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    bad = tmp_path / "python"
    bad.write_text("#!/bin/sh\nmkdir -p $3; echo 'ensurepip is not available'; exit 1\n")
    bad.chmod(0o755)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        bootstrap._make(str(bad))
    assert not Path(bootstrap.VENV).exists()
