"""Sessions of the API, as the tests open and use them."""

import jwt

from shop.models import Session
from support import factories


def session_of(app):
    return Session.objects.get(pk=jwt.decode(app.token, options={"verify_signature": False})["sid"])


def refresh(token):
    return factories.api_client(None).post("/auth/refresh/", {"refresh": token})


def is_accepted(access):
    response = factories.api_client(None).get("/auth/profile/", Authorization=f"Bearer {access}")
    return response.status_code == 200
