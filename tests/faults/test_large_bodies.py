"""Bodies over the limit, sent to a real server: refused at once, with nothing stored."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest
from support.servers import TIMEOUT_SECONDS, serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PAGE = "/admin/login/"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"x" * 65_536
SIZE = 700 * 1024 * 1024


@pytest.fixture
def upload_folder(tmp_path, monkeypatch):
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def url(upload_folder, tmp_path):
    with serving("support.strict_wsgi", tmp_path / "server.log", processes=1) as url:
        yield url


def post_until_refused(url, *headers):
    """Send a body of SIZE until the server answers; return the answer and the bytes sent."""
    cookies = httpx.get(url + PAGE, trust_env=False).cookies
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    address = urlsplit(url)
    head = [
        f"POST {PAGE} HTTP/1.1",
        f"Host: {address.netloc}",
        f"Cookie: {cookie}",
        "Content-Type: multipart/form-data; boundary=x",
        *headers,
    ]
    sent = 0
    with socket.create_connection((address.hostname, address.port), TIMEOUT_SECONDS) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        try:
            while sent < SIZE:
                sent += connection.send(PART)
        except OSError:  # the server has closed the connection
            pass
        return connection.recv(1000), sent


@pytest.mark.parametrize("expect", [[], ["Expect: 100-continue"]])
def test_a_huge_body_is_refused_at_once(url, upload_folder, expect):
    answer, sent = post_until_refused(url, f"Content-Length: {SIZE}", *expect)
    assert b"HTTP/1.1 413 " in answer
    assert sent < SIZE / 10
    assert list(upload_folder.rglob("*")) == []


def test_a_chunked_body_is_refused_at_once(url, upload_folder):
    answer, sent = post_until_refused(url, "Transfer-Encoding: chunked")
    assert b"HTTP/1.1 4" in answer
    assert sent < SIZE / 10
    assert list(upload_folder.rglob("*")) == []


@pytest.mark.parametrize("megabytes", [2, 20])
def test_a_client_that_sends_all_of_it_reads_the_refusal(url, megabytes):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    body = b"x" * megabytes * 1024 * 1024
    answer = httpx.post(url + PAGE, content=body, headers=headers, trust_env=False)
    assert answer.status_code == 413
