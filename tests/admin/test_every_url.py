"""Sends every form of the admin without POST, CSRF token or permission: nothing may change.

A new page is covered by itself. `test_each_form_changes_something_if_sent_properly` fails with its
name until FORM_VALUES has the values that its form needs, or READ_ONLY_NAMES has its name.
"""

import json
import re
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from support import admin_urls, factories, further_models, totp, world

from shop import exposure
from shop.admin.base import FORM_KEY_FIELD
from shop.admin.orders.bulk_steps import BULK_STEPS
from shop.admin.products.stock_room import CONFIRM_FIELD
from shop.models import BrowserSession, IdempotencyKey, Order, Product, User
from shop.services.bulk_pricing import PriceChange, preview_prices

SECRET = "a-long-enough-one"


class RepeatableUpload(SimpleUploadedFile):
    """An upload that can be sent more than once."""

    def read(self, *_):
        return world.IMPORT_FILE.encode()


def mug():
    return Product.objects.get(sku="MUG-1")


def phone_order_values():
    return {
        "lines-0-product": mug().pk,
        "lines-0-quantity": 1,
        "lines-TOTAL_FORMS": 5,
        "lines-INITIAL_FORMS": 0,
        "payment_method": "cash_on_delivery",
        "customer": User.objects.get(email="carl@example.com").pk,
        "step": "place",
        "expected_total": mug().price,
        "key": uuid.uuid4(),
    }


def return_values():
    order = Order.objects.filter(status="delivered").order_by("pk").first()
    return {f"put_back_{order.items.first().product_id}": 1}


def price_change_values():
    change = PriceChange(percent=Decimal(5))
    pks = Product.objects.values_list("pk", flat=True)
    fingerprint = preview_prices(product_ids=pks, change=change).fingerprint
    return {"by": "percent", "value": "5", "fingerprint": fingerprint}


def table_values():
    mug = Product.objects.get(sku="MUG-1")
    return {"cells": json.dumps({mug.pk: {"name": [mug.name, "Vase"]}})}


def two_factor_values():
    return {"key": totp.KEY, "code": totp.code_at(time.time())}


#: URL name or action -> values beside the form's initial ones, or a function that returns them.
FORM_VALUES = {
    "password_change": {
        "old_password": factories.PASSWORD,
        "new_password1": SECRET,
        "new_password2": SECRET,
    },
    "shop_user_two_factor": two_factor_values,
    "shop_product_adjust_stock": {"delta": "1", "kind": "received"},
    "shop_product_count_stock": {"counted": "3"},
    "shop_product_receive_goods": lambda: {"rows": json.dumps([[mug().pk, 12]])},
    "shop_product_count_shelf": lambda: {
        "rows": json.dumps([[mug().pk, 3, mug().stock, 99_999_999]]),
        CONFIRM_FIELD: "1",
    },
    "shop_product_edit_in_table": table_values,
    "shop_product_quick_edit": lambda: {
        "field": "name",
        "old": Product.objects.earliest("pk").name,
        "value": "Vase",
    },
    "shop_product_add": {"name": "Vase", "price": "24.00", "first_stock": "1"},
    "shop_product_change": {"name": "Vase"},
    "shop_order_add_note": {"note": "Called"},
    "shop_order_edit_order": {
        "shipping_address": "2 Elm Street",
        "lines-TOTAL_FORMS": 0,
        "lines-INITIAL_FORMS": 0,
    },
    "shop_order_edit_tracking": {"tracking_number": "RM 9"},
    "shop_order_return_items": return_values,
    "shop_order_refund": {"amount": "1.00"},
    "shop_order_edit_details": {
        name: further_models.example_value(field)
        for name in exposure.staff_writable_fields(Order)
        if not (field := exposure.get_field(Order, name)).is_relation
    },
    "shop_changeset_add": {"file": RepeatableUpload("autumn.csv", b"")},
    "shop_changeset_preview_again": {"blank_cells": "clear"},
    "shop_changeset_apply": {"seen": world.CHECKED_AT.isoformat(), "good_only": "1"},
    "shop_order_add": phone_order_values,
    "shop_user_add": {"email": "eve@example.com", "first_name": "Eve", "last_name": "New"},
    "shop_user_invite": {"email": "eve@example.com", "first_name": "Eve", "last_name": "New"},
    "shop_user_own_sessions": {"others": "1"},
    "shop_user_change": {"first_name": "Eve"},
    "auth_group_add": {"name": "Night shift"},
    "auth_group_change": {"name": "Night shift"},
    "auth_group_delete": {"post": "yes"},
    "shop_carrier_add": {"name": "Pigeon"},
    "shop_carrier_change": {"name": "Pigeon"},
    "shop_savedview_add": {"name": "Late", "screen": "order", "query": "days=7"},
    "shop_savedview_change": {"name": "Early"},
    "shop_savedview_delete": {"post": "yes"},
    # list actions
    "delete_selected": {"post": "yes"},
    **{step.name: {FORM_KEY_FIELD: step.name} for step in BULK_STEPS},
    "change_prices": price_change_values,
}
for model in further_models.further_models():
    values = further_models.example_values(model, exposure.editable_fields(model))
    FORM_VALUES |= {
        f"shop_{model._meta.model_name}_add": values,
        f"shop_{model._meta.model_name}_change": values,
        f"shop_{model._meta.model_name}_delete": {"post": "yes"},
    }
#: Those of FORM_VALUES that expire before a slow machine has sent the submissions before it.
EXPIRING_VALUES = {"shop_user_two_factor": two_factor_values}
#: Ends of the names of URLs and actions that change nothing.
READ_ONLY_NAMES = (
    *("_changelist", "_history", "_search_choices", "index", "search"),
    *("autocomplete", "jsi18n", "app_list", "change_done", "_export", "export_selected"),
    *("_download_pdf", "download_selected", "report", "reports", "_look_up_products"),
    # These actions only fill the table of another page.
    *("receive", "count", ": edit_in_table"),
    # The file of a further model, whose import needs what its preview stored: see
    # tests/low_code/doors/test_admin_files.py.
    "_import",
)
#: Pages of the user's own account and views, which need no permission.
OWN_PAGES = {
    "password_change",
    "shop_user_two_factor",
    "shop_user_own_sessions",
    "shop_savedview_add",
}
SESSION_NAMES = {"login", "logout"}  # would sign out the client
SESSION_TABLE = '"(django_session|shop_browsersession)'
WRITES = re.compile(
    f"(INSERT|UPDATE|DELETE)(?! FROM {SESSION_TABLE}| {SESSION_TABLE}| INTO {SESSION_TABLE})"
)
NOT_FOUND_URL = "/admin/"  # Django redirects there from a record that the user can't see
REFUSALS = {HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED}


@dataclass
class Submission:
    """One submission of a form, or of a list's action."""

    name: str
    path: str
    body: dict


def initial_values(response):
    """Return the initial values of the page's form."""
    context = response.context or {}
    form = context["adminform"].form if "adminform" in context else context.get("form")
    values = {name: form[name].value() for name in form.fields} if form else {}
    files = exposure.media_fields(Product) + [
        name for model in further_models.further_models() for name in exposure.media_fields(model)
    ]
    return {
        name: value for name, value in values.items() if value is not None and name not in files
    }


def form_values(name):
    values = FORM_VALUES.get(name, {})
    return values() if callable(values) else values


def build_submissions(client):
    for url in admin_urls.admin_urls():
        if url.name in SESSION_NAMES:
            continue
        response = client.get(url.path)
        body = {**initial_values(response), **form_values(url.name)}
        yield Submission(url.name, url.path, body)

        if response.context and (form := response.context.get("action_form")):
            selected = [row.pk for row in response.context["cl"].result_list]
            for action in filter(None, dict(form.fields["action"].choices)):
                body = {"action": action, "_selected_action": selected, **form_values(action)}
                yield Submission(f"{url.name}: {action}", url.path, body)


def database_rows():
    """Return every row of every table but those of browser sessions."""
    models = [m for m in apps.get_models(include_auto_created=True) if m is not BrowserSession]
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models
    }


@pytest.fixture
def submissions(ada, carl, dora):
    """All submissions, with valid values."""
    world.create_world(ada, carl, dora)
    return list(build_submissions(factories.staff_client(ada)))


def send_all(client, method, submissions):
    """Send all; return the statuses by name, and the names of those that wrote to the database."""
    statuses, wrote = defaultdict(set), set()
    for submission in submissions:
        with CaptureQueriesContext(connection) as queries:
            body = submission.body | EXPIRING_VALUES.get(submission.name, dict)()
            response = getattr(client, method)(submission.path, body)
        if response.headers.get("Location") != NOT_FOUND_URL:
            statuses[submission.name].add(response.status_code)
        if any(WRITES.match(query["sql"]) for query in queries):
            wrote.add(submission.name)
    return statuses, wrote


@pytest.mark.slow
def test_nothing_changes_without_post_csrf_token_and_permission(
    submissions, ada, staff_client_with
):
    permissions = Permission.objects.values_list("codename", flat=True)
    view_permissions = [name for name in permissions if name.startswith("view_")]
    others = [submission for submission in submissions if submission.name not in OWN_PAGES]
    client = factories.staff_client(ada)
    strict_client = factories.staff_client(ada, enforce_csrf_checks=True)
    before = database_rows()

    assert send_all(client, "get", submissions)[1] == set()
    statuses, wrote = send_all(strict_client, "post", submissions)
    assert (wrote, set().union(*statuses.values()) - REFUSALS) == (set(), set())

    for codenames in ([], view_permissions):
        client = staff_client_with(*codenames)
        assert send_all(client, "get", others)[1] == set()
        statuses, wrote = send_all(client, "post", others)
        allowed = {name for name, codes in statuses.items() if codes - REFUSALS}
        changing = {name for name in allowed if not name.split(":")[0].endswith(READ_ONLY_NAMES)}
        assert (wrote, changing) == (set(), set())
        User.objects.get(email="cleo@example.com").delete()

    for method in ("get", "post"):
        assert send_all(Client(), method, submissions)[1] == set()
    assert database_rows() == before


@pytest.mark.slow
def test_each_form_changes_something_if_sent_properly(submissions, ada):
    """Shows that the test above sends valid forms, and that stored results hold no personal data.

    A result is stored under the user's form key for three days, where an erasure does not reach it.
    """
    client = factories.staff_client(ada)
    session_key = client.cookies[settings.SESSION_COOKIE_NAME].value
    before, unchanged, results = database_rows(), set(), set()
    for submission in submissions:
        client.cookies[settings.SESSION_COOKIE_NAME] = session_key  # a new password changes it
        with transaction.atomic():
            body = {**submission.body, FORM_KEY_FIELD: "form-key"}
            response = client.post(submission.path, body)
            keys = IdempotencyKey.objects.filter(user=ada)
            results |= set(keys.values_list("answer", flat=True))
            keys.filter(key__endswith="form-key").delete()
            if response.status_code not in REFUSALS and database_rows() == before:
                unchanged.add(submission.name)
            transaction.set_rollback(True)
    assert {name for name in unchanged if not name.endswith(READ_ONLY_NAMES)} == set()

    users = User.objects.all()
    names = {name for user in users for name in (user.first_name, user.last_name, user.email)}
    assert len(results) > 10
    assert {result for result in results if any(name in result for name in names)} == set()
