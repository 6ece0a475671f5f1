"""System checks: mistakes that are better found before the server starts."""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError, models, transaction
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template

from shop import exposure
from shop.exposure import FilterKind
from shop.models import Order
from shop.models.order_status import (
    ORDER_STATUSES,
    PAYMENT_STATUSES,
    OrderStatus,
    PaymentStatus,
)
from shop.models.outbox import EMAILS
from shop.models.products import PictureField
from shop.natural_keys import has_natural_key

type Finder = Callable[[exposure.Model], Iterator[str]]

SECRET_NAME_PATTERN = re.compile(
    r"pass|secret|token|hash|salt|otp|key$|cost|margin|internal|private|staff"
)
#: Query parameters of lists that are no filters.
LIST_PARAMETERS = ("page", "page_size", "search", "ordering", "expand")
#: Models with hand-written endpoints, and the first segments of the paths that have them.
OWN_ENDPOINTS = {"Product", "Order", "User"}
URL_SEGMENTS = {"auth", "products", "cart", "orders", "health", "docs"}
#: Filters that read a whole table without an index. The others have few values.
INDEXED_KINDS = {FilterKind.EXACT, FilterKind.NUMBER, FilterKind.DATE, FilterKind.RELATION}


def find_declaration_errors(model: exposure.Model) -> Iterator[str]:
    """Yield an error message for each name in a declaration that is not a field."""
    for declaration in exposure.DECLARATIONS:
        for name in sorted(exposure.declared_names(model, declaration)):
            try:
                exposure.get_field(model, name)
            except FieldDoesNotExist:
                yield f"{declaration} names '{name}', which is not a field"


def find_other_types(model: exposure.Model) -> Iterator[str]:
    """Yield an error message for each declaration that is not a set, such as a single text."""
    for declaration in exposure.DECLARATIONS:
        if not isinstance(getattr(model, declaration, frozenset()), frozenset):
            yield f'{declaration} must be a frozenset of field names: frozenset({{"name"}})'


def find_url_clashes(model: exposure.Model) -> Iterator[str]:
    """Yield a message if the API has no path for the model's records, or another one's."""
    if model.__name__ in OWN_ENDPOINTS:
        return
    segment = exposure.url_segment(model)
    others = [m for m in exposure.exposed_models() if exposure.url_segment(m) == segment]
    if not segment or segment in URL_SEGMENTS or others != [model]:
        yield f"/api/{segment}/ is taken or empty: set another verbose_name_plural in Meta"


def find_secret_names(model: exposure.Model) -> Iterator[str]:
    """Yield an error message for each public field with a secret-sounding name."""
    for name in sorted(exposure.api_readable_fields(model)):
        if SECRET_NAME_PATTERN.search(name):
            yield f"'{name}' sounds secret and would be public: add it to STAFF_ONLY or rename it"


def find_checkout_mistakes(model: exposure.Model) -> Iterator[str]:
    """Yield a message for each field in AT_CHECKOUT that no checkout can contain."""
    for field in _declared_fields(model, "AT_CHECKOUT"):
        if field.many_to_many:
            problem = "is a many-to-many field: use a foreign key"
        elif field.name in exposure.staff_only_fields(model):
            problem = "is in STAFF_ONLY too: remove it from one of them"
        elif field.name not in exposure.file_fields(model):
            problem = "can't be edited, or is an upload"
        else:
            continue
        yield f"AT_CHECKOUT names '{field.name}', which {problem}"


def find_missing_natural_keys(model: exposure.Model) -> Iterator[str]:
    """Yield a message for each relation in a product file whose records can't be named there."""
    names = exposure.file_fields(model) if model in exposure.catalogue_models() else []
    for field in (exposure.get_field(model, name) for name in names):
        related: Any = field.related_model
        if field.is_relation and not has_natural_key(related):
            texts = ", ".join(exposure.names_of(exposure.unique_text_fields(related)))
            problem = f"has several unique texts ({texts})" if texts else "has no unique text"
            yield (
                f"'{field.name}' can't be in files, where nothing names a {related.__name__}, which"
                f" {problem}: give it one that can't be null, or natural_key() and"
                " get_by_natural_key()"
            )


def find_fields_that_stay(model: exposure.Model) -> Iterator[str]:
    """Yield a message for each personal field that an erasure can't clear."""
    if not hasattr(model, "KEPT_WHEN_ERASED"):
        return
    for field in exposure.personal_fields(model):
        # The erasure replaces the name that one signs in with.
        is_replaced = field.name == getattr(model, "USERNAME_FIELD", "")
        if not is_replaced and not exposure.can_be_erased(field):
            yield (
                f"'{field.name}' can't be erased with a customer's data: let it be null, give it a"
                " default that several rows may have, or name it in KEPT_WHEN_ERASED"
            )


def find_ambiguous_filters(model: exposure.Model) -> Iterator[str]:
    """Yield a message for each query parameter that two fields, or the list itself, would have."""
    owners = dict.fromkeys(LIST_PARAMETERS, "the list itself")
    for name in exposure.api_readable_fields(model):
        for parameter in _filter_parameters(exposure.get_field(model, name)):
            if parameter in owners:
                yield f"'{name}' is filtered by '{parameter}', as is {owners[parameter]}: rename it"
            owners[parameter] = f"'{name}'"


def find_slow_filters(model: exposure.Model) -> Iterator[str]:
    """Yield a message for each filter of a large table that has no index."""
    if not hasattr(model, "SLOW_FILTERS"):
        return
    fast = exposure.leading_index_fields(model) | model.SLOW_FILTERS
    for name in exposure.api_readable_fields(model):
        field = exposure.get_field(model, name)
        if field.many_to_many or name in fast or exposure.filter_kind(field) not in INDEXED_KINDS:
            continue
        yield (
            f"'{name}' is filtered without an index: give it `db_index=True`, or name it in"
            " SLOW_FILTERS"
        )


def find_unclean_pictures(model: exposure.Model) -> Iterator[str]:
    """Yield a message for each picture that is stored as it was uploaded."""
    for field in exposure.concrete_fields(model):
        if isinstance(field, models.ImageField) and not isinstance(field, PictureField):
            yield (
                f"'{field.name}' stores pictures as they were uploaded: use PictureField, which"
                " decodes them and removes what is hidden in them"
            )


#: Id of a check, its level, and the function that finds its mistakes in an exposed model.
MODEL_CHECKS: tuple[tuple[str, type[checks.Error | checks.Warning], Finder], ...] = (
    ("shop.E001", checks.Error, find_secret_names),
    ("shop.E003", checks.Error, find_declaration_errors),
    ("shop.E004", checks.Error, find_checkout_mistakes),
    ("shop.E005", checks.Error, find_missing_natural_keys),
    ("shop.E006", checks.Error, find_fields_that_stay),
    ("shop.E007", checks.Error, find_ambiguous_filters),
    ("shop.E008", checks.Error, find_url_clashes),
    ("shop.E009", checks.Error, find_other_types),
    ("shop.W001", checks.Warning, find_slow_filters),
    ("shop.W002", checks.Warning, find_unclean_pictures),
)


@checks.register(checks.Tags.models)
def check_exposed_models(**_: Any) -> list[checks.CheckMessage]:
    """Find the mistakes of all exposed models, of which each message says what to do."""
    return [
        level(f"{model.__name__}: {mistake}.", obj=model, id=id_)
        for model in exposure.exposed_models()
        for id_, level, find_mistakes in MODEL_CHECKS
        for mistake in find_mistakes(model)
    ]


def _declared_fields(model: exposure.Model, declaration: str) -> list[exposure.Field]:
    names = exposure.declared_names(model, declaration)
    return [field for field in exposure.all_fields(model) if field.name in names]


def _filter_parameters(field: exposure.Field) -> Iterator[str]:
    """Yield the names of the query parameters that filter a list by the field."""
    kind, name = exposure.filter_kind(field), field.name
    if kind is FilterKind.NUMBER:
        yield from (f"min_{name}", f"max_{name}")
    elif kind is FilterKind.DATE:
        yield from (f"{name.removesuffix('_at')}_{suffix}" for suffix in ("from", "to"))
    elif field.many_to_many:
        yield f"{exposure.singular(name)}_id"
    elif kind is not None and kind is not FilterKind.FILE:
        yield field.attname
    if field.null or kind is FilterKind.FILE:
        yield f"has_{name}"


@checks.register(checks.Tags.database)
def check_currency(databases: Collection[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Warn if orders are in another currency than the shop. Runs with `migrate`."""
    return [
        checks.Warning(
            f"SHOP_CURRENCY is {settings.SHOP_CURRENCY}, but there are orders in"
            f" {', '.join(others)}.",
            hint="Orders keep their currency, but figures add all amounts up. Set SHOP_CURRENCY"
            " back if the shop still sells in it.",
            id="shop.W003",
        )
        for alias in databases or ()
        if (others := _find_other_currencies(alias))
    ]


def _find_other_currencies(alias: str) -> list[str]:
    """Return the other currencies of orders; none if the tables aren't there yet."""
    others = Order.objects.using(alias).exclude(currency=settings.SHOP_CURRENCY)
    try:
        with transaction.atomic(using=alias):
            return list(others.order_by("currency").values_list("currency", flat=True).distinct())
    except DatabaseError:
        return []


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


def _find_payment_mistakes() -> Iterator[str]:
    for status in PaymentStatus:
        if status not in PAYMENT_STATUSES:
            yield f"PAYMENT_STATUSES has no row for '{status}'"


@checks.register(checks.Tags.templates)
def check_emails(**_: Any) -> list[checks.CheckMessage]:
    """Require templates that can be read for every kind of email; its HTML is optional."""
    kinds = {*EMAILS, *(facts.email for facts in ORDER_STATUSES.values() if facts.email)}
    mistakes = [
        mistake
        for kind in sorted(kinds)
        for mistake in (
            _find_template_mistake(f"emails/{kind}.txt"),
            _find_template_mistake(f"emails/{kind}.html", is_optional=True),
        )
        if mistake
    ]
    return [checks.Error(f"{mistake}.", id="shop.E010") for mistake in mistakes]


def _find_template_mistake(name: str, *, is_optional: bool = False) -> str:
    """Return what is wrong with a template, or with one that it uses; empty for nothing."""
    try:
        template = get_template(name)
    except TemplateDoesNotExist:
        return "" if is_optional else f"The email's template {name} does not exist"
    except TemplateSyntaxError as error:
        return f"The email's template {name} can't be read: {error}"
    try:
        template.render({})  # without values, which are empty then
    except (TemplateDoesNotExist, TemplateSyntaxError) as error:
        return f"The email's template {name} uses one that does not exist or can't be read: {error}"
    return ""
