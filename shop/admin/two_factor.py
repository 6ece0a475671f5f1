"""One's own second factor: the page that sets it up, and what holds until it is."""

from collections.abc import Callable
from typing import Any

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.admin.base import staff_user
from shop.services import accounts, two_factor
from shop.services.errors import WrongCode
from shop.text_validation import pluralize


class TwoFactorMiddleware:
    """Lets staff into the back office only as the second factor allows.

    Whoever has one and did not show it, such as in a browser that signed in before, signs in again. Whoever
    has to have one sets it up before anything else.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._led_away(request) or self.get_response(request)

    def _led_away(self, request: HttpRequest) -> HttpResponse | None:
        here = request.path_info
        if settings.SHOP_TWO_FACTOR == two_factor.OFF or not here.startswith(
            reverse("admin:index")
        ):
            return None
        user: Any = request.user
        if not user.is_staff or user.is_verified():
            return None
        if two_factor.is_enabled(user):
            logout(request)
            return HttpResponseRedirect(reverse("admin:login"))
        own, leave = reverse("admin:shop_user_second_factor"), reverse("admin:logout")
        if settings.SHOP_TWO_FACTOR != two_factor.REQUIRED or here in {own, leave}:
            return None
        return HttpResponseRedirect(own)


class CodeForm(forms.Form):
    """A code that shows that one has the telephone."""

    code = forms.CharField(
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
    )


def two_factor_view(request: HttpRequest) -> HttpResponse:
    """Set it up; or, with a code of the one there is, take that away to set up another."""
    if two_factor.is_enabled(staff_user(request)):
        return _replace(request)
    return _set_up(request)


def _set_up(request: HttpRequest) -> HttpResponse:
    user, key = staff_user(request), request.POST.get("key", "")
    if not two_factor.KEY.fullmatch(key):
        key = two_factor.generate_secret()
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            device, codes = two_factor.enable(user=user, key=key, code=form.cleaned_data["code"])
        except WrongCode as error:
            form.add_error("code", str(error))
        else:
            accounts.end_sessions(user, because="second factor", by=user)
            request.session.cycle_key()
            django_otp.login(request, device)
            return _show(request, "codes", title="Your recovery codes", codes=codes)
    link = two_factor.provisioning_uri(user=user, key=key)
    form.fields["code"].help_text = "The six digits that the app shows now."
    return _show(
        request,
        "set_up",
        title="Set up a second factor",
        form=form,
        button="Set up",
        hidden=[("key", key)],
        link=link,
        typed=two_factor.format_secret(key),
        picture=segno.make_qr(link).svg_data_uri(scale=4, light="white"),
    )


def _replace(request: HttpRequest) -> HttpResponse:
    user, form = staff_user(request), CodeForm(request.POST or None)
    if form.is_valid():
        if two_factor.verify_code(user=user, code=form.cleaned_data["code"]) is not None:
            two_factor.disable(user=user, by=user)
            return HttpResponseRedirect(request.path)
        form.add_error("code", WrongCode.message)
    form.fields["code"].help_text = "From your phone, or a recovery code."
    left = pluralize(two_factor.count_recovery_codes(user), "recovery code", "recovery codes")
    hint = f"It is set up, with {left} left. For another phone, or for new recovery codes, take it away with a"
    hint += " code of it and set it up anew."
    return _show(
        request, "set_up", title="Your second factor", form=form, button="Take it away", hint=hint
    )


def _show(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    context |= admin.site.each_context(request) | {
        "title": context["title"],
        "back": reverse("admin:index"),
    }
    return TemplateResponse(request, f"admin/shop/user/second_factor_{template}.html", context)
