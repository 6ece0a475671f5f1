"""The sign-in page and the change of one's own password, with the API's rate limits."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from redis.exceptions import RedisError
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.services import two_factor
from shop.services.errors import WrongCode
from shop.throttling import TooManyCalls, check_login_rate


class RateLimitedForm:
    """Mixin of a form that counts each attempt before it checks a password.

    Attempts count together with those at the API. While the cache is down no password is checked,
    since nobody could count the guesses; whoever is signed in can work on.
    """

    #: Status and seconds to wait, if the attempt was refused before the password was checked.
    refusal: tuple[int, int] | None = None

    def count_attempt(self, request: HttpRequest, account: str) -> None:
        """Count an attempt by IP and by account. Sets `refusal` and raises ValidationError."""
        try:
            check_login_rate(request, account)
        except TooManyCalls as error:
            self.refusal = (429, error.wait)
            message = ngettext(
                "Too many attempts. Try again in %(seconds)d second.",
                "Too many attempts. Try again in %(seconds)d seconds.",
                error.wait,
            )
            raise ValidationError(message % {"seconds": error.wait}, code="too-many") from error
        except RedisError as error:
            self.refusal = (503, 1)
            raise ValidationError(
                _("We can't check passwords right now. Try again in a moment."), code="unavailable"
            ) from error

    def set_status(self, response: HttpResponse) -> HttpResponse:
        """Return the response, with the status and Retry-After header of a refused attempt."""
        if self.refusal:
            response.status_code, wait = self.refusal
            response["Retry-After"] = str(wait)
        return response


class LoginForm(RateLimitedForm, AuthenticationForm):  # type: ignore[misc]
    """Email, password, and the code of two-factor authentication."""

    error_messages = {  # noqa: RUF012 - Django's form options are plain class attributes
        **AuthenticationForm.error_messages,
        "invalid_login": gettext_lazy(
            "That email and password don't match. Passwords are case-sensitive."
        ),
    }
    code = forms.CharField(
        label=gettext_lazy("Code"),
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
        help_text=gettext_lazy(
            "Only with two-factor authentication: from your authenticator app, or a recovery code."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.SHOP_TWO_FACTOR == two_factor.OFF:
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        """Count the attempt, then check the password."""
        if {"username", "password"} <= self.cleaned_data.keys():
            self.count_attempt(self.request, self.cleaned_data["username"])
        values: dict[str, Any] = super().clean()
        return values

    def confirm_login_allowed(self, user: Any) -> None:
        """Check the code once the password is right; the middleware leads others to the set-up."""
        super().confirm_login_allowed(user)
        if "code" in self.fields and two_factor.is_enabled(user):
            user.otp_device = two_factor.verify_code(user=user, code=self.cleaned_data["code"])
            if user.otp_device is None:
                raise ValidationError(WrongCode.message, code=WrongCode.code)


class OwnPasswordForm(RateLimitedForm, AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """Changes the password of the signed-in user. Guesses of the old one are rate-limited."""

    request: HttpRequest

    def clean_old_password(self) -> str:
        """Count the attempt under the same name as the API, then check the old password."""
        self.count_attempt(self.request, f"user {self.user.pk}")
        return str(super().clean_old_password())


class OwnPasswordPage(PasswordChangeView):
    """The admin's page on which users change their own password."""

    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.request = self.request  # type: ignore[attr-defined]
        return form

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**context) | admin.site.each_context(self.request)

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = form.set_status(super().form_invalid(form))
        return response


def login_view(request: HttpRequest) -> HttpResponse:
    """Return Django's login page, with the status of an attempt that the rate limit refused."""
    response: HttpResponse = admin.site.login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    return response if form is None else form.set_status(response)
