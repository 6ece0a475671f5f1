"""A failed export is a failed download on every server, never a short file that looks complete."""

import http.client
import io
from urllib.parse import urlencode, urlsplit

import pytest
from support import factories
from support.failing_exports_wsgi import failing_rows
from support.servers import serving

from shop.models import Product
from shop.product_files.exports import product_export
from shop.product_files.reading.sheets import open_sheet

EXPORT = "/admin/shop/product/export/"
FORMATS = pytest.mark.parametrize("file_format", ["csv", "xlsx"])


@pytest.fixture
def many_products(db):
    Product.objects.bulk_create(
        Product(name=f"Mug {n}", sku=f"M-{n}", price=1, description="x" * 500) for n in range(3000)
    )


def download(server, user, file_format, *, query="", protocol="HTTP/1.1"):
    """Submit the export form; return the status and the body, whose end the client has checked."""
    cookies = {name: morsel.value for name, morsel in factories.staff_client(user).cookies.items()}
    cookies["csrftoken"] = token = "a" * 32
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
    connection._http_vsn_str = protocol
    form = {"layout": "own", "file_format": file_format, "csrfmiddlewaretoken": token}
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", EXPORT + query, urlencode(form), headers)
    response = connection.getresponse()
    try:
        return response.status, response.read()
    finally:
        connection.close()


@FORMATS
def test_error_in_the_first_row_is_a_server_error(ada, mug, monkeypatch, file_format):
    monkeypatch.setattr(product_export, "table_rows", lambda *_: (1 / 0 for _ in range(3)))
    browser = factories.staff_client(ada)
    browser.raise_request_exception = False
    response = browser.post(EXPORT, {"layout": "own", "file_format": file_format})
    assert (response.status_code, response.has_header("Content-Disposition")) == (500, False)


@FORMATS
def test_response_has_the_length_of_the_file(ada, many_products, file_format):
    response = factories.staff_client(ada).post(
        EXPORT, {"layout": "own", "file_format": file_format}
    )
    assert len(b"".join(response.streaming_content)) == int(response["Content-Length"])


@pytest.fixture(scope="module")
def failing_server(django_db_setup, tmp_path_factory):
    log = tmp_path_factory.mktemp("exports") / "server.log"
    with serving("support.failing_exports_wsgi", log, processes=1) as url:
        yield url


@FORMATS
@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.django_db(transaction=True)
def test_late_error_is_seen_by_clients_of_gunicorn(
    failing_server, ada, many_products, file_format, protocol
):
    status, body = download(failing_server, ada, file_format, protocol=protocol)
    assert (status, b"M-1" in body) == (500, False)
    status, body = download(failing_server, ada, file_format, protocol=protocol, query="?q=M-123")
    rows = list(open_sheet(io.BytesIO(body), "products").rows)
    assert (status, len(rows)) == (200, 11)  # M-123 and M-1230 to M-1239


@FORMATS
@pytest.mark.django_db(transaction=True)
def test_late_error_is_seen_by_clients_of_runserver(
    live_server, ada, many_products, monkeypatch, file_format
):
    monkeypatch.setattr(product_export, "table_rows", failing_rows)
    status, body = download(live_server.url, ada, file_format)
    assert (status, b"M-1" in body) == (500, False)
