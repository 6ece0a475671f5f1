"""The shop as it is served, with exports that fail after 1,000 rows."""

from itertools import islice

from settings.wsgi import application as shop
from shop.product_files.exports import columns, product_export


def failing_rows(*arguments):
    """Yield the first 1,000 rows, then raise, as after a lost database connection."""
    yield from islice(columns.table_rows(*arguments), 1000)
    raise OSError("The connection to the database was lost.")


def application(environ, start_response):
    product_export.table_rows = failing_rows  # not on import: tests import `failing_rows`
    return shop(environ, start_response)
