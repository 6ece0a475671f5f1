"""The back office: clicks become service calls."""

from django.contrib import admin
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_tasks_db.models import DBTaskResult

from shop import surface
from shop.admin import audit, carts, catalogue, imports, orders, people, saved_filters
from shop.admin.base import SurfaceAdmin
from shop.admin.signing_in import SignInForm

__all__ = ["audit", "carts", "catalogue", "imports", "orders", "people", "saved_filters"]

admin.site.index_title = "Back office"
admin.site.login_form = SignInForm

# A worker's tasks say nothing that an import's page does not say in words.
admin.site.unregister(DBTaskResult)
# Its screens show the keys.
admin.site.unregister([TOTPDevice, StaticDevice])

# A model that declares its surface needs no screen of its own.
for model in surface.declared():
    if not admin.site.is_registered(model):
        admin.site.register(model, SurfaceAdmin)
