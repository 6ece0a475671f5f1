"""Two-factor authentication of the signed-in user: set-up page and enforcing middleware."""

from collections.abc import Callable
from typing import Any

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import logout, update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.admin.base import staff_user
from shop.admin.login import RateLimitedForm, remember_device
from shop.services import two_factor
from shop.services.errors import WrongCode

#: How the routes of the admin's URLs begin, in `settings.urls`.
ADMIN_ROUTE = "admin/"
SETUP_VIEW = "admin:shop_user_two_factor"


class TwoFactorMiddleware:
    """Enforces two-factor authentication in the admin.

    A session that was opened without the code of a user who has two-factor authentication is signed
    out. Where it is required, staff without it are redirected to its set-up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Redirect unless the admin may be entered; Django calls it once the URL is resolved."""
        # By the resolved URL: its path may have a prefix that `reverse` writes otherwise.
        match = request.resolver_match
        is_off = settings.SHOP_TWO_FACTOR == two_factor.OFF
        if is_off or match is None or not match.route.startswith(ADMIN_ROUTE):
            return None

        user: Any = request.user
        if not user.is_staff or user.is_verified():
            return None
        if two_factor.is_enabled(user):
            logout(request)
            return HttpResponseRedirect(reverse("admin:login"))

        is_required = settings.SHOP_TWO_FACTOR == two_factor.REQUIRED
        if not is_required or match.view_name in {SETUP_VIEW, "admin:logout"}:
            return None
        return HttpResponseRedirect(reverse(SETUP_VIEW))


class CodeForm(RateLimitedForm, forms.Form):
    """A code from the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
    )


def two_factor_view(request: HttpRequest) -> HttpResponse:
    """Turn on two-factor authentication, or turn it off if it is on."""
    if two_factor.is_enabled(staff_user(request)):
        return _turn_off(request)
    return _turn_on(request)


def _turn_on(request: HttpRequest) -> HttpResponse:
    user = staff_user(request)
    key = request.POST.get("key", "")
    if not two_factor.KEY.fullmatch(key):
        key = two_factor.generate_secret()

    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = _("The six digits that the app shows now.")
    if form.is_valid():
        try:
            device, codes = two_factor.enable(user=user, key=key, code=form.cleaned_data["code"])
        except WrongCode as error:
            form.add_error("code", str(error))
        else:
            update_session_auth_hash(request, user)  # all sessions ended but this one
            django_otp.login(request, device)
            response = _render(request, "codes", title=_("Your recovery codes"), codes=codes)
            remember_device(request, response)
            return response

    uri = two_factor.provisioning_uri(user=user, key=key)
    return _render(
        request,
        "setup",
        title=_("Set up two-factor authentication"),
        form=form,
        button=_("Turn on"),
        button_kind="primary",
        hidden=[("key", key)],
        provisioning_uri=uri,
        secret=two_factor.format_secret(key),
        qr_code=segno.make_qr(uri).svg_data_uri(scale=4, light="white"),
    )


def _turn_off(request: HttpRequest) -> HttpResponse:
    user = staff_user(request)
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = _("From your authenticator app, or a recovery code.")
    if form.is_valid() and _is_right_code(request, form):
        two_factor.disable(user=user, by=user)
        update_session_auth_hash(request, user)  # all sessions ended but this one
        response = HttpResponseRedirect(request.path)
        remember_device(request, response)
        return response

    count = two_factor.count_recovery_codes(user)
    hint = ngettext(
        "It is on, with %(count)d recovery code left. To use another phone or get new recovery"
        " codes, turn it off and set it up again.",
        "It is on, with %(count)d recovery codes left. To use another phone or get new recovery"
        " codes, turn it off and set it up again.",
        count,
    )
    page = _render(
        request,
        "setup",
        title=_("Two-factor authentication"),
        form=form,
        button=_("Turn off"),
        button_kind="danger",
        hint=hint % {"count": count},
    )
    return form.set_status(page)


def _is_right_code(request: HttpRequest, form: CodeForm) -> bool:
    """Count an attempt and check the user's code. Adds an error to the form if it is not right."""
    user = staff_user(request)
    try:
        form.count_attempt(request, f"user {user.pk}", pk=user.pk)
        if two_factor.verify_code(user=user, code=form.cleaned_data["code"]) is not None:
            return True
    except ValidationError as error:
        form.add_error("code", error)
    else:
        form.add_error("code", WrongCode.message)
    return False


def _render(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    context = admin.site.each_context(request) | context | {"back": reverse("admin:index")}
    return TemplateResponse(request, f"admin/shop/user/two_factor_{template}.html", context)
