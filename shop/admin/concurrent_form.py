"""The form of a record, safe for two users who edit the same record at the same time."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.db import models
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.translation import gettext

from shop import exposure
from shop.services import audit
from shop.services.errors import ConcurrentUpdate


class ConcurrentForm(forms.ModelForm):  # type: ignore[type-arg]
    """Hidden initial values tell which fields were edited; only those are saved.

    If another user saved the record meanwhile: a field that only they edited is listed in
    `notices`, a field that both edited gets an error. Sent again, the form saves its own value.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notices: list[str] = []
        for field in self.fields.values():
            field.show_hidden_initial = True
        if any(self.add_initial_prefix(name) in self.data for name in self.fields):
            self._complete_hidden_data()

    def _complete_hidden_data(self) -> None:
        """Add the names of hidden values that the page did not send under their own name.

        A date-time has two, and a many-to-many field without records none. If the page is shown
        again, Django would take what was entered for the initial value, and the edit would be lost.
        """
        data = cast("QueryDict", self.data).copy()
        for name, field in self.fields.items():
            is_list = isinstance(field, forms.ModelMultipleChoiceField)
            if is_list or isinstance(field.widget, forms.MultiWidget):
                data.setlist(
                    self.add_initial_prefix(name), data.getlist(self.add_initial_prefix(name))
                )
        self.data = data

    @cached_property
    def changed_data(self) -> list[str]:
        """The names of the edited fields. A file is edited if one is sent or taken away."""
        return [
            name
            for name in super().changed_data
            if not isinstance(self.fields[name], forms.FileField) or self[name].data is not None
        ]

    def submitted_values(self, *, only_changed: bool) -> dict[str, Any]:
        """Return the values to save by field name, after validation; pictures are normalised."""
        names = self.changed_data if only_changed else list(self.fields)
        many_to_many = exposure.names_of(exposure.many_to_many_fields(self._meta.model))
        columns = {field.name: field for field in exposure.concrete_fields(self._meta.model)}
        values = {name: self.cleaned_data[name] for name in names if name in many_to_many}
        for name in [name for name in names if name in columns]:
            values[name] = value_if_cleared(columns[name], getattr(self.instance, name))
        return values

    def check_unchanged(self, locked: models.Model) -> None:
        """Raise ConcurrentUpdate if another user saved a field after this form was validated."""
        for name in self.submitted_values(only_changed=True):
            current = exposure.get_field(type(locked), name).value_from_object(locked)
            if _comparable(current) != _comparable(self.initial[name]):
                raise ConcurrentUpdate

    def clean(self) -> dict[str, Any] | None:
        """Compare the fields with what another user saved since the page was opened."""
        cleaned = super().clean()
        if self.instance.pk:
            for name in list(self._changed_meanwhile()):
                self._resolve(name, self.fields[name])
        return cleaned

    def _resolve(self, name: str, field: forms.Field) -> None:
        """Take over another user's edit of a field, or refuse this one's."""
        values = {
            "field": field.label,
            "user": self._last_editor(),
            "value": audit.format_value(self._displayed(name)),
        }
        current = self.get_initial_for_field(field, name)
        if name not in self.changed_data:
            notice = gettext("%(field)s: %(user)s changed it to “%(value)s” meanwhile.")
            self.notices.append(notice % values)
            self._set_data(self.add_prefix(name), field.widget, field, current)
            if name in self.cleaned_data:
                self.cleaned_data[name] = self._stored(name)
        elif name in self.cleaned_data and field.has_changed(current, _raw(self[name].data)):
            message = gettext(
                "%(user)s changed it to “%(value)s” meanwhile. Save again to keep yours."
            )
            self.add_error(name, forms.ValidationError(message % values, code="changed"))
        self._set_data(self.add_initial_prefix(name), field.hidden_widget(), field, current)

    def _changed_meanwhile(self) -> Iterator[str]:
        """Yield the fields whose current value differs from the hidden initial value."""
        files = MultiValueDict[str, Any]()
        for name, field in self.fields.items():
            hidden, widget = self.add_initial_prefix(name), field.hidden_widget()
            if name in self.initial and hidden in self.data:
                shown = _raw(widget.value_from_datadict(self.data, files, hidden))
                current = self.get_initial_for_field(field, name)
                if isinstance(field, forms.FileField):
                    has_changed = shown != _text(current)
                else:
                    has_changed = field.has_changed(current, shown)
                if has_changed:
                    yield name

    def _stored(self, name: str) -> Any:
        """Return the current value of a field as `cleaned_data` has it."""
        if exposure.get_field(self._meta.model, name).many_to_many:
            return self.initial[name]
        return getattr(self.instance, name)

    def _displayed(self, name: str) -> Any:
        field = exposure.get_field(self._meta.model, name)
        return audit.display_value(field, self.initial[name])

    def _set_data(self, name: str, widget: Any, field: forms.Field, value: Any) -> None:
        """Replace a submitted value, so that the page, if shown again, holds the current one."""
        data = cast("QueryDict", self.data).copy()
        value = field.prepare_value(value)
        if isinstance(widget, forms.MultiWidget):
            parts: Any = widget.decompress(value)
            for suffix, part in zip(widget.widgets_names, parts, strict=True):  # type: ignore[attr-defined]
                data[name + suffix] = _text(part)
        elif isinstance(value, (list, tuple)):
            data.setlist(name, [_text(part) for part in value])
        else:
            data[name] = _text(value)
        self.data = data

    def _last_editor(self) -> str:
        entry = audit.last_entry(self.instance)
        return str(entry.actor) if entry else gettext("Somebody")

    def add_error(self, field: str | None, error: Any) -> None:
        """Add an error. One of the model at a field that is not in the form belongs to no field."""
        errors = {field: error} if field else getattr(error, "error_dict", {None: error})
        for name, found in errors.items():
            super().add_error(name if name in self.fields else None, found)


def value_if_cleared(field: exposure.Field, value: Any) -> Any:
    """Return the value to save: the default where a form clears to null what can't be null."""
    is_cleared = value is None and not field.null and field.has_default()
    return field.get_default() if is_cleared else value


def _raw(value: Any) -> Any:
    """Return a submitted value with the line breaks of the database, which browsers replace."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _comparable(value: Any) -> Any:
    """Return a field's value; of a many-to-many field, the set of its keys."""
    is_records = isinstance(value, list) and any(isinstance(v, models.Model) for v in value)
    return {record.pk for record in value} if is_records else value
