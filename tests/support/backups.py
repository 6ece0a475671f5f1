"""What a backup must bring back, and other databases to restore it into."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from django.apps import apps
from django.conf import settings


def read_everything():
    """Return all rows of all tables and all uploaded files."""
    tables = apps.get_models(include_auto_created=True)
    rows = {model.__name__: list(model._base_manager.order_by("pk").values()) for model in tables}
    media = Path(settings.MEDIA_ROOT)
    # A restore ends all sessions, and links to reset a password.
    rows = {name: found for name, found in rows.items() if name != "Session"}
    for user in rows["User"]:
        del user["last_login"]
    return rows, {
        path.relative_to(media): path.read_bytes() for path in media.rglob("*") if path.is_file()
    }


def read_hashes(file):
    """Return the hash of each member but those that a restore changes: sessions and users."""
    with zipfile.ZipFile(file) as archive:
        hashes = json.loads(archive.read("contents.json"))["hashes"]
    return {name: value for name, value in hashes.items() if not name.endswith(("session", "user"))}


def run_elsewhere(folder, *commands):
    """Run commands, in one process, on an SQLite file and a media folder in this folder."""
    environ = os.environ | {
        "DATABASE_URL": f"sqlite:///{folder}/other.sqlite3",
        "MEDIA_ROOT": str(folder / "other"),
        "DJANGO_SETTINGS_MODULE": "settings.development",
    }
    code = "import json, sys, django; django.setup()\n"
    code += "from django.core.management import call_command\n"
    code += "for command in json.loads(sys.argv[1]): call_command(*command)"
    arguments = [sys.executable, "-c", code, json.dumps(commands, default=str)]
    subprocess.run(arguments, cwd=settings.BASE_DIR, env=environ, check=True)
