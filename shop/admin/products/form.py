"""The form of a product, for two who edit it at the same time."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.http import QueryDict
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from shop.models import Product
from shop.models.products import MAX_STOCK
from shop.services import audit


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]
    """A product. Each field remembers what was shown, so that only what was really edited is written.

    What a colleague changed meanwhile is told: in `meanwhile` where it is another field, as the field's
    error where both edited the same. Sent again, the form keeps the second's; nothing typed is lost.
    """

    first_stock = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_STOCK,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Units that are there now. Later changes go through “Adjust stock”.",
    )

    class Meta:
        model = Product
        fields = "__all__"  # noqa: DJ007 - new fields are to arrive by themselves
        help_texts = {"image": "JPEG, PNG or WebP, up to 5 MB. Square pictures look best."}  # noqa: RUF012 - Django's

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.meanwhile: list[str] = []
        for field in self.fields.values():
            field.show_hidden_initial = not isinstance(field, forms.FileField)

    def clean(self) -> dict[str, Any] | None:
        """Find what changed since the page was shown."""
        values = super().clean()
        for name in list(self._overtaken()):
            field, now = self.fields[name], self.initial[name]
            said = f"{self._who()} changed it to “{audit.format_value(now)}” meanwhile."
            if name not in self.changed_data:
                self.meanwhile.append(f"{field.label}: {said}")
                self._show(self.add_prefix(name), now)
            elif name in self.cleaned_data and field.has_changed(now, self.cleaned_data[name]):
                self.add_error(name, f"{said} Save again to keep yours.")
            self._show(self.add_initial_prefix(name), now)
        return values

    def _overtaken(self) -> Iterator[str]:
        """Fields whose value is no longer what this form was shown with."""
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

    def _show(self, name: str, value: Any) -> None:
        """Let the page, where it comes back, hold this value, as if it had been shown with it."""
        data = cast("QueryDict", self.data).copy()
        data[name] = "" if value is None else str(value)
        self.data = data

    def _who(self) -> str:
        last = audit.last_entry(self.instance)
        return str(last.actor) if last else "Somebody"
