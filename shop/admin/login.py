"""The back office's door and one's own new password: forms that count tries as the API does."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from redis.exceptions import RedisError
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.services import two_factor
from shop.services.errors import WrongCode
from shop.throttling import TooManyCalls, check_login_rate


class RateLimitedForm:
    """A form that looks at a password only after it has counted the try, together with the API's.

    While the cache is away nobody is let through, as in the API: guesses that nobody counts are worse than a
    wait, and whoever is signed in works on.
    """

    #: The status and the seconds to wait when the try was refused unseen.
    refused: tuple[int, int] | None = None

    def count(self, request: HttpRequest, account: str) -> None:
        """Count by address and by account; raises ValidationError, and notes it in `refused`."""
        try:
            check_login_rate(request, account)
        except TooManyCalls as error:
            self.refused = (429, error.wait)
            raise ValidationError(
                f"Too many tries. Wait {error.wait} seconds, then try again."
            ) from error
        except RedisError as error:
            self.refused = (503, 1)
            raise ValidationError(
                "Passwords cannot be checked just now. Try again in a moment."
            ) from error

    def tell(self, answer: HttpResponse) -> HttpResponse:
        """The answer, with the status of what was refused unseen."""
        if self.refused:
            answer.status_code, wait = self.refused
            answer["Retry-After"] = str(wait)
        return answer


class LoginForm(RateLimitedForm, AuthenticationForm):  # type: ignore[misc]
    """Email and password, and the second factor's code; refused unseen after too many tries."""

    code = forms.CharField(
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
        help_text="If you have set up a second factor: from your phone, or a recovery code.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.SHOP_TWO_FACTOR == two_factor.OFF:
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        """Count the try, then look at it."""
        if {"username", "password"} <= self.cleaned_data.keys():
            self.count(self.request, self.cleaned_data["username"])
        found: dict[str, Any] = super().clean()
        return found

    def confirm_login_allowed(self, user: Any) -> None:
        """Ask for the code after the password. Whoever has to set one up is led there by the middleware."""
        super().confirm_login_allowed(user)
        if "code" in self.fields and two_factor.is_enabled(user):
            user.otp_device = two_factor.verify_code(user=user, code=self.cleaned_data["code"])
            if user.otp_device is None:
                raise ValidationError(WrongCode.message, code=WrongCode.code)


class OwnPasswordForm(RateLimitedForm, AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """A new password for who knows the old one: a browser that was left open is not enough to guess it."""

    request: HttpRequest

    def clean_old_password(self) -> str:
        """Count the try, under the same name as the API's, then look at it."""
        self.count(self.request, f"user {self.user.pk}")
        return str(super().clean_old_password())


class OwnPasswordPage(PasswordChangeView):
    """The admin's page for one's own password."""

    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.request = self.request  # type: ignore[attr-defined]
        return form

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**context) | admin.site.each_context(self.request)

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = form.tell(super().form_invalid(form))
        return answer


def login_view(request: HttpRequest) -> HttpResponse:
    """The admin's own login page, with the status of what was refused unseen."""
    answer: HttpResponse = admin.site.login(request)
    form = (getattr(answer, "context_data", None) or {}).get("form")
    return answer if form is None else form.tell(answer)
