"""Admin pages whose fields, columns and filters come from the model, by way of `shop.exposure`."""

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib.admin.exceptions import NotRegistered
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _

from shop import exposure
from shop.admin.base import AuditedAdmin
from shop.admin.changelists import LargeTableAdmin
from shop.admin.filters import model_filters
from shop.models.order_status import Text

type Fieldsets = list[tuple[Text | None, dict[str, Any]]]


class ExposedListAdmin(LargeTableAdmin):
    """Lists a model by its fields: a column for each that fits, and a filter for each that can.

    `first_columns` and the filters of `list_filter` come first. A field that one of them shows in
    its own way is named in `hidden_columns` or `hidden_filters`.
    """

    first_columns: Sequence[str] = ()
    hidden_columns: Collection[str] = ()
    hidden_filters: Collection[str] = ()
    list_filter_submit = True

    def get_list_display(self, request: HttpRequest) -> list[str]:
        placed = {*self.first_columns, *self.hidden_columns}
        rest = [name for name in exposure.list_columns(self.model) if name not in placed]
        return [*self.first_columns, *rest]

    def get_list_select_related(self, request: HttpRequest) -> Any:
        """Return the declared relations, and those that are columns."""
        declared = super().get_list_select_related(request)
        if declared is True:
            return True
        columns = set(self.get_list_display(request))
        shown = {f.name for f in exposure.concrete_fields(self.model) if f.is_relation} & columns
        return [*{*(declared or ()), *shown}]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        declared = list(super().get_list_filter(request))
        names = {item[0] if isinstance(item, (list, tuple)) else item for item in declared}
        return declared + [
            (name, filter_class)
            for name, filter_class in model_filters(self.model).items()
            if name not in names and name not in self.hidden_filters
            if self._can_filter_by(request, exposure.get_field(self.model, name))
        ]

    def _can_filter_by(self, request: HttpRequest, field: exposure.Field) -> bool:
        """Return whether the user may search the records that the field refers to."""
        if not field.is_relation:
            return True
        related_admin = find_admin(self.admin_site, field.related_model)
        return bool(related_admin and related_admin.has_view_permission(request))


def find_admin(site: Any, model: Any) -> Any | None:
    """Return the admin of the model, if it has one that can be searched."""
    try:
        model_admin = site.get_model_admin(model)
    except NotRegistered:
        return None
    return model_admin if model_admin.search_fields else None


class ExposedModelAdmin(ExposedListAdmin, AuditedAdmin):
    """Shows all fields of a model: those of `sections` and `first_columns` first, then the rest."""

    sections: Sequence[tuple[Text | None, Sequence[str]]] = ()
    warn_unsaved_form = True

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Fieldsets:
        placed = {name for _title, names in self.sections for name in names}
        fields = exposure.editable_fields(self.model) + exposure.read_only_fields(self.model)
        rest = [name for name in fields if name not in placed]
        fieldsets: Fieldsets = [(title, {"fields": list(names)}) for title, names in self.sections]
        return fieldsets + ([(_("More"), {"fields": rest})] if rest else [])

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return exposure.read_only_fields(self.model)
