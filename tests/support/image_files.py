"""Create image files and upload them to the API."""

from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image


def make_image(kind="JPEG", size=(40, 30), mode="RGB", colour=0, **options):
    target = BytesIO()
    Image.new(mode, size, colour).save(target, kind, **options)
    return target.getvalue()


def send_image(app, product_id, data, name="p.jpg", field="image"):
    return send_picture(app, f"/products/{product_id}/image/", data, name, field)


def send_picture(app, path, data, name="p.jpg", field=None):
    """Send a picture to a path such as `/brands/1/logo/`, as the field at its end by default."""
    field = field or path.strip("/").rsplit("/", 1)[1]
    body = encode_multipart(BOUNDARY, {field: SimpleUploadedFile(name, data)})
    return _send(app, path, body, MULTIPART_CONTENT)


def send_raw(app, product_id, body, content_type=MULTIPART_CONTENT):
    return _send(app, f"/products/{product_id}/image/", body, content_type)


def _send(app, path, body, content_type):
    headers = {"Authorization": f"Bearer {app.token}"}
    return app.client.put(f"/api{path}", body, content_type=content_type, headers=headers)
