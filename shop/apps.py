"""Django's entry into the shop."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ShopConfig(AppConfig):
    """The one app of the project."""

    name = "shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and what `migrate` does after the migrations."""
        from shop import checks  # noqa: F401, PLC0415 - needs the models to be loaded
        from shop.services.groups import grant_new_permissions  # noqa: PLC0415 - the same

        # The only signal of the shop: Django itself creates permissions at this moment, and a new
        # model shall need no migration of data. Sent for the app "auth", which comes before the
        # shop, it arrives before Django creates the shop's permissions, so that new ones are known.
        post_migrate.connect(grant_new_permissions, sender=apps.get_app_config("auth"))
