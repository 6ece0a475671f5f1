"""`manage.py check_stock`: check that stock, stock movements and orders agree."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop.services.stock import find_drift


class Command(BaseCommand):
    """Exits with 1 and lists the differences if there are any."""

    help = "Check that the stock of every product agrees with its movements and orders."

    def handle(self, *_: Any, **__: Any) -> None:
        differences = list(find_drift())
        for difference in differences:
            self.stdout.write(difference)
        if differences:
            raise CommandError(f"Differences: {len(differences)}.")
        self.stdout.write("Stock, movements and orders agree.")
