"""Development: SQLite by default, emails printed to the console, no HTTPS."""

from settings.base import *  # noqa: F403
from settings.base import ENVIRONMENT

SHOP_DEVELOPMENT_COMMANDS = True
if "payment_methods" not in ENVIRONMENT.model_fields_set:
    SHOP_PAYMENT_METHODS = [*ENVIRONMENT.payment_methods, "card"]  # simulated
SHOP_ENVIRONMENT = ENVIRONMENT.shop_environment or "Development"
