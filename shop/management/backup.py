"""Backup and restore: all rows as JSON and all uploaded files in one ZIP, with their hashes.

The format does not depend on the database: a backup of SQLite can be restored on PostgreSQL. It
holds field values as Django reads them, and the list of applied migrations.
"""

import base64
import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from time import sleep
from typing import IO, Any
from uuid import UUID

from django.apps import apps as installed_apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import OperationalError, connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext as _

from shop import images
from shop.db.transactions import atomically, is_busy

FORMAT_VERSION = 1
CONTENTS_FILE = "contents.json"
CHUNK_SIZE = 2000
#: Starts a transaction that sees one state of all tables while other connections go on writing.
BEGIN_SNAPSHOT = {
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    " SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0",
    "sqlite": "BEGIN",
}
#: Every request reads one of these before its transaction, so locking them keeps new requests out.
#: The second is absent in a database that an older backup is restored into.
SESSION_TABLES = ('"shop_session"', '"shop_browsersession"')
LOCK_ATTEMPTS = 600  # one per 0.1 seconds, while running requests finish

type Contents = dict[str, Any]


class BackupRefused(Exception):
    """The backup could not be written or restored; nothing was changed."""


def write_backup(path: Path) -> Contents:
    """Write a backup to a temporary file, verify it, then move it to the path.

    Raises BackupRefused if migrations are missing or the written file is damaged.
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise BackupRefused(
            "Run `migrate` first: the database is not up to date with this version of the shop."
        )
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        contents = _write_archive(part, migrations=sorted(executor.loader.applied_migrations))
        read_backup(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return contents


def _write_archive(path: Path, *, migrations: list[tuple[str, str]]) -> Contents:
    # Readable by the owner only, because it contains personal data.
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    with (
        os.fdopen(handle, "w+b") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        rows, hashes = {}, dict(_store_media(archive, known=()))
        with _snapshot():
            # Files never change, so only those added since the first pass can be missing.
            hashes |= _store_media(archive, known=hashes.keys())
            for model in _stored_models(installed_apps):
                name = model._meta.db_table
                rows[name], hashes[f"rows/{name}"] = _store_rows(archive, model)
        contents = {
            "format": FORMAT_VERSION,
            "migrations": migrations,
            "rows": rows,
            "hashes": hashes,
        }
        archive.writestr(CONTENTS_FILE, json.dumps(contents))
    return contents


def read_backup(path: Path) -> Contents:
    """Return the contents of a backup after verifying all hashes.

    Raises BackupRefused if the file is damaged or of another format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            contents: Contents = json.loads(archive.read(CONTENTS_FILE))
            if contents["format"] != FORMAT_VERSION:
                raise BackupRefused(f"{path} has an unknown backup format.")
            hashes = {
                name: _hash_member(archive, name)
                for name in archive.namelist()
                if name != CONTENTS_FILE
            }
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise BackupRefused(f"{path} is damaged or not a backup: {error}") from error
    if hashes != contents["hashes"]:
        raise BackupRefused(f"{path} is damaged.")
    return contents


def restore_backup(path: Path, *, replace: bool) -> Contents:
    """Replace all rows in one transaction, then restore the files and run newer migrations.

    Every session and reset link ends: some may have been signed out or used since the backup.
    Raises BackupRefused if the file is damaged or of a newer version, or if the database contains
    data and `replace` is false.
    """
    contents = read_backup(path)
    migrations = {(app, name) for app, name in contents["migrations"]}
    executor = MigrationExecutor(connection)
    if unknown := migrations - executor.loader.graph.nodes.keys():
        raise BackupRefused(
            f"The backup is of a newer version: migration {'.'.join(min(unknown))} is unknown."
        )
    nodes = executor.loader.graph.node_map
    leaf_nodes = [
        node
        for node in migrations
        if not any(child.key in migrations for child in nodes[node].children)
    ]
    if not executor.loader.applied_migrations:
        executor.migrate(leaf_nodes)
    elif migrations != executor.loader.applied_migrations.keys():
        raise BackupRefused(
            "The backup is of another version of the shop. Restore it into an empty database."
        )
    loader = MigrationExecutor(connection).loader
    backup_models = _stored_models(loader.project_state(leaf_nodes).apps)
    with zipfile.ZipFile(path) as archive, _unpack_media(archive) as files:
        _replace_rows(archive, backup_models, contents["rows"], replace=replace)
        for part, file in files:
            part.replace(file)
    ContentType.objects.clear_cache()
    call_command("migrate", verbosity=0)
    return contents


@contextmanager
def _snapshot() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(BEGIN_SNAPSHOT[connection.vendor])
        try:
            # The first read takes the snapshot.
            cursor.execute("SELECT COUNT(*) FROM django_migrations")
            yield
        finally:
            cursor.execute("ROLLBACK")


def _stored_models(apps: Any) -> list[type[models.Model]]:
    every_model = apps.get_models(include_auto_created=True)
    return [model for model in every_model if model._meta.managed and not model._meta.proxy]


def _stored_fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.local_concrete_fields if not field.generated]


def _store_rows(archive: zipfile.ZipFile, model: type[models.Model]) -> tuple[int, str]:
    """Write one JSON list per line, the first with the column names.

    Returns the number of rows and the hash of the lines.
    """
    names = [field.attname for field in _stored_fields(model)]
    count, sha = -1, hashlib.sha256()
    rows = model._base_manager.order_by("pk").values_list(*names).iterator(CHUNK_SIZE)
    with archive.open(f"rows/{model._meta.db_table}", "w", force_zip64=True) as member:
        for count, row in enumerate(chain([names], rows)):  # noqa: B007 - used after the loop
            line = json.dumps(row, default=_encode_json, sort_keys=True).encode() + b"\n"
            member.write(line)
            sha.update(line)
    return count, sha.hexdigest()


def _encode_json(value: Any) -> str:
    """Encode a value that JSON lacks, in the form that the field's `to_python` accepts."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, date | time):  # or datetime, a subclass of date
        return value.isoformat()
    if isinstance(value, Decimal | UUID | timedelta):
        return str(value)
    raise TypeError(f"Backups don't support values of {type(value)}.")


def _store_media(archive: zipfile.ZipFile, *, known: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in images.stored_files(default_storage):
        member = f"media/{name}"
        if member in known:
            continue
        try:
            with default_storage.open(name) as file:
                content = file.read()
        except FileNotFoundError:  # deleted in the meantime
            continue
        archive.writestr(member, content, zipfile.ZIP_STORED)
        yield member, hashlib.sha256(content).hexdigest()


def _hash_member(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as member:
        return hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]


@atomically
def _replace_rows(
    archive: zipfile.ZipFile,
    backup_models: list[type[models.Model]],
    row_counts: dict[str, int],
    *,
    replace: bool,
) -> None:
    """Empty and fill all tables. Concurrent requests wait, and then see the restored data."""
    if row_counts.keys() != {model._meta.db_table for model in backup_models}:
        raise BackupRefused("The backup is of another version of the shop.")
    quoted = {model: connection.ops.quote_name(model._meta.db_table) for model in backup_models}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _lock_all_tables(cursor, list(quoted.values()))
        shop_models = [
            model
            for model in backup_models
            # A migration creates carriers.
            if model._meta.app_label == "shop" and model._meta.object_name != "Carrier"
        ]
        if not replace and any(model._base_manager.exists() for model in shop_models):
            raise BackupRefused("The database is not empty. Use --replace to delete its data.")

        for model in backup_models:
            cursor.execute(f"DELETE FROM {quoted[model]}")  # noqa: S608 - names of models' tables
        for model in backup_models:
            with archive.open(f"rows/{model._meta.db_table}") as lines:
                _insert_rows(cursor, model, lines)
        for sql in connection.ops.sequence_reset_sql(no_style(), backup_models):
            cursor.execute(sql)
        connection.check_constraints()

    for model in backup_models:
        if model._base_manager.count() != row_counts[model._meta.db_table]:
            raise BackupRefused(f"Not all rows of {model._meta.db_table} were restored.")
    _end_sessions_and_emails(backup_models)


def _end_sessions_and_emails(backup_models: list[type[models.Model]]) -> None:
    """End the restored sessions, links to reset a password, and emails that were waiting.

    Most of the emails were sent since; staff can send them again.
    """
    by_label = {model._meta.label: model for model in backup_models}
    if outbox := by_label.get("shop.OutboxMessage"):  # absent in backups of version 1.0.0
        outbox._base_manager.filter(status="pending").update(
            status="failed", error=_("This was waiting when the backup was made.")
        )
    for label in {"sessions.Session", "shop.BrowserSession"} & by_label.keys():
        by_label[label]._base_manager.all().delete()
    live = by_label["shop.Session"]._base_manager.filter(revoked_at=None)
    live.update(revoked_at=timezone.now(), revoked_because="restore")
    # A link's signature contains the last login; it may have been used since the backup.
    by_label["shop.User"]._base_manager.update(last_login=timezone.now())


def _lock_all_tables(cursor: Any, tables: list[str]) -> None:
    """Lock the session tables, then all or none: waiting with some locked could deadlock."""
    cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'")
    first = ", ".join(table for table in tables if table in SESSION_TABLES)
    cursor.execute(f"LOCK TABLE {first} IN ACCESS EXCLUSIVE MODE")
    for attempt in range(LOCK_ATTEMPTS):
        try:
            with transaction.atomic():
                cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE NOWAIT")
        except OperationalError as error:
            if not is_busy(error) or attempt == LOCK_ATTEMPTS - 1:
                raise
            sleep(0.1)
        else:
            return


def _insert_rows(cursor: Any, model: type[models.Model], lines: IO[bytes]) -> None:
    by_name = {field.attname: field for field in _stored_fields(model)}
    names = json.loads(next(lines))
    if set(names) != by_name.keys():
        raise BackupRefused(f"{model._meta.db_table} has different columns in the backup.")
    fields = [by_name[name] for name in names]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    sql = f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608
    rows = (
        [
            field.get_db_prep_save(field.to_python(value), connection)
            for field, value in zip(fields, json.loads(line), strict=True)
        ]
        for line in lines
    )
    cursor.executemany(sql, rows)


@contextmanager
def _unpack_media(archive: zipfile.ZipFile) -> Iterator[list[tuple[Path, Path]]]:
    """Unpack the files beside their places; the caller renames them, which needs no space."""
    members = {m: m.removeprefix("media/") for m in archive.namelist() if m.startswith("media/")}
    paths = {member: Path(default_storage.path(name)) for member, name in members.items()}
    files = [(path.with_name(f"{path.name}.part"), path) for path in paths.values()]
    try:
        try:
            for member, (part, path) in zip(paths, files, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as content, part.open("wb") as target:
                    shutil.copyfileobj(content, target)
                part.chmod(settings.FILE_UPLOAD_PERMISSIONS or part.stat().st_mode)
        except OSError as error:
            raise BackupRefused(f"The files could not be restored: {error}") from error
        yield files
    finally:
        for part, _path in files:
            part.unlink(missing_ok=True)
