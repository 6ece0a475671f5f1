"""Run inside a grown copy of the project: tries it, and prints what it found as JSON."""

import csv
import io
import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.development")
django.setup()

from django.contrib import admin  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from shop.api import api, tokens  # noqa: E402
from shop.models import Product, User  # noqa: E402
from shop.models.products import Supplier  # noqa: E402
from shop.product_files.exports import product_export  # noqa: E402
from shop.product_files.imports.apply import apply_import  # noqa: E402
from shop.product_files.imports.preview import preview_import, store_upload  # noqa: E402
from shop.product_files.imports.undo import undo_import  # noqa: E402
from shop.services import accounts  # noqa: E402

setup_test_environment()
call_command("makemigrations", verbosity=0)
call_command("migrate", verbosity=0)
SENT = {
    "colour": "green",
    "size": "l",
    "weight": 300,
    "is_fragile": True,
    "sold_from": "2026-03-01",
    "drawn_at": "2026-01-02T03:04:05Z",
    "tare": "1.250",
    "site": "https://example.com/",
    "facts": {"dishwasher": True},
    "supplier_id": 1,
}
BAD = {
    "colour": "longer than twelve",
    "size": "m",
    "weight": 5001,
    "is_fragile": "yes",
    "sold_from": "tomorrow",
    "drawn_at": "2026-01-02T03:04:05",
    "tare": "1.2345",
    "site": "nowhere",
    "supplier_id": 99,
    "views": 5,
    "cost": "1.00",
    "manual": "file.pdf",
}


def client_of(user):
    token = tokens.sign_token(accounts._open_session(user, "probe"), "access")
    return Client(headers={"Authorization": f"Bearer {token}"})


def send(client, method, path, body=None):
    return getattr(client, method)(f"/api{path}", body, content_type="application/json")


ada = User.objects.create_superuser(
    "ada@example.com", "correct-horse-7", first_name="Ada", last_name="S"
)
carl = User.objects.create_user(
    "carl@example.com", "correct-horse-7", first_name="Carl", last_name="B"
)
staff, customer = client_of(ada), client_of(carl)
Supplier.objects.create(name="Potter")

created = send(staff, "post", "/products/", {"name": "Mug", "price": "9.50", "stock": 3, **SENT})
address = f"/products/{created.json()['id']}/"

browser = Client()
browser.force_login(ada)
form = browser.get("/admin/shop/product/1/change/").context["adminform"]
fields = form.form.initial | {"colour": "blue", "size": "l", "cost": "3.20", "facts": "{}"}
posted = {
    key: value
    for key, value in fields.items()
    if value not in (None, "") and key not in {"image", "manual"}
}
answer = browser.post("/admin/shop/product/1/change/", posted)
if answer.status_code != 302:
    sys.exit(str(answer.context["adminform"].form.errors))
edited = Product.objects.get(pk=1)

pieces = product_export.export_products(
    Product.objects.all(), layout="own", file_format="csv", address=str
)
[exported] = csv.DictReader(b"".join(pieces).decode("utf-8-sig").splitlines())
CELLS = {
    "sku": "new-1",
    "name": "Jug",
    "price": "8.00",
    "colour": "green",
    "size": "Large",
    "weight": "300",
    "fragile": "yes",
    "sold from": "2026-03-01",
    "drawn at": "2026-01-02T03:04:05Z",
    "tare": "1.25",
    "site": "https://example.com/",
    "facts": '{"dishwasher": true}',
    "supplier": "1",
    "cost": "3.20",
}
BAD_CELLS = {
    "colour": "longer than twelve",
    "size": "Larg",
    "weight": "5001",
    "fragile": "perhaps",
    "sold from": "tomorrow",
    "tare": "1.2345",
    "site": "nowhere",
    "facts": "{",
    "supplier": "99",
    "cost": "x",
}


def brought(*rows):
    """A file of these rows, checked."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CELLS)
    writer.writeheader()
    writer.writerows(rows)
    product_import = store_upload(actor=ada, name="grown.csv", content=text.getvalue().encode())
    preview_import(product_import)
    return product_import


def statuses(product_import):
    return list(product_import.rows.order_by("number").values_list("status", flat=True))


def imported():
    """Every kind of field from a file: new, changed and taken back."""
    kept = {"sku": edited.sku}
    old = Product.objects.filter(pk=1).values().get()
    first = brought(CELLS, CELLS | kept)
    apply_import(first.pk, actor=ada)
    jug = Product.objects.get(sku="new-1")
    second = brought(CELLS, CELLS | kept)
    bad = brought(*[CELLS | {"sku": f"bad-{name}", name: cell} for name, cell in BAD_CELLS.items()])
    undo_import(first.pk, actor=ada)
    now = Product.objects.filter(pk=1).values().get()
    return {
        "first": statuses(first),
        "jug": [
            str(getattr(jug, name))
            for name in ("size", "tare", "drawn_at", "facts", "supplier_id", "cost")
        ],
        "again": statuses(second),
        "bad": {
            row.sku.removeprefix("bad-"): row.problems[0]["said"]
            for row in bad.rows.order_by("number")
        },
        "undone": [name for name in now if now[name] != old[name]],
        "gone": not Product.objects.filter(sku="new-1").exists(),
    }


suppliers = send(staff, "post", "/suppliers/", {"name": "Kiln & Sons"})
found = {
    "form": [name for _, options in form.fieldsets for name in options["fields"]],
    "columns": list(admin.site.get_model_admin(Product).get_list_display(None)),
    "saved_in_admin": {"colour": edited.colour, "size": edited.size, "cost": str(edited.cost)},
    "exported": exported,
    "sent": SENT,
    "answer": created.json(),
    "patched": send(staff, "patch", address, {"colour": "red"}).json(),
    "refusals": {k: send(staff, "patch", address, {k: v}).status_code for k, v in BAD.items()},
    "document": {
        name: schema["properties"]
        for name, schema in api.get_openapi_schema()["components"]["schemas"].items()
        if name.startswith("Product")
    },
    "imported": imported(),
    "supplier": {
        "created": [suppliers.status_code, suppliers.json()],
        "changed": [
            (r := send(staff, "patch", "/suppliers/2/", {"name": "Kiln"})).status_code,
            r.json(),
        ],
        "listed": [row["name"] for row in customer.get("/api/suppliers/").json()["items"]],
        "in_use": [(r := send(staff, "delete", "/suppliers/1/")).status_code, r.json()["code"]],
        "deleted": send(staff, "delete", "/suppliers/2/").status_code,
        "gone": customer.get("/api/suppliers/2/").status_code,
        "customer_writes": send(customer, "post", "/suppliers/", {"name": "X"}).status_code,
        "secret": send(staff, "post", "/suppliers/", {"name": "X", "margin": "1.00"}).status_code,
        "screen": browser.get("/admin/shop/supplier/add/").status_code,
    },
}
json.dump(found, sys.stdout)
