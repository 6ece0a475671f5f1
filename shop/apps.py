"""Django's entry into the shop."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """The one app of the project."""

    name = "shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from shop import checks  # noqa: F401, PLC0415 - needs the models to be loaded
