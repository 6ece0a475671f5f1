"""The form of a product, safe for two users who edit the same product at the same time."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from shop.models import Product
from shop.models.products import MAX_STOCK
from shop.services import audit


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]
    """A product's form. Hidden initial values tell which fields were edited; only those are saved.

    If another user saved the product meanwhile: a field that only they edited is listed in
    `notices`, a field that both edited gets an error. Sent again, the form saves its own value.
    """

    first_stock = forms.IntegerField(
        label=_("Initial stock"),
        required=False,
        min_value=0,
        max_value=MAX_STOCK,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Units you have now. Change it later with “Adjust stock”."),
    )

    class Meta:
        model = Product
        fields = "__all__"  # noqa: DJ007 - a new field of the model appears without a change here
        help_texts = {  # noqa: RUF012 - Django's
            "image": _("JPEG, PNG or WebP, up to 5 MB. Square pictures look best.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notices: list[str] = []
        for field in self.fields.values():
            field.show_hidden_initial = not isinstance(field, forms.FileField)

    def clean(self) -> dict[str, Any] | None:
        """Compare the fields with what another user saved since the page was opened."""
        cleaned = super().clean()
        for name in list(self._changed_meanwhile()):
            field, current = self.fields[name], self.initial[name]
            values = {
                "field": field.label,
                "user": self._last_editor(),
                "value": audit.format_value(current),
            }
            if name not in self.changed_data:
                notice = gettext("%(field)s: %(user)s changed it to “%(value)s” meanwhile.")
                self.notices.append(notice % values)
                self._set_data(self.add_prefix(name), current)
            elif name in self.cleaned_data and field.has_changed(current, self.cleaned_data[name]):
                message = gettext(
                    "%(user)s changed it to “%(value)s” meanwhile. Save again to keep yours."
                )
                self.add_error(name, forms.ValidationError(message % values, code="changed"))
            self._set_data(self.add_initial_prefix(name), current)
        return cleaned

    def _changed_meanwhile(self) -> Iterator[str]:
        """Yield the fields whose current value differs from the hidden initial value."""
        for name, field in self.fields.items():
            hidden = self.add_initial_prefix(name)
            if not field.show_hidden_initial or hidden not in self.data or name not in self.initial:
                continue
            try:
                shown = field.to_python(self.data[hidden])
            except forms.ValidationError:
                continue
            if field.has_changed(self.initial[name], shown):
                yield name

    def _set_data(self, name: str, value: Any) -> None:
        """Replace a submitted value, so that the page, if shown again, holds the current one."""
        data = cast("QueryDict", self.data).copy()
        data[name] = "" if value is None else str(value)
        self.data = data

    def _last_editor(self) -> str:
        entry = audit.last_entry(self.instance)
        return str(entry.actor) if entry else gettext("Somebody")
