"""Answers requests through a project's WSGI application, without socket or server: `beside_drf.py` starts it.

A line of JSON on stdin says what to do, a line on stdout what it took: of each request [seconds, status, queries,
bytes]; savepoints are no queries. It runs in either project's environment, so it imports nothing of ours.
"""

import importlib
import io
import json
import resource
import sys
import time


class Application:
    """A project, and what its requests ask the database."""

    def __init__(self, name):
        self.answer = importlib.import_module(name).application
        from django.db import connection  # noqa: PLC0415 - set up by the line above

        self.connection = connection
        connection.execute_wrappers.append(self._count)
        self.statements = []
        self.recorded = []

    def _count(self, execute, sql, params, many, context):
        if not sql.startswith("BEGIN"):  # PostgreSQL's driver says it unseen
            self.statements.append((sql, params, self.connection.in_atomic_block))
        return execute(sql, params, many, context)

    def request(self, method, path, token, body, headers):
        route, _, query = path.partition("?")
        data = json.dumps(body).encode() if body else b""
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": route,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_ACCEPT": "*/*",
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            "CONTENT_TYPE": "application/json" if data else "",
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(data),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **headers,
        }
        status = []
        self.statements = []
        started = time.perf_counter()
        response = self.answer(environ, lambda line, _: status.append(line))
        size = sum(len(part) for part in response)
        response.close()
        taken = time.perf_counter() - started
        asked = sum(not sql.startswith(("SAVEPOINT", "RELEASE")) for sql, _, _ in self.statements)
        return [taken, int(status[0][:3]), asked, size]

    def requests(self, several):
        """Answer them, and keep each one's statements for `replay`."""
        self.recorded, answers = [], []
        for one in several:
            answers.append(self.request(*one))
            self.recorded.append(self.statements)
        return answers

    def replay(self):
        """The same statements with the same values, by the driver alone; in seconds for each request."""
        with self._driver() as driver:
            return [self._replayed(driver, statements) for statements in self.recorded]

    def _driver(self):
        return (
            _Postgres(self.connection)
            if self.connection.vendor == "postgresql"
            else _SQLite(self.connection)
        )

    @staticmethod
    def _replayed(driver, statements):
        started = time.perf_counter()
        is_inside = False
        for sql, params, belongs_inside in statements:
            if belongs_inside and not is_inside:
                driver.execute(driver.BEGIN)
                is_inside = True
            driver.execute(sql, params)
        if is_inside:
            driver.execute("COMMIT")
        return time.perf_counter() - started


class _Postgres:
    """psycopg, with every statement prepared."""

    BEGIN = "BEGIN"

    def __init__(self, connection):
        import psycopg  # noqa: PLC0415 - not there where SQLite is measured

        parameters = connection.get_connection_params()
        known = ("dbname", "user", "password", "host", "port", "options")
        options = {name: parameters[name] for name in known if name in parameters}
        self.connection = psycopg.connect(**options, autocommit=True)

    def execute(self, sql, params=None):
        cursor = self.connection.execute(sql, params, prepare=True)
        if cursor.description:
            cursor.fetchall()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


class _SQLite(_Postgres):
    """sqlite3, which prepares every statement anyway."""

    BEGIN = "BEGIN IMMEDIATE"

    def __init__(self, connection):
        import sqlite3  # noqa: PLC0415 - beside its sister

        self.connection = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self.connection.execute(f"PRAGMA {pragma}")

    def execute(self, sql, params=None):
        self.connection.execute(sql.replace("%s", "?"), params or ()).fetchall()


def main():
    application = Application(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        if asked == "memory":  # the most that was held so far, in MB
            done = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        else:
            done = application.replay() if asked == "replay" else application.requests(asked)
        print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
