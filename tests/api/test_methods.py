"""HEAD, wrong methods and unknown URLs, with CSRF checks on as in production."""

import pytest
from django.test import Client
from support import factories
from support.api_operations import OPERATIONS

GETS = [operation for operation in OPERATIONS if operation.method == "get"]
WRITES = ("post", "put", "patch", "delete")
HEADERS = ("Content-Type", "Content-Length", "ETag", "Cache-Control", "WWW-Authenticate")


@pytest.fixture
def browser():
    """A client that Django checks for CSRF, unlike its default test client."""
    return Client(enforce_csrf_checks=True)


def headers_of(response):
    return {name: response.get(name) for name in HEADERS}


@pytest.mark.parametrize("fixture", ["adas_app", "strangers_app"])
def test_head_answers_as_get_without_the_body(request, ids, statements, fixture):
    app = request.getfixturevalue(fixture)
    for path in [
        *(op.url(ids) for op in GETS),
        "/docs",
        "/openapi.json",
        "/auth/login/",
        "/nothing/",
        "/",
        "",
    ]:
        head, get = app.call("head", path), app.get(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        assert head["Content-Length"] == str(len(get.content)), path
        expected = headers_of(get) | {"Content-Length": str(len(get.content))}
        assert headers_of(head) == expected, path


def test_a_conditional_head_is_304(carls_app, mug):
    tag = carls_app.call("head", f"/products/{mug.pk}/")["ETag"]
    response = carls_app.call("head", f"/products/{mug.pk}/", **{"If-None-Match": tag})
    assert (response.status_code, response.content) == (304, b"")


@pytest.mark.parametrize("path", ["/auth/login/", "/orders/create/"])
def test_head_is_405_where_get_is(carls_app, path):
    assert carls_app.get(path).status_code == 405
    head = carls_app.call("head", path)
    assert (head.status_code, head["Allow"]) == (405, "POST")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
@pytest.mark.parametrize(
    "path",
    ["/api/nothing/", "/api/cart", "/api/orders/create", "/api/openapi.json/", "/api/", "/api"],
)
def test_a_write_to_an_unknown_url_is_not_found(browser, db, path, content_type):
    for method in WRITES:
        response = getattr(browser, method)(path, b"{}", content_type=content_type)
        assert factories.problem_code(response) == (404, "not-found"), method
        assert ("slash" in response.json()["detail"]) is not path.endswith("/"), method


@pytest.mark.parametrize("path", ["/api/docs", "/api/openapi.json"])
def test_a_write_to_the_documentation_is_405(browser, db, path):
    for method in WRITES:
        response = getattr(browser, method)(path, b"x", content_type="text/plain")
        assert factories.problem_code(response) == (405, "method-not-allowed"), method
        assert response["Allow"] == "GET, HEAD"


def test_a_wrong_method_is_405_whatever_the_body(browser, db):
    response = browser.post("/api/health/", b"x", content_type="text/plain")
    assert factories.problem_code(response) == (405, "method-not-allowed")
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/api/auth/login/", "/api/nothing/", "/api/products/1/image/"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_without_its_length_is_refused(browser, db, path, method):
    response = browser.generic(
        method, path, headers={"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
    )
    assert factories.problem_code(response) == (411, "length-required")


@pytest.mark.parametrize("length", ["1 2", "-1", "٣"])
def test_a_malformed_length_is_refused(browser, db, length):
    response = browser.generic("POST", "/api/auth/login/", CONTENT_LENGTH=length)
    assert factories.problem_code(response) == (400, "bad-request")


@pytest.mark.parametrize("length", [10**7, 10**15, "9" * 5_000])
@pytest.mark.parametrize("path", ["/api/auth/login/", "/api/products/1/image/"])
def test_a_long_body_is_refused_by_its_length(browser, db, path, length):
    response = browser.generic("POST", path, CONTENT_LENGTH=str(length))
    assert factories.problem_code(response) == (413, "too-large")


def test_more_parameters_than_django_reads_are_refused(carls_app):
    query = "&".join(f"a{number}=1" for number in range(1001))
    assert factories.problem_code(carls_app.get(f"/cart/?{query}")) == (400, "bad-request")
