"""Product files as a browser brings them."""

from django.core.files.uploadedfile import SimpleUploadedFile

from shop.models import Import, Product

LIST = "/admin/shop/import/"
#: One of each kind: the mug changes, the lamp stays, the vase is new, the last has no price.
FILE = "sku,name,price,stock\nMUG-1,Mug,13.00,\nLAMP-1,Lamp,49.90,\nVASE,Vase,30,4\nBAD,Bad,cheap,1\n"
GOOD = FILE.replace("BAD,Bad,cheap,1\n", "")


def send(browser, text, name="spring.csv", **values):
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile(name, content)
    return browser.post(f"{LIST}add/", {"file": file, **values}, follow=True)


def latest():
    return Import.objects.first()


def address(step, import_=None):
    return f"{LIST}{(import_ or latest()).pk}/{step}/"


def apply(browser, import_=None, **values):
    import_ = import_ or latest()
    seen = import_.checked_at.isoformat() if import_.checked_at else ""
    return browser.post(address("apply", import_), {"seen": seen, **values}, follow=True)


def undo(browser, import_=None):
    return browser.post(address("undo", import_), follow=True)


def prices():
    return {p.sku: str(p.price) for p in Product.objects.order_by("pk")}


BEFORE = {"MUG-1": "12.50", "LAMP-1": "49.90"}
AFTER = {"MUG-1": "13.00", "LAMP-1": "49.90", "VASE": "30.00"}
