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
    body = encode_multipart(BOUNDARY, {field: SimpleUploadedFile(name, data)})
    return send_raw(app, product_id, body)


def send_raw(app, product_id, body, content_type=MULTIPART_CONTENT):
    headers = {"Authorization": f"Bearer {app.token}"}
    path = f"/api/products/{product_id}/image/"
    return app.client.put(path, body, content_type=content_type, headers=headers)
