"""System checks: mistakes that are better found before the server starts."""

from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from shop import exposure
from shop.models.order_status import (
    ORDER_STATUSES,
    PAYMENT_STATUSES,
    OrderStatus,
    PaymentStatus,
)


@checks.register(checks.Tags.models)
def check_secret_fields(**_: Any) -> list[checks.CheckMessage]:
    """Require secret-sounding names to be in STAFF_ONLY, and declarations to name fields."""
    return [
        checks.Error(f"{model.__name__}: {mistake}.", obj=model, id="shop.E001")
        for model in exposure.exposed_models()
        for mistake in (
            *exposure.find_secret_names(model),
            *exposure.find_declaration_errors(model),
        )
    ]


@checks.register(checks.Tags.models)
def check_statuses(**_: Any) -> list[checks.CheckMessage]:
    """Require a complete row for every status: pages, emails and the API rely on it."""
    mistakes = [*_find_status_mistakes(), *_find_payment_mistakes()]
    return [checks.Error(f"{mistake}.", id="shop.E002") for mistake in mistakes]


def _find_status_mistakes() -> Iterator[str]:
    reachable = {step for facts in ORDER_STATUSES.values() for step in facts.next}
    for status in OrderStatus:
        facts = ORDER_STATUSES.get(status)
        if facts is None:
            yield f"ORDER_STATUSES has no row for '{status}'"
            continue
        if status != OrderStatus.PENDING and status not in reachable:
            yield f"No status leads to '{status}': add it to the `next` of the one before it"
        if status in reachable and not (facts.action and facts.bulk_action):
            yield f"'{status}' needs an `action` and a `bulk_action`, the labels of its buttons"
        if facts.next and not facts.waiting_for:
            yield f"'{status}' needs `waiting_for`, the text of its dashboard tile"
        if facts.customer_can_cancel and OrderStatus.CANCELLED not in facts.next:
            yield f"'{status}' lets customers cancel, but its `next` has no 'cancelled'"
        yield from (
            f"'{status}' leads to '{step}', which is no status"
            for step in facts.next
            if step not in OrderStatus.values
        )
        if facts.email and not _template_exists(f"emails/{facts.email}.txt"):
            yield f"The email of '{status}', emails/{facts.email}.txt, does not exist"


def _find_payment_mistakes() -> Iterator[str]:
    for status in PaymentStatus:
        if status not in PAYMENT_STATUSES:
            yield f"PAYMENT_STATUSES has no row for '{status}'"


def _template_exists(name: str) -> bool:
    try:
        get_template(name)
    except TemplateDoesNotExist:
        return False
    return True
