"""System checks: mistakes that are better found before the shop opens."""

from typing import Any

from django.core import checks

from shop import exposure


@checks.register(checks.Tags.models)
def check_secret_fields(**_: Any) -> list[checks.CheckMessage]:
    """A field whose name sounds secret must be in STAFF_ONLY, so that nobody publishes it by accident."""
    return [
        checks.Error(f"{model.__name__}: {mistake}.", obj=model, id="shop.E001")
        for model in exposure.exposed_models()
        for mistake in exposure.find_mistakes(model)
    ]
