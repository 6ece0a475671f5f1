"""The admin of carriers: their names, and the links that customers follow to a parcel."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from shop.admin.base import AuditedAdmin
from shop.models import Carrier


@admin.register(Carrier)
class CarrierAdmin(AuditedAdmin):
    """Carriers that orders are shipped with. Orders that were shipped keep their name and link."""

    empty_text = _("Carriers whose tracking numbers get a link appear here.")
    list_display = ("name", "tracking_url")
    search_fields = ("name",)
    search_help_text = _("Name")
    fields = ("name", "tracking_url")
