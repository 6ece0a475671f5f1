"""The form of the fields that staff write about an order."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django import forms
from django.http import HttpRequest, QueryDict
from unfold.admin import ModelAdmin

from shop import exposure
from shop.admin.forms import ModelErrorsForm
from shop.models import Order
from shop.services.order_details import comparable_values


class OrderDetailsForm(ModelErrorsForm):
    """Changes an order's details; `shown` tells what another user changed meanwhile."""

    shown = forms.JSONField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.show_hidden_initial = name != "shown" and not isinstance(field, forms.FileField)
        self.initial["shown"] = self.stored_values()

    def stored_values(self) -> dict[str, str]:
        """Return what the database holds now, as `shown` sends it."""
        order = Order.objects.get(pk=self.instance.pk)
        return comparable_values(order, exposure.staff_writable_fields(Order))

    def clean_shown(self) -> dict[str, str]:
        """Return the values that the page showed."""
        shown = self.cleaned_data["shown"]
        if not isinstance(shown, dict):
            raise forms.ValidationError(self.fields["shown"].error_messages["invalid"])
        return shown

    def changes(self) -> dict[str, Any]:
        """Return the fields that were edited."""
        values = {name: self.cleaned_data[name] for name in self.changed_data if name != "shown"}
        # False is a file that was cleared.
        files = [n for n in values if isinstance(self.fields[n], forms.FileField)]
        return values | {name: values[name] or "" for name in files}

    def show_stored_values(self) -> None:
        """Let the page, shown again after a conflict, save its own values the next time."""
        data = cast("QueryDict", self.data).copy()
        data["shown"] = json.dumps(self.stored_values())
        self.data = data


def details_form(
    model_admin: ModelAdmin, request: HttpRequest, order: Order
) -> Callable[[Any], OrderDetailsForm]:
    """Return a function that makes the form of an order from what was posted, or None."""
    form_class: Any = forms.modelform_factory(
        Order,
        form=OrderDetailsForm,
        fields=exposure.staff_writable_fields(Order),
        formfield_callback=partial(model_admin.formfield_for_dbfield, request=request),
    )
    return lambda data: form_class(data, request.FILES or None, instance=order)
