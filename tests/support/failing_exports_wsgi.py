"""The shop as it is served, with exports that fail after 1,000 rows."""

from settings.wsgi import application as shop
from shop.product_files.exports import columns, product_export


def failing_rows(*arguments):
    """Yield up to 1,000 rows, then raise if there are more, as after a lost connection."""
    for number, row in enumerate(columns.table_rows(*arguments)):
        if number == 1000:
            raise OSError("The connection to the database was lost.")
        yield row


def application(environ, start_response):
    product_export.table_rows = failing_rows  # not on import: tests import `failing_rows`
    return shop(environ, start_response)
