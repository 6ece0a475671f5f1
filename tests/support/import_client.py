"""Product imports through the admin's pages."""

from django.core.files.uploadedfile import SimpleUploadedFile

from shop.models import ChangeSet, Product

IMPORTS = "/admin/shop/changeset/"
#: One row per status: MUG-1 changes, LAMP-1 does not, VASE is new, BAD has no price.
FILE = (
    "sku,name,price,stock\nMUG-1,Mug,13.00,\nLAMP-1,Lamp,49.90,\nVASE,Vase,30,4\nBAD,Bad,cheap,1\n"
)
VALID_FILE = FILE.replace("BAD,Bad,cheap,1\n", "")
PRICES_BEFORE = {"MUG-1": "12.50", "LAMP-1": "49.90"}
PRICES_AFTER = {"MUG-1": "13.00", "LAMP-1": "49.90", "VASE": "30.00"}


def upload(browser, text, name="spring.csv", **values):
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile(name, content)
    return browser.post(f"{IMPORTS}add/", {"file": file, **values}, follow=True)


def latest_import():
    return ChangeSet.objects.first()


def step_url(step, change_set=None):
    return f"{IMPORTS}{(change_set or latest_import()).pk}/{step}/"


def apply(browser, change_set=None, **values):
    change_set = change_set or latest_import()
    seen = change_set.checked_at.isoformat() if change_set.checked_at else ""
    return browser.post(step_url("apply", change_set), {"seen": seen, **values}, follow=True)


def undo(browser, change_set=None):
    return browser.post(step_url("undo", change_set), follow=True)


def prices():
    return {product.sku: str(product.price) for product in Product.objects.order_by("pk")}
