"""Product files as a browser brings them."""

from django.core.files.uploadedfile import SimpleUploadedFile

from shop.models import Product, ProductImport

LIST = "/admin/shop/productimport/"
#: One of each kind: the mug changes, the lamp stays, the vase is new, the last has no price.
FILE = (
    "sku,name,price,stock\nMUG-1,Mug,13.00,\nLAMP-1,Lamp,49.90,\nVASE,Vase,30,4\nBAD,Bad,cheap,1\n"
)
GOOD = FILE.replace("BAD,Bad,cheap,1\n", "")


def upload(browser, text, name="spring.csv", **values):
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile(name, content)
    return browser.post(f"{LIST}add/", {"file": file, **values}, follow=True)


def latest():
    return ProductImport.objects.first()


def step_url(step, product_import=None):
    return f"{LIST}{(product_import or latest()).pk}/{step}/"


def apply(browser, product_import=None, **values):
    product_import = product_import or latest()
    seen = product_import.checked_at.isoformat() if product_import.checked_at else ""
    return browser.post(step_url("apply", product_import), {"seen": seen, **values}, follow=True)


def undo(browser, product_import=None):
    return browser.post(step_url("undo", product_import), follow=True)


def prices():
    return {p.sku: str(p.price) for p in Product.objects.order_by("pk")}


BEFORE = {"MUG-1": "12.50", "LAMP-1": "49.90"}
AFTER = {"MUG-1": "13.00", "LAMP-1": "49.90", "VASE": "30.00"}
