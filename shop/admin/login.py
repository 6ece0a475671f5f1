"""The sign-in page and the change of one's own password, with the API's rate limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.admin.base import staff_user
from shop.caching import CacheUnavailable
from shop.models import User
from shop.services import accounts, sign_ins, two_factor
from shop.services.errors import WrongCode, WrongPassword
from shop.services.sign_ins import SignInAttempt
from shop.throttling import TooManyCalls, check_login_rate, client_ip

DEVICE_COOKIE_LIFETIME = timedelta(days=365)


def remember_device(request: HttpRequest, response: HttpResponse) -> None:
    """Set the cookie by which `is_known_device` knows the signed-in user's browser again."""
    user = staff_user(request)
    response.set_signed_cookie(
        _device_cookie(user),
        "known",
        salt=user.get_session_auth_hash(),
        max_age=DEVICE_COOKIE_LIFETIME,
        path=reverse("admin:index"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known_device(request: HttpRequest, **account: Any) -> bool:
    """Return whether this browser or this IP signed in to the account, such as `pk=7`, before.

    The cookie is signed with the user's session hash: a new password makes it worthless.
    """
    user = User.objects.filter(**account).first()
    cookie = user and request.get_signed_cookie(
        _device_cookie(user),
        default=None,
        salt=user.get_session_auth_hash(),
        max_age=DEVICE_COOKIE_LIFETIME,
    )
    return bool(cookie) or sign_ins.is_known_client(client_ip(request), **account)


def _device_cookie(user: User) -> str:
    return f"known_device_{user.pk}"


class RateLimitedForm:
    """Mixin of a form that counts each attempt before it checks a password.

    Attempts count together with those at the API. While the cache is down no password is checked,
    since nobody could count the guesses; whoever is signed in can work on.
    """

    #: Status and seconds to wait, if the attempt was refused before the password was checked.
    refusal: tuple[int, int] | None = None

    def count_attempt(self, request: HttpRequest, name: str, **account: Any) -> None:
        """Count an attempt at the account. Sets `refusal` and raises ValidationError."""
        with self.refusing():
            check_login_rate(request, name, is_known=lambda: is_known_device(request, **account))

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Set `refusal` and raise ValidationError if what is counted in the block is too much."""
        try:
            yield
        except TooManyCalls as error:
            self.refusal = (429, error.wait)
            message = ngettext(
                "Too many attempts. Try again in %(seconds)d second.",
                "Too many attempts. Try again in %(seconds)d seconds.",
                error.wait,
            )
            raise ValidationError(message % {"seconds": error.wait}, code=error.code) from error
        except CacheUnavailable as error:
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
        """Count the attempt, check the password, and record how it ended."""
        if not {"username", "password"} <= self.cleaned_data.keys():
            incomplete: dict[str, Any] = self.cleaned_data
            return incomplete
        email = self.cleaned_data["username"]
        with sign_ins.record_outcome(SignInAttempt.from_request(self.request, email)):
            self.count_attempt(self.request, email, email=email)
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
        self.count_attempt(self.request, f"user {self.user.pk}", pk=self.user.pk)
        return str(super().clean_old_password())

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        """Set the password. Raises WrongPassword if it was changed since it was checked."""
        accounts.change_password(
            user=self.user,
            current=self.cleaned_data["old_password"],
            new=self.cleaned_data["new_password1"],
        )
        user: User = self.user
        return user


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

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response = super().form_valid(form)
        except WrongPassword as error:
            form.add_error("old_password", ValidationError(str(error), code=error.code))
            return self.form_invalid(form)
        remember_device(self.request, response)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = form.set_status(super().form_invalid(form))
        return response


def login_view(request: HttpRequest) -> HttpResponse:
    """Return Django's login page, with the status of an attempt that the rate limit refused."""
    response: HttpResponse = admin.site.login(request)
    if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
        remember_device(request, response)
    form = (getattr(response, "context_data", None) or {}).get("form")
    return response if form is None else form.set_status(response)
