"""The first step of `manage.py demo` and `manage.py test`: an environment with exactly the locked packages.

Only the standard library, and nothing that an old Python cannot read, so that it can say what is needed.
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
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed.txt"
LOCKS = {"demo": "requirements.txt", "test": "requirements-dev.txt"}
OLDEST = (3, 12)
PREFERRED = ("3.13", "3.14", "3.12")


def ensure_environment(arguments: list[str]) -> None:
    """Return in the right environment: this process goes on there, or becomes one that does.

    `demo` and `test` make `.venv` and keep it at their lock file. Other commands use `.venv` where it is
    there, unless they are run in an environment of one's own.
    """
    lock = LOCKS.get(arguments[1] if len(arguments) > 1 else "")
    is_inside = Path(sys.prefix).resolve() == VENV.resolve()
    if lock and not _is_installed(lock):
        if not _answers(str(PYTHON), "pip"):
            _make(_new_enough())
        _install(lock)
    if not PYTHON.exists() and find_spec("django") is None:
        sys.exit("Django is not here yet. Start with: python3 manage.py demo")
    if is_inside or not PYTHON.exists() or (not lock and sys.prefix != sys.base_prefix):
        return
    _become([str(PYTHON), *arguments])


def _is_installed(lock: str) -> bool:
    return PYTHON.exists() and STAMP.exists() and _digest(lock) in STAMP.read_text().split()


def _digest(lock: str) -> str:
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def _new_enough() -> str:
    """A Python that is new enough: this one, or another on the machine."""
    if sys.version_info >= OLDEST:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    for version in PREFERRED:
        candidates = [shutil.which(f"python{version}")]
        candidates += map(str, sorted(pyenv.glob(f"versions/{version}*/bin/python3")))
        for candidate in candidates:
            if candidate and _answers(candidate):
                return candidate
    this = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"This needs Python 3.12 or newer; this is {this} and no newer one was found.")


def _answers(python: str, module: str = "sys") -> bool:
    """Whether it runs, is new enough and has the module.

    A shim may exist for a version that does not, and an environment may be half made or an old one's.
    """
    question = f"import {module}, sys; sys.exit(sys.version_info < {OLDEST!r})"
    try:
        return (
            subprocess.run([python, "-c", question], capture_output=True, check=False).returncode
            == 0
        )
    except OSError:
        return False


def _make(python: str) -> None:
    print("Making an environment in .venv …", flush=True)
    made = subprocess.run(
        [python, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        hint = (
            "On Debian and Ubuntu: apt install python3-venv"
            if "ensurepip" in made.stdout
            else made.stderr
        )
        sys.exit("The environment could not be made. " + hint.strip())


def _install(lock: str) -> None:
    """Install the locked packages, each checked against its hash, and tell how far it is."""
    total = sum("==" in line for line in (ROOT / lock).read_text().splitlines())
    print(f"Installing up to {total} packages …", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "-r", str(ROOT / lock)]
    command += ["--disable-pip-version-check", "--no-input"]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said, done = [], 0
    for line in pip.stdout or ():
        said.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            done += 1
            name = line.split(": ")[-1].replace("Collecting ", "").split()[0]
            print(f"  {done:>3}  {name}", flush=True)
        elif line.startswith("Installing collected"):
            print("  unpacking …", flush=True)
    if pip.wait():
        sys.exit("The packages could not be installed:\n" + "".join(said[-15:]))
    installed = [_digest(lock)] + ([_digest(LOCKS["demo"])] if lock == LOCKS["test"] else [])
    STAMP.write_text("\n".join(installed))


def _become(command: list[str]) -> None:
    """Go on as this command, in the place of this process where the system can."""
    if os.name == "nt":
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)
