"""A laptop: SQLite, mails on the console, no HTTPS."""

from settings.base import *  # noqa: F403
