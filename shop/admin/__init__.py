"""The back office: clicks become service calls."""

from django.contrib import admin

from shop import surface
from shop.admin import carts, catalogue, orders, people
from shop.admin.base import SurfaceAdmin

__all__ = ["carts", "catalogue", "orders", "people"]

admin.site.index_title = "Back office"

# A model that declares its surface needs no screen of its own.
for model in surface.declared():
    if not admin.site.is_registered(model):
        admin.site.register(model, SurfaceAdmin)
