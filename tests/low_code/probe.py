"""Use the new fields of an extended copy of the project, and print the results as JSON.

Run by `test_low_code.py` in the root of the copy.
"""

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

from shop.api import tokens  # noqa: E402
from shop.api.app import api  # noqa: E402
from shop.models import Product, User  # noqa: E402
from shop.models.products import Supplier  # noqa: E402
from shop.product_files.exports import product_export  # noqa: E402
from shop.product_files.imports.apply import apply_import  # noqa: E402
from shop.product_files.imports.preview import preview_import, store_upload  # noqa: E402
from shop.product_files.imports.undo import undo_import  # noqa: E402
from shop.services import sessions  # noqa: E402

setup_test_environment()
call_command("makemigrations", verbosity=0)
call_command("migrate", verbosity=0)
VALUES = {
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
INVALID_VALUES = {
    "colour": "longer than twelve",
    "size": "m",
    "weight": 5001,
    "is_fragile": "yes",
    "sold_from": 1_700_000_000,
    "drawn_at": "2026-01-02T03:04:05",
    "tare": "1.2345",
    "site": "nowhere",
    "supplier_id": 99,
    "views": 5,
    "cost": "1.00",
    "manual": "file.pdf",
}


def create_client(user):
    token = tokens.sign_token(sessions.open_session(user, "probe"), "access")
    return Client(headers={"Authorization": f"Bearer {token}"})


def send(client, method, path, body=None):
    return getattr(client, method)(f"/api{path}", body, content_type="application/json")


ada = User.objects.create_superuser(
    "ada@example.com", "correct-horse-7", first_name="Ada", last_name="S"
)
carl = User.objects.create_user(
    "carl@example.com", "correct-horse-7", first_name="Carl", last_name="B"
)
staff, customer = create_client(ada), create_client(carl)
Supplier.objects.create(name="Potter")

created = send(staff, "post", "/products/", {"name": "Mug", "price": "9.50", "stock": 3, **VALUES})
path = f"/products/{created.json()['id']}/"

browser = Client()
browser.force_login(ada)
form = browser.get("/admin/shop/product/1/change/").context["adminform"]
fields = form.form.initial | {"colour": "blue", "size": "l", "cost": "3.20", "facts": "{}"}
posted = {
    key: value
    for key, value in fields.items()
    if value not in (None, "") and key not in {"image", "manual"}
}
response = browser.post("/admin/shop/product/1/change/", posted)
if response.status_code != 302:
    sys.exit(str(response.context["adminform"].form.errors))
edited = Product.objects.get(pk=1)

chunks = product_export.export_products(
    Product.objects.all(), layout="own", file_format="csv", build_url=str
)
[exported] = csv.DictReader(b"".join(chunks).decode("utf-8-sig").splitlines())
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
INVALID_CELLS = {
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


def preview_rows(*rows):
    """Preview the import of a file with these rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CELLS)
    writer.writeheader()
    writer.writerows(rows)
    product_import = store_upload(actor=ada, name="grown.csv", content=text.getvalue().encode())
    preview_import(product_import)
    return product_import


def statuses(product_import):
    return list(product_import.rows.order_by("number").values_list("status", flat=True))


def import_fields():
    """Import each kind of field into a new and an existing product, then undo the import."""
    same_sku = {"sku": edited.sku}
    old = Product.objects.filter(pk=1).values().get()
    first = preview_rows(CELLS, CELLS | same_sku)
    apply_import(first.pk, actor=ada)
    jug = Product.objects.get(sku="new-1")
    second = preview_rows(CELLS, CELLS | same_sku)
    invalid = preview_rows(
        *(CELLS | {"sku": f"bad-{name}", name: cell} for name, cell in INVALID_CELLS.items())
    )
    undo_import(first.pk, actor=ada)
    new = Product.objects.filter(pk=1).values().get()
    return {
        "first": statuses(first),
        "jug": [
            str(getattr(jug, name))
            for name in ("size", "tare", "drawn_at", "facts", "supplier_id", "cost")
        ],
        "again": statuses(second),
        "errors": {
            row.sku.removeprefix("bad-"): [problem["field"] for problem in row.problems]
            for row in invalid.rows.order_by("number")
        },
        "undone": [name for name in new if new[name] != old[name]],
        "gone": not Product.objects.filter(sku="new-1").exists(),
    }


suppliers = send(staff, "post", "/suppliers/", {"name": "Kiln & Sons"})
results = {
    "form": [name for _, options in form.fieldsets for name in options["fields"]],
    "columns": list(admin.site.get_model_admin(Product).get_list_display(None)),
    "saved_in_admin": {"colour": edited.colour, "size": edited.size, "cost": str(edited.cost)},
    "exported": exported,
    "values": VALUES,
    "response": created.json(),
    "patched": send(staff, "patch", path, {"colour": "red"}).json(),
    "refusals": {
        k: send(staff, "patch", path, {k: v}).status_code for k, v in INVALID_VALUES.items()
    },
    "document": {
        name: schema["properties"]
        for name, schema in api.get_openapi_schema()["components"]["schemas"].items()
        if name.startswith("Product")
    },
    "imported": import_fields(),
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
        "admin_page": browser.get("/admin/shop/supplier/add/").status_code,
    },
}
json.dump(results, sys.stdout)
