"""What the query string of a list searches and filters, in words."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.db.models import BooleanField, Model
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from shop import exposure
from shop.admin.choice_filter import SimpleChoiceFilter
from shop.admin.filters import EMPTY
from shop.admin.period_filter import PERIOD_PARAMETER, PERIODS, PeriodFilter
from shop.models.order_status import Text


def describe_query(
    request: HttpRequest, model: type[Model], query: str
) -> list[tuple[str, list[str]]]:
    """Return the name of each filter with its values, such as ("Payment", ["Not yet paid"])."""
    lines: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        for title, text in _describe_parameter(request, model, name, value):
            lines.setdefault(capfirst(str(title)), []).append(str(text))
    return list(lines.items())


def _describe_parameter(
    request: HttpRequest, model: type[Model], name: str, value: str
) -> Iterator[tuple[Text, Text]]:
    model_admin: Any = admin.site.get_model_admin(model)
    if name == SEARCH_VAR:
        yield _("Search"), f"“{value}”"
    elif name == ORDER_VAR:
        yield _("Order"), _("as saved")
    elif list_filter := _find_choice_filter(model_admin, request, name):
        choices = list_filter(request, {name: [value]}, model, model_admin).lookup_choices
        yield list_filter.title, dict(choices).get(value, value)
    elif name == PERIOD_PARAMETER and (field_name := _period_field(model_admin)):
        label = PERIODS[value].label if value in PERIODS else value
        yield _filter_title(model_admin, field_name), label
    else:
        yield _describe_field(model_admin, name, value)


def _find_choice_filter(model_admin: Any, request: HttpRequest, name: str) -> Any:
    for item in model_admin.get_list_filter(request):
        is_choice = isinstance(item, type) and issubclass(item, SimpleChoiceFilter)
        if is_choice and item.parameter_name == name:
            return item
    return None


def _period_field(model_admin: Any) -> str:
    declared = (item for item in model_admin.list_filter if isinstance(item, (list, tuple)))
    return next((name for name, filter_class in declared if filter_class is PeriodFilter), "")


def _filter_title(model_admin: Any, field_name: str) -> Text:
    field = exposure.get_field(model_admin.model, field_name)
    title: Text = model_admin.filter_titles.get(field_name, field.verbose_name)
    return title


def _describe_field(model_admin: Any, name: str, value: str) -> tuple[Text, Text]:
    """Return title and value of a filter by a field, such as `status__exact` or `price_from`."""
    names = [field.name for field in exposure.all_fields(model_admin.model)]
    field_name = max((n for n in names if name.startswith(f"{n}_")), key=len, default="")
    if not field_name:
        return _("Other filter"), value
    field = exposure.get_field(model_admin.model, field_name)
    return _filter_title(model_admin, field_name), _describe_value(
        field, name.removeprefix(field_name), value
    )


def _describe_value(field: exposure.Field, lookup: str, value: str) -> Text:
    if lookup == "_from":
        return _("from %(value)s") % {"value": value}
    if lookup == "_to":
        return _("to %(value)s") % {"value": value}
    if lookup == "__isempty":
        return _("empty") if value == EMPTY else _("not empty")
    if isinstance(getattr(field, "output_field", field), BooleanField):
        return _("Yes") if value == "1" else _("No")
    if field.is_relation:
        return _("no. %(key)s") % {"key": value}
    text: Text = dict(field.flatchoices).get(value, value)
    return text
