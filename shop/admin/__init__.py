"""The admin: its pages call services, which do all writing."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_tasks_db.models import DBTaskResult

from shop import exposure
from shop.admin import audit, carriers, carts, invoices, outbox, saved_views
from shop.admin.catalogue_files import CatalogueAdmin
from shop.admin.change_sets import admin as imports
from shop.admin.login import LoginForm
from shop.admin.orders import admin as orders
from shop.admin.products import admin as products
from shop.admin.reports.page import report_urls
from shop.admin.users import admin as users
from shop.admin.users import groups

__all__ = [
    "audit",
    "carriers",
    "carts",
    "groups",
    "imports",
    "invoices",
    "orders",
    "outbox",
    "products",
    "saved_views",
    "users",
]

admin.site.index_title = _("Dashboard")
admin.site.login_form = LoginForm
admin.site.extra_urls = report_urls  # type: ignore[attr-defined] # Unfold's

# An import's page already shows the state of its task.
admin.site.unregister(DBTaskResult)
# The pages of these models show the secret keys.
admin.site.unregister([TOTPDevice, StaticDevice])

# A model that declares its exposure gets an admin without writing one.
for model in exposure.exposed_models():
    if not admin.site.is_registered(model):
        admin.site.register(model, CatalogueAdmin)
