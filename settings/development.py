"""Development: SQLite by default, emails printed to the console, no HTTPS."""

from settings.base import *  # noqa: F403
from settings.base import ENVIRONMENT

SHOP_ENVIRONMENT = ENVIRONMENT.shop_environment or "Development"
