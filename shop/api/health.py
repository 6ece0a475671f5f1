"""Health check for load balancers and monitoring."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from ninja import Router

from shop.api.responses import respond
from shop.api.schemas import Health

router = Router()


@router.get("/", response=Health)
def health(request: HttpRequest) -> HttpResponse:
    """Check the database connection. Responds 503 if the database can't be reached."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return respond(Health, {"status": "ok"})
