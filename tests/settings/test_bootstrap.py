import sys
from pathlib import Path

import pytest

from settings import bootstrap


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project folder without a virtual environment, and the list of steps that ran."""
    for name in bootstrap.LOCK_FILES.values():
        (tmp_path / name).write_text(f"# {name}\n")
    venv = tmp_path / ".venv"
    steps = []
    paths = {
        "ROOT": tmp_path,
        "VENV": venv,
        "VENV_PYTHON": venv / "bin" / "python",
        "INSTALLED_LOCKS": venv / "installed.txt",
    }
    for name, path in paths.items():
        monkeypatch.setattr(bootstrap, name, path)

    def create_venv(python):
        steps.append(("create", python))
        paths["VENV_PYTHON"].parent.mkdir(parents=True)
        paths["VENV_PYTHON"].touch()

    def install_packages(lock):
        steps.append(("install", lock))
        paths["INSTALLED_LOCKS"].write_text(bootstrap._file_hash(lock))

    monkeypatch.setattr(bootstrap, "_is_usable", lambda python, module: Path(python).exists())
    monkeypatch.setattr(bootstrap, "_create_venv", create_venv)
    monkeypatch.setattr(bootstrap, "_install_packages", install_packages)
    monkeypatch.setattr(
        bootstrap, "_replace_process", lambda command: steps.append(("restart", *command))
    )
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    return tmp_path, steps


def test_first_run_creates_the_venv_installs_and_restarts_in_it(project):
    root, steps = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    python = str(root / ".venv" / "bin" / "python")
    assert steps == [
        ("create", sys.executable),
        ("install", "requirements.txt"),
        ("restart", python, "manage.py", "demo"),
    ]


def test_second_run_only_restarts_in_the_venv(project):
    _, steps = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    steps.clear()
    bootstrap.ensure_environment(["manage.py", "demo", "--fresh"])
    assert [step[0] for step in steps] == ["restart"]


def test_changed_lock_file_is_installed(project):
    root, steps = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    steps.clear()
    (root / "requirements.txt").write_text("# newer\n")
    bootstrap.ensure_environment(["manage.py", "demo"])
    assert [step[0] for step in steps] == ["install", "restart"]


def test_tests_install_more_than_the_demo(project):
    _, steps = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    bootstrap.ensure_environment(["manage.py", "test"])
    assert [step[:2] for step in steps if step[0] == "install"] == [
        ("install", "requirements.txt"),
        ("install", "requirements-dev.txt"),
    ]


def test_unusable_venv_is_created_anew(project, monkeypatch):
    root, steps = project
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").touch()
    monkeypatch.setattr(bootstrap, "_is_usable", lambda python, module: False)
    monkeypatch.setattr(bootstrap, "_create_venv", lambda python: steps.append(("create", python)))
    bootstrap.ensure_environment(["manage.py", "demo"])
    assert [step[0] for step in steps] == ["create", "install", "restart"]


@pytest.mark.parametrize("broken", ["#!/bin/sh\nexit 1\n", None])
def test_interpreter_that_fails_is_not_usable(tmp_path, broken):
    python = tmp_path / "python"
    if broken:
        python.write_text(broken)
        python.chmod(0o755)
    assert bootstrap._is_usable(str(python), "pip") is False


def test_other_commands_without_django_exit_with_a_hint(project, monkeypatch):
    monkeypatch.setattr(bootstrap, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"Start with: python3 manage\.py demo"):
        bootstrap.ensure_environment(["manage.py", "migrate"])


def test_nothing_to_do_inside_the_venv(project, monkeypatch):
    root, steps = project
    bootstrap.ensure_environment(["manage.py", "demo"])
    steps.clear()
    monkeypatch.setattr(sys, "prefix", str(root / ".venv"))
    bootstrap.ensure_environment(["manage.py", "demo"])
    assert steps == []


@pytest.mark.parametrize("arguments", [["manage.py"], ["manage.py", "migrate"]])
def test_other_commands_use_an_existing_venv(project, monkeypatch, arguments):
    _, steps = project
    bootstrap.ensure_environment(arguments)
    assert steps == []
    bootstrap.ensure_environment(["manage.py", "demo"])
    steps.clear()
    bootstrap.ensure_environment(arguments)
    assert [step[0] for step in steps] == ["restart"]
    steps.clear()
    monkeypatch.setattr(sys, "prefix", "/another/venv")
    bootstrap.ensure_environment(arguments)
    assert steps == []


def test_old_python_looks_for_a_newer_one(monkeypatch, tmp_path):
    newer = tmp_path / "versions" / "3.13.9" / "bin" / "python3"
    newer.parent.mkdir(parents=True)
    newer.symlink_to(sys.executable)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 11, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/false")
    assert bootstrap._find_python() == str(newer)


def test_old_python_alone_exits_with_the_required_version(monkeypatch, tmp_path):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 11, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"Python 3\.12 or newer is required\. This is 3\.11"):
        bootstrap._find_python()


def test_venv_that_cannot_be_created_is_removed_with_a_hint(monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    bad = tmp_path / "python"
    bad.write_text("#!/bin/sh\nmkdir -p $3; echo 'ensurepip is not available'; exit 1\n")
    bad.chmod(0o755)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        bootstrap._create_venv(str(bad))
    assert not Path(bootstrap.VENV).exists()
