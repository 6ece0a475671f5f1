"""Admin pages whose fields, columns and filters come from the model, by way of `shop.exposure`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.utils import flatten, get_fields_from_path
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.decorators import display

from shop import exposure
from shop.admin.base import AuditedAdmin, staff_user
from shop.admin.changelists import LargeTableAdmin
from shop.admin.concurrent_form import ConcurrentForm
from shop.admin.filters import RelationFilter, model_filters
from shop.admin.picture_input import PictureInput
from shop.admin.rendering import render_picture
from shop.models import User
from shop.models.order_status import Text
from shop.models.products import PictureField
from shop.natural_keys import natural_key_field
from shop.services import crud
from shop.services.errors import ConcurrentUpdate, ShopError

#: Columns that a list shows beside its `first_columns`; the form shows all fields.
MAX_COLUMNS = 25

type Fieldsets = list[tuple[Text | None, dict[str, Any]]]


class ExposedListAdmin(LargeTableAdmin):
    """Lists a model by its fields: a column for each that fits, and a filter for each that can.

    `first_columns` and the filters of `list_filter` come first. A field that one of them shows in
    its own way is named in `hidden_columns` or `hidden_filters`.
    """

    search_fields: Sequence[str] = ()
    ordering: Sequence[str] | None = None
    search_help_text: Text = ""
    first_columns: Sequence[str] = ()
    hidden_columns: Collection[str] = ()
    hidden_filters: Collection[str] = ()
    list_filter_submit = True

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        if not self.search_fields:
            self.search_fields = exposure.search_fields(model)
            names = [exposure.get_field(model, name).verbose_name for name in self.search_fields]
            self.search_help_text = capfirst(", ".join(map(str, names)))
        if not self.ordering and not model._meta.ordering:
            natural_key = natural_key_field(model)
            self.ordering = (natural_key.name if natural_key else "pk",)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        first = list(self.first_columns) or (["picture"] if self._picture_field() else [])
        placed = {*first, *self.hidden_columns}
        rest = [name for name in exposure.list_columns(self.model) if name not in placed]
        return [*first, *(self._column(name) for name in rest[:MAX_COLUMNS])]

    def _column(self, name: str) -> Any:
        """Return the field's name; of a generated yes or no, a column that shows it as an icon."""
        field = exposure.get_field(self.model, name)
        if not isinstance(getattr(field, "output_field", None), models.BooleanField):
            return name

        @display(description=field.verbose_name, ordering=name, boolean=True)
        def column(record: models.Model) -> Any:
            return getattr(record, name)

        column.__name__ = name
        return column

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """Return the columns that link to a record: by default the picture and what follows it."""
        if self.list_display_links or list_display[0] != "picture":
            return super().get_list_display_links(request, list_display)
        return list_display[:2]

    @display(description="")
    def picture(self, record: models.Model) -> str:
        """Return a thumbnail of the first picture."""
        return render_picture(getattr(record, self._picture_field()), alt=str(record))

    def _picture_field(self) -> str:
        """Return the name of the first field with a picture; empty without any."""
        fields = exposure.concrete_fields(self.model)
        return next((field.name for field in fields if isinstance(field, PictureField)), "")

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
        generated = [
            (name, filter_class)
            for name, filter_class in model_filters(self.model).items()
            if name not in names and name not in self.hidden_filters
        ]
        return [
            item
            for item in [*declared, *generated]
            if not (isinstance(item, tuple) and item[1] is RelationFilter)
            or self.can_search_related(request, get_fields_from_path(self.model, item[0])[-1])
        ]

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """Return the relations whose records the user may search."""
        return [
            name
            for name in exposure.editable_fields(self.model)
            if exposure.get_field(self.model, name).is_relation
            and self.can_search_related(request, exposure.get_field(self.model, name))
        ]

    def can_search_related(self, request: HttpRequest, field: exposure.Field) -> bool:
        """Return whether the user may search the records that the field refers to."""
        try:
            related_admin = self.admin_site.get_model_admin(field.related_model)
        except NotRegistered:
            return False
        is_searchable = bool(related_admin.get_search_fields(request))
        return is_searchable and bool(related_admin.has_view_permission(request))


class ExposedModelAdmin(ExposedListAdmin, AuditedAdmin):
    """Shows all fields of a model: those of `sections` and `first_columns` first, then the rest.

    In a section, a tuple of names is shown in one row. Fields that the page shows outside of the
    form are in `fields_elsewhere`. Changes are made by services, which write the audit log.
    """

    form = ConcurrentForm
    sections: Sequence[tuple[Text | None, Sequence[str | tuple[str, ...]]]] = ()
    fields_elsewhere: Collection[str] = ()
    warn_unsaved_form = True
    formfield_overrides = {PictureField: {"widget": PictureInput}}  # noqa: RUF012 - Django's

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Fieldsets:
        rows: list[Any] = [row for _title, names in self.sections for row in names]
        placed = {*flatten(rows), *self.fields_elsewhere}
        read_only = exposure.read_only_fields(self.model)
        fields = exposure.editable_fields(self.model) + read_only
        rest = [name for name in fields if name not in placed]
        title = _("More") if self.sections else None
        # A new record has no read-only values yet.
        hidden = set() if obj else set(read_only)
        fieldsets: Fieldsets = [
            (section, {"fields": [name for name in names if name not in hidden]})
            for section, names in (*self.sections, (title, rest))
        ]
        return [(section, options) for section, options in fieldsets if options["fields"]]

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return exposure.read_only_fields(self.model)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show the service's errors, such as a name taken meanwhile, as messages.

        After a ConcurrentUpdate the form is validated again.
        """
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ConcurrentUpdate:
            return self.changeform_view(request, *args, **kwargs)
        except (ShopError, ValidationError) as error:
            texts = error.messages if isinstance(error, ValidationError) else [str(error)]
            messages.error(request, " ".join(texts))
            return HttpResponseRedirect(request.get_full_path())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Return what a deletion would delete, or only the records that protect it from one.

        Django also asks for the right to delete those, and would show that instead of them.
        """
        deleted, counts, missing_rights, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set() if protected else missing_rights, protected

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Delete the record; if another began to need it meanwhile, show which one."""
        try:
            return super().delete_view(request, *args, **kwargs)
        except models.ProtectedError:
            return super().delete_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Save the record by a service: a new one with all fields, else the edited ones only."""
        values = self.submitted_values(request, form, change=change)
        if change:
            self.update_record(
                obj, actor=staff_user(request), changes=values, check=form.check_unchanged
            )
            for notice in form.notices:
                messages.info(request, notice)
        else:
            obj.pk = self.create_record(actor=staff_user(request), values=values, form=form).pk
        obj.refresh_from_db()

    def submitted_values(self, request: HttpRequest, form: Any, *, change: bool) -> dict[str, Any]:
        """Return the values to save by field name."""
        values: dict[str, Any] = form.submitted_values(only_changed=change)
        return values

    def create_record(self, *, actor: User, values: Mapping[str, Any], form: Any) -> models.Model:
        """Create a record with these values."""
        record: models.Model = crud.create_record(self.model, actor=actor, values=values)
        return record

    def update_record(self, record: models.Model, **options: Any) -> None:
        """Write the changes. The options are those of `crud.update_record`."""
        crud.update_record(self.model, pk=record.pk, **options)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Do nothing: the service has written many-to-many fields with the record."""

    def construct_change_message(self, *args: Any, **kwargs: Any) -> str:
        """Return nothing, since the service writes the audit log."""
        return ""

    log_addition = log_change = lambda *_args: None
