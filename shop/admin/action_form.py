"""The one page that asks before something is done: a title, a form, a button and a way back."""

from typing import Any, Literal

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from shop.admin.forms import add_model_error
from shop.models.order_status import Text
from shop.services.errors import ShopError

#: How a button looks; danger is for what cannot be undone.
type ButtonKind = Literal["default", "primary", "danger"]


def render_action_form(
    request: HttpRequest,
    model_admin: ModelAdmin,
    *,
    form: forms.BaseForm,
    title: Text,
    button: Text,
    back_url: str,
    template: str = "admin/action_form.html",
    **options: Any,
) -> HttpResponse:
    """Render the form that asks before an action; `template` may extend the usual one.

    Options: `hint`, a sentence below the title; `button_kind`, a ButtonKind; `second_button`, the
    name that it posts and its label; `hidden`, names and values of hidden inputs; `warn_unsaved`,
    whether leaving with unsaved changes asks first; any other is added to the template's context.
    """
    context = model_admin.admin_site.each_context(request) | {
        "opts": model_admin.opts,
        "title": title,
        "form": form,
        "button": button,
        "back": back_url,
        **options,
    }
    return TemplateResponse(request, template, context)


def add_service_error(form: forms.BaseForm, error: ShopError | ValidationError) -> None:
    """Show why a service refused, at the field that a ValidationError names or above the form."""
    if isinstance(error, ValidationError):
        add_model_error(form, error)
    else:
        form.add_error(None, str(error))
