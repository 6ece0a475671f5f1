"""The whole shop in one ZIP: every row as JSON, every picture, and a list of what each must hash to.

It says nothing of the database that it came from: what SQLite held can be restored on PostgreSQL. Values are
those of Django's fields, and the tables those of the migrations that are noted with them.
"""

import base64
import hashlib
import json
import os
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.apps import apps as now
from django.contrib.contenttypes.models import ContentType
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import OperationalError, connection, models, transaction
from django.db.migrations.executor import MigrationExecutor

from shop import images
from shop.db.transactions import atomically, is_busy

FORMAT = 1
LIST = "contents.json"
CHUNK = 2000
#: One state of the database from the first table to the last, while others go on writing.
SNAPSHOT = {
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;"
    " SET LOCAL idle_in_transaction_session_timeout = 0",
    "sqlite": "BEGIN",
}
#: Every call reads one of these before its transaction: while they are locked nobody comes in.
DOORS = "shop_session, django_session"
PATIENCE = 600  # tenths of a second, for those who are inside

type Row = list[Any]
type Contents = dict[str, Any]


class BackupRefused(Exception):
    """Why there is no backup, or why it was not restored; nothing was changed."""


def write_backup(path: Path) -> Contents:
    """Write a backup and read it back; it takes the file's name only when it is whole. Raises Refused."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise BackupRefused(
            "Run `migrate` first: the database is not what this version of the shop expects."
        )
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        contents = _write(part, migrations=sorted(executor.loader.applied_migrations))
        read_backup(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return contents


def _write(path: Path, *, migrations: list[tuple[str, str]]) -> Contents:
    handle = os.open(
        path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600
    )  # it holds everybody's addresses
    with (
        os.fdopen(handle, "w+b") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        rows, hashes = {}, dict(_store_media(archive, known=()))
        with _snapshot():
            # A file is never changed. What was added since the first look is all that can be missing.
            hashes |= _store_media(archive, known=hashes.keys())
            for model in _tables(now):
                name = model._meta.db_table
                rows[name], hashes[f"rows/{name}"] = _store_rows(archive, model)
        contents = {"format": FORMAT, "migrations": migrations, "rows": rows, "hashes": hashes}
        archive.writestr(LIST, json.dumps(contents))
    return contents


def read_backup(path: Path) -> Contents:
    """What a backup holds, after every byte of it was checked; raises Refused when it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            contents: Contents = json.loads(archive.read(LIST))
            if contents["format"] != FORMAT:
                raise BackupRefused(f"{path} is of another format.")
            found = {name: _hash(archive, name) for name in archive.namelist() if name != LIST}
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise BackupRefused(f"{path} is no backup, or is damaged: {error}") from error
    if found != contents["hashes"]:
        raise BackupRefused(f"{path} is damaged.")
    return contents


def restore_backup(path: Path, *, replace: bool) -> Contents:
    """Bring the shop back as it was, all or nothing; pictures follow when the rows are there for good.

    Raises Refused for a damaged file, for one of a newer shop, and for a database that holds something
    already, unless that is to be replaced.
    """
    contents = read_backup(path)
    wanted = {(app, name) for app, name in contents["migrations"]}
    executor = MigrationExecutor(connection)
    if unknown := wanted - executor.loader.graph.nodes.keys():
        raise BackupRefused(
            f"This backup is of a newer shop: {'.'.join(min(unknown))} is not known here."
        )
    nodes = executor.loader.graph.node_map
    state = [
        node for node in wanted if not any(child.key in wanted for child in nodes[node].children)
    ]
    if not executor.loader.applied_migrations:
        executor.migrate(state)
    elif wanted != executor.loader.applied_migrations.keys():
        raise BackupRefused(
            "This backup is of another version of the shop. Restore it into an empty database."
        )
    models_then = _tables(MigrationExecutor(connection).loader.project_state(state).apps)
    with zipfile.ZipFile(path) as archive:
        _load(archive, models_then, contents["rows"], replace=replace)
        _place_media(archive)
    ContentType.objects.clear_cache()
    call_command("migrate", verbosity=0)
    return contents


@contextmanager
def _snapshot() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(SNAPSHOT[connection.vendor])
        try:
            cursor.execute(
                "SELECT COUNT(*) FROM django_migrations"
            )  # the first read takes the snapshot
            yield
        finally:
            cursor.execute("ROLLBACK")


def _tables(apps: Any) -> list[type[models.Model]]:
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy]


def _fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.local_concrete_fields if not field.generated]


def _store_rows(archive: zipfile.ZipFile, model: type[models.Model]) -> tuple[int, str]:
    """One JSON list a line, the first with the columns' names; returns how many rows, and their hash."""
    names = [field.attname for field in _fields(model)]
    count, sha = -1, hashlib.sha256()
    found = model._base_manager.order_by("pk").values_list(*names).iterator(CHUNK)
    with archive.open(f"rows/{model._meta.db_table}", "w", force_zip64=True) as out:
        for count, row in enumerate(_chained(names, found)):  # noqa: B007 - the last is wanted
            line = json.dumps(row, default=_plain, sort_keys=True).encode() + b"\n"
            out.write(line)
            sha.update(line)
    return count, sha.hexdigest()


def _chained(first: Row, rest: Iterable[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _plain(value: Any) -> str:
    """What JSON lacks, as the field's `to_python` reads it."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, date):  # a moment, too
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value)} has no place in a backup yet.")


def _store_media(archive: zipfile.ZipFile, *, known: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in images.stored_files(default_storage):
        member = f"media/{name}"
        if member in known:
            continue
        try:
            with default_storage.open(name) as file:
                content = file.read()
        except FileNotFoundError:  # replaced while we looked
            continue
        archive.writestr(member, content, zipfile.ZIP_STORED)
        yield member, hashlib.sha256(content).hexdigest()


def _hash(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as member:
        return hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]


@atomically
def _load(
    archive: zipfile.ZipFile,
    tables: list[type[models.Model]],
    rows: dict[str, int],
    *,
    replace: bool,
) -> None:
    """Every table emptied and filled. Nobody comes between: they wait, and find the shop of the backup."""
    if rows.keys() != {model._meta.db_table for model in tables}:
        raise BackupRefused("This backup is of another version of the shop.")
    quoted = {model: connection.ops.quote_name(model._meta.db_table) for model in tables}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _lock(cursor, ", ".join(quoted.values()))
        mine = [model for model in tables if model._meta.app_label == "shop"]
        if not replace and any(model._base_manager.exists() for model in mine):
            raise BackupRefused(
                "This database holds a shop already. With --replace it is thrown away."
            )
        for model in tables:
            cursor.execute(f"DELETE FROM {quoted[model]}")  # noqa: S608 - names of our own tables
        for model in tables:
            with archive.open(f"rows/{model._meta.db_table}") as lines:
                _fill(cursor, model, lines)
        for sql in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(sql)
        connection.check_constraints()
    for model in tables:
        if model._base_manager.count() != rows[model._meta.db_table]:
            raise BackupRefused(f"Not all of {model._meta.db_table} came back.")


def _lock(cursor: Any, tables: str) -> None:
    """Shut the doors, then take all tables at once or none: to wait with some in hand could be forever."""
    cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'")
    cursor.execute(f"LOCK TABLE {DOORS} IN ACCESS EXCLUSIVE MODE")
    for attempt in range(PATIENCE):
        try:
            with transaction.atomic():
                cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE NOWAIT")
        except OperationalError as error:
            if not is_busy(error) or attempt == PATIENCE - 1:
                raise
            time.sleep(0.1)
        else:
            return


def _fill(cursor: Any, model: type[models.Model], lines: IO[bytes]) -> None:
    by_name = {field.attname: field for field in _fields(model)}
    names = json.loads(next(lines))
    if set(names) != by_name.keys():
        raise BackupRefused(f"{model._meta.db_table} has other columns in this backup.")
    fields = [by_name[name] for name in names]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    sql = f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608
    rows = (json.loads(line) for line in lines)
    cursor.executemany(
        sql,
        (
            [
                f.get_db_prep_save(f.to_python(value), connection)
                for f, value in zip(fields, row, strict=True)
            ]
            for row in rows
        ),
    )


def _place_media(archive: zipfile.ZipFile) -> None:
    for member in archive.namelist():
        name = member.removeprefix("media/")
        if name != member:
            with archive.open(member) as content:
                default_storage.delete(name)
                default_storage.save(name, File(content, name))
