"""Call a project's WSGI application directly, without socket or server; started by `beside_drf.py`.

Reads a line of JSON per command on stdin and prints its result as a line of JSON: for each request
[seconds, status, queries, bytes]. Savepoints are not counted as queries. It runs in the
environment of either project, so it imports nothing of this one.
"""

import importlib
import io
import json
import resource
import sys
import time


class Application:
    """A WSGI application that records the database queries of each request."""

    def __init__(self, name):
        self.wsgi = importlib.import_module(name).application
        from django.db import connection  # noqa: PLC0415 - set up by the import

        self.connection = connection
        connection.execute_wrappers.append(self.record)
        self.statements = []
        self.recorded = []

    def record(self, execute, sql, params, many, context):
        if not sql.startswith("BEGIN"):  # recorded on SQLite only
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
        status_lines = []
        self.statements = []
        start = time.perf_counter()
        response = self.wsgi(environ, lambda line, _headers: status_lines.append(line))
        size = sum(len(part) for part in response)
        response.close()
        seconds = time.perf_counter() - start
        queries = sum(not sql.startswith(("SAVEPOINT", "RELEASE")) for sql, _, _ in self.statements)
        return [seconds, int(status_lines[0][:3]), queries, size]

    def requests(self, arguments):
        """Send the requests, and keep the statements of each for `replay`."""
        self.recorded, results = [], []
        for request in arguments:
            results.append(self.request(*request))
            self.recorded.append(self.statements)
        return results

    def replay(self):
        """Execute the recorded statements with the driver only; return the seconds per request."""
        driver_class = PostgresDriver if self.connection.vendor == "postgresql" else SQLiteDriver
        with driver_class(self.connection) as driver:
            return [replay_request(driver, statements) for statements in self.recorded]


def replay_request(driver, statements):
    start = time.perf_counter()
    in_transaction = False
    for sql, params, belongs_to_transaction in statements:
        if belongs_to_transaction and not in_transaction:
            driver.execute(driver.BEGIN)
            in_transaction = True
        driver.execute(sql, params)
    if in_transaction:
        driver.execute("COMMIT")
    return time.perf_counter() - start


class PostgresDriver:
    """psycopg, with every statement prepared."""

    BEGIN = "BEGIN"

    def __init__(self, connection):
        import psycopg  # noqa: PLC0415 - not installed where SQLite is measured

        parameters = connection.get_connection_params()
        names = ("dbname", "user", "password", "host", "port", "options")
        options = {name: parameters[name] for name in names if name in parameters}
        self.connection = psycopg.connect(**options, autocommit=True)

    def execute(self, sql, params=None):
        cursor = self.connection.execute(sql, params, prepare=True)
        if cursor.description:
            cursor.fetchall()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


class SQLiteDriver(PostgresDriver):
    """sqlite3, which always prepares statements."""

    BEGIN = "BEGIN IMMEDIATE"

    def __init__(self, connection):
        import sqlite3  # noqa: PLC0415 - as for PostgreSQL

        from shop.db.sqlite3.base import register_functions  # noqa: PLC0415 - needs Django set up

        self.connection = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        register_functions(self.connection)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self.connection.execute(f"PRAGMA {pragma}")

    def execute(self, sql, params=None):
        self.connection.execute(sql.replace("%s", "?"), params or ()).fetchall()


def main():
    application = Application(sys.argv[1])
    for line in sys.stdin:
        command = json.loads(line)
        if command == "memory":  # the peak so far, in MB
            result = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        elif command == "replay":
            result = application.replay()
        else:
            result = application.requests(command)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
