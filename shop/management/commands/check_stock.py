"""`manage.py check_stock`: prove that stock, ledger and orders agree."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop.services.stock import find_drift


class Command(BaseCommand):
    """Exits with 1, and says where, when they don't."""

    help = "Prove that every product's stock, its movements and its orders agree."

    def handle(self, *_: Any, **__: Any) -> None:
        drift = list(find_drift())
        for sentence in drift:
            self.stdout.write(sentence)
        if drift:
            raise CommandError(f"{len(drift)} disagreements.")
        self.stdout.write("Stock, movements and orders agree.")
