"""The shop under `settings.production`, in a process and on a database of its own."""

import json
import os
import subprocess
import sys

import pytest

from settings import env

VARIABLES = {
    "DJANGO_SETTINGS_MODULE": "settings.production",
    "DJANGO_SECRET_KEY": "s" * 32,
    "JWT_SIGNING_KEY": "j" * 32,
    "DJANGO_ALLOWED_HOSTS": "testserver",
    "DJANGO_HTTPS": "false",
    "EMAIL_URL": "dummy://",
}
#: Prints as JSON: status and invalid field of each checkout, orders, methods in the document,
#: whether it names the tokens, and the number of users after each way to make the demo.
SCRIPT = """
import json, django; django.setup()
from django.core.management import CommandError, call_command
call_command("migrate", verbosity=0)
from shop.api.app import api
from shop.management import demo_shop
from shop.models import Order, User
from support import factories

carl, mug = factories.create_carl(), factories.create_product()
factories.add_to_cart(carl, (mug, 1))
app, answers = factories.api_client(carl), []
for payment in json.loads(PAYMENTS):
    body = {"shipping_address": "1 Fern Road", **payment}
    response = app.post("/orders/create/", body)
    fields = [error["field"] for error in response.json().get("errors", ())]
    answers.append([response.status_code, *fields])
document = json.dumps(api.get_openapi_schema())
checkout = api.get_openapi_schema()["components"]["schemas"]
refused = 0
for make in (lambda: call_command("demo", "--no-server"), lambda: demo_shop.load(print)):
    try:
        make()
    except CommandError:
        refused += 1
print(json.dumps({
    "answers": answers,
    "orders": list(Order.objects.values_list("payment_method", "payment_status")),
    "offered": checkout["OfferedPayment"]["enum"],
    "documents_tokens": "tok_success" in document,
    "demo": [refused, User.objects.count()],
}))
"""
PAYMENTS = [
    {"payment_method": "card"},
    {"payment_method": "card", "payment_token": "tok_success"},
    {"payment_method": "card", "payment_token": "tok_declined"},
    {},
]


def run_production(tmp_path, **variables):
    """Return what SCRIPT prints with these variables."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{env.ROOT}:{env.ROOT / 'tests'}",
        "DATABASE_URL": f"sqlite:///{tmp_path}/shop.sqlite3",
        "MEDIA_ROOT": str(tmp_path),
        **VARIABLES,
        **variables,
    }
    script = SCRIPT.replace("PAYMENTS", repr(json.dumps(PAYMENTS)))
    command = [sys.executable, "-c", script]
    output = subprocess.run(command, cwd=env.ROOT, env=environ, capture_output=True, check=True)
    return json.loads(output.stdout)


@pytest.mark.slow
def test_production_has_no_simulated_cards_and_no_demo(tmp_path):
    assert run_production(tmp_path) == {
        "answers": [[422, "payment_method"]] * 3 + [[201]],
        "orders": [["cash_on_delivery", "pending"]],
        "offered": ["cash_on_delivery", "bank_transfer"],
        "documents_tokens": False,
        "demo": [2, 1],
    }


@pytest.mark.slow
def test_production_offers_the_payment_methods_that_it_names(tmp_path):
    assert run_production(tmp_path, SHOP_PAYMENT_METHODS="bank_transfer,card") == {
        "answers": [[422, "payment_token"], [201], [409], [409]],
        "orders": [["card", "paid"]],
        "offered": ["bank_transfer", "card"],
        "documents_tokens": True,
        "demo": [2, 1],
    }
