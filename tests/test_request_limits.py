"""What is refused by its headers or parameters, before a body is parsed or a page looks at it."""

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.http import HttpResponse
from django.test import Client, RequestFactory
from support import factories

from settings import wsgi
from shop.middleware import RequestLimitsMiddleware
from shop.models import User

MEGABYTE = 1024 * 1024
LOGIN, FORM = "/admin/login/", "/admin/shop/product/add/"
UPLOAD, PICTURE = "/admin/shop/changeset/add/", "/api/products/1/image/"


def status_for(user, path, length, **headers):
    """Return the status for a body of this length, of which only the header is sent."""
    request = RequestFactory().post(
        path, CONTENT_LENGTH=str(length), content_type="multipart/form-data", headers=headers
    )
    request.user = user
    return RequestLimitsMiddleware(lambda request: HttpResponse(status=200))(request).status_code


@pytest.mark.parametrize("path", [LOGIN, FORM, UPLOAD, "/nothing/", "/", "/api", PICTURE])
def test_without_signing_in_a_body_has_at_most_1_mb(path):
    assert status_for(AnonymousUser(), path, MEGABYTE) == 200
    assert status_for(AnonymousUser(), path, MEGABYTE + 1) == 413


@pytest.mark.parametrize("path", [LOGIN, FORM, UPLOAD, "/nothing/"])
def test_a_signed_in_user_sends_at_most_6_mb(carl, path):
    assert status_for(carl, path, 6 * MEGABYTE) == 200
    assert status_for(carl, path, 6 * MEGABYTE + 1) == 413


@pytest.mark.parametrize(
    ("codenames", "path", "megabytes"),
    [
        (["add_changeset", "change_product"], UPLOAD, 110),
        (["add_changeset", "change_product"], UPLOAD.rstrip("/"), 6),
        (["add_changeset", "change_product"], FORM, 6),
        (["add_changeset"], UPLOAD, 6),
        (["view_changeset", "change_product"], UPLOAD, 6),
    ],
)
def test_only_who_may_import_uploads_110_mb(staff_with, codenames, path, megabytes):
    user = staff_with(*codenames)
    assert status_for(user, path, megabytes * MEGABYTE) == 200
    assert status_for(user, path, megabytes * MEGABYTE + 1) == 413


def test_a_path_prefix_changes_no_limit(staff_with):
    user = staff_with("add_changeset", "change_product")
    request = RequestFactory().post(UPLOAD, CONTENT_LENGTH=str(9 * MEGABYTE), SCRIPT_NAME="/shop")
    request.user = user
    assert request.path == f"/shop{UPLOAD}"
    assert RequestLimitsMiddleware(lambda request: HttpResponse())(request).status_code == 200


def test_the_api_takes_a_picture_with_a_token(ada):
    token = factories.api_client(ada).token
    for bearer, status in ((token, 200), ("x", 413), (f"{token}x", 413)):
        headers = {"Authorization": f"Bearer {bearer}"}
        assert status_for(AnonymousUser(), PICTURE, 5 * MEGABYTE, **headers) == status


@pytest.mark.parametrize(
    ("length", "status"),
    [("-1", 400), ("1e3", 400), ("٣", 400), (" 5", 400), ("9" * 5000, 413), ("", 200), ("0", 200)],
)
@pytest.mark.parametrize("path", [LOGIN, PICTURE])
def test_a_malformed_length_is_refused(path, length, status):
    assert status_for(AnonymousUser(), path, length) == status


@pytest.mark.parametrize("length", ["", "5"])
def test_a_chunked_body_is_refused_in_the_admin(length):
    headers = {"Transfer-Encoding": "chunked"}
    assert status_for(AnonymousUser(), LOGIN, length, **headers) == 411


@pytest.fixture
def send(monkeypatch):
    """Send a request through the WSGI entry point, and return its status."""
    monkeypatch.setattr(wsgi, "django_application", lambda environ, _: environ["CONTENT_TYPE"])

    def send_request(method, path, content_type):
        passed_on = wsgi.application({"CONTENT_TYPE": content_type}, None)
        return Client().generic(method, path, b"a=1", passed_on).status_code

    return send_request


@pytest.mark.parametrize(
    "charset",
    [
        *("=hex", "=undefined", "=utf-16", "=unicode_escape", '="x"', "*=UTF-8''hex"),
        f"=utf-8{'; x=y' * 250}; charset=hex",
        f"=utf-8{'; x=y' * 250}",
    ],
)
@pytest.mark.parametrize("path", ["/admin/?days=1", "/api/products/?search=a"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_charset_than_utf_8_is_refused(send, method, path, charset):
    assert send(method, path, f"text/plain; charset{charset}") == 415


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", '"utf-8"'])
def test_utf_8_is_accepted(send, charset):
    assert send("GET", "/nothing?a=1", f"text/plain; charset={charset}") == 404


def test_refusals_of_the_api_are_problems():
    client = Client()
    answers = [
        client.generic("POST", PICTURE, b"x" * (MEGABYTE + 1), "multipart/form-data; boundary=x"),
        client.get("/api/health/", headers={"Content-Type": "text/plain; charset=hex"}),
        client.get("/api/health/", CONTENT_LENGTH="x"),
    ]
    assert [factories.problem_code(answer) for answer in answers] == [
        (413, "too-large"),
        (415, "unsupported-media-type"),
        (400, "bad-request"),
    ]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/admin/search/?s=m%00ug", 200),
        ("/admin/search/?s=m%%0000ug", 200),
        ("/admin/shop/order/?q=m%00ug", 200),
        ("/admin/shop/order/?status__exact=%00", 200),
        ("/admin/shop/order/?%00=1", 302),
        ("/admin/?days=%00", 200),
        ("/admin/autocomplete/?term=%00&app_label=%00&model_name=%00&field_name=%00", 403),
    ],
)
def test_nul_in_a_parameter_is_dropped(ada, mug, url, status):
    response = factories.staff_client(ada).get(url)
    assert response.status_code == status
    assert "\0" not in response.wsgi_request.GET.urlencode()
    assert "%00" not in response.wsgi_request.get_full_path()
    if "/search/" in url:
        assert [result.title for result in response.context["results"]] == ["Mug"]


@pytest.mark.parametrize(("field", "status"), [("once", 400), ("reason", 200), ("delta", 200)])
def test_nul_in_a_form_is_refused(ada, mug, field, status):
    browser, before = factories.staff_client(ada), factories.all_rows()
    values = {"delta": "1", "kind": "received", field: "a\0"}
    assert browser.post(f"/admin/shop/product/{mug.pk}/stock/", values).status_code == status
    assert factories.all_rows() == before


def test_a_long_query_is_refused(ada):
    browser = factories.staff_client(ada)
    assert browser.get(f"/admin/shop/order/?q={'x' * 7_000}").status_code == 200
    assert browser.get(f"/admin/shop/order/?q={'x' * 8_000}").status_code == 414


def test_a_small_body_costs_no_query(django_assert_num_queries, carl):
    client = factories.staff_client(carl)
    with django_assert_num_queries(0):
        assert client.post("/nothing/", {"a": "b" * 1000}).status_code == 404


@pytest.fixture
def staff_with(db):
    """`staff_with("view_order")`: a member of staff with these permissions only."""

    def create(*codenames):
        user = factories.create_user("Cleo", "Clerk", role="admin")
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return User.objects.get(pk=user.pk)

    return create
