"""Whether the shop is up."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from ninja import Router

from shop.api.responses import respond
from shop.api.schemas import Health

router = Router()


@router.get("/", response=Health)
def health(request: HttpRequest) -> HttpResponse:
    """200 while the database answers, else 503."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return respond(Health, {"status": "ok"})
