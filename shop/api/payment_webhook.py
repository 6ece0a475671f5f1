"""The URL that a payment gateway calls when money has moved."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Header, Router

from shop.services import order_payments
from shop.services.payments import SIGNATURE_HEADER, gateway

router = Router()
Signature = Annotated[str, Header(alias=SIGNATURE_HEADER, max_length=1000)]


# Only the gateway calls it, so it is no part of the document for apps.
@router.post("/webhook/", response={204: None}, include_in_schema=False)
def payment_webhook(request: HttpRequest, signature: Signature = "") -> HttpResponse:
    """Record what a signed event says, once, however often it is sent."""
    event = gateway().parse_event(body=request.body, signature=signature)
    order_payments.record_gateway_event(event)
    return HttpResponse(status=204)
