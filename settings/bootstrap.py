"""Set up the virtual environment `.venv` with the locked packages, for `manage.py demo` and `test`.

Uses the standard library only and syntax that an old Python can parse, so that it can report which
version is needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
#: Hashes of the lock files that `.venv` was installed from.
INSTALLED_LOCKS = VENV / "installed.txt"
LOCK_FILES = {"demo": "requirements.txt", "test": "requirements-dev.txt"}
MIN_PYTHON = (3, 12)
#: Versions to look for if this Python is too old, in order of preference.
NEWER_PYTHONS = ("3.13", "3.14", "3.12")


def ensure_environment(arguments: list[str]) -> None:
    """Restart this process in `.venv`, unless it runs there already.

    `demo` and `test` create `.venv` and keep it up to date with their lock file. Other commands use
    `.venv` if it exists, unless they run in another virtual environment. Exits with a message if
    there is no usable Python or if packages can't be installed.
    """
    lock = LOCK_FILES.get(arguments[1] if len(arguments) > 1 else "")
    runs_in_venv = Path(sys.prefix).resolve() == VENV.resolve()
    if lock and not _is_installed(lock):
        if not _is_usable(str(VENV_PYTHON), "pip"):
            _create_venv(_find_python())
        _install_packages(lock)

    if not VENV_PYTHON.exists() and find_spec("django") is None:
        sys.exit("Django is not installed. Start with: python3 manage.py demo")
    runs_in_other_venv = sys.prefix != sys.base_prefix
    if runs_in_venv or not VENV_PYTHON.exists() or (not lock and runs_in_other_venv):
        return
    _replace_process([str(VENV_PYTHON), *arguments])


def _is_installed(lock: str) -> bool:
    return (
        VENV_PYTHON.exists()
        and INSTALLED_LOCKS.exists()
        and _file_hash(lock) in INSTALLED_LOCKS.read_text().split()
    )


def _file_hash(lock: str) -> str:
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def _find_python() -> str:
    """Return the path of this Python, or of a newer one on this machine if this is too old."""
    if sys.version_info >= MIN_PYTHON:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    for version in NEWER_PYTHONS:
        candidates = [shutil.which(f"python{version}")]
        candidates += map(str, sorted(pyenv.glob(f"versions/{version}*/bin/python3")))
        for candidate in candidates:
            if candidate and _is_usable(candidate):
                return candidate
    current = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"Python 3.12 or newer is required. This is {current}, and no newer one was found.")


def _is_usable(python: str, module: str = "sys") -> bool:
    """Return whether this interpreter starts, is new enough and can import the module.

    A pyenv shim may stand for a version that is not installed, and a `.venv` may be incomplete.
    """
    code = f"import {module}, sys; sys.exit(sys.version_info < {MIN_PYTHON!r})"
    try:
        process = subprocess.run([python, "-c", code], capture_output=True, check=False)
    except OSError:
        return False
    return process.returncode == 0


def _create_venv(python: str) -> None:
    print("Creating a virtual environment in .venv …", flush=True)
    process = subprocess.run(
        [python, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if process.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        hint = (
            "On Debian and Ubuntu: apt install python3-venv"
            if "ensurepip" in process.stdout
            else process.stderr
        )
        sys.exit("The virtual environment could not be created. " + hint.strip())


def _install_packages(lock: str) -> None:
    """Install the locked packages, verified by their hashes, and print the progress."""
    total = sum("==" in line for line in (ROOT / lock).read_text().splitlines())
    print(f"Installing up to {total} packages …", flush=True)
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--require-hashes", "-r", str(ROOT / lock)]
    command += ["--disable-pip-version-check", "--no-input"]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    output, done = [], 0
    for line in pip.stdout or ():
        output.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            done += 1
            name = line.split(": ")[-1].replace("Collecting ", "").split()[0]
            print(f"  {done:>3}  {name}", flush=True)
        elif line.startswith("Installing collected"):
            print("  Installing …", flush=True)

    if pip.wait():
        sys.exit("The packages could not be installed:\n" + "".join(output[-15:]))
    # The lock file of the tests contains that of the demo.
    locks = {lock, LOCK_FILES["demo"]}
    INSTALLED_LOCKS.write_text("\n".join(map(_file_hash, locks)))


def _replace_process(command: list[str]) -> None:
    """Replace this process by the command; on Windows, run it and exit with its status."""
    if os.name == "nt":
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)
