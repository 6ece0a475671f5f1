"""The back office's door: its form, which counts who tries passwords as the API does."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.services import second_factor
from shop.services.errors import WrongCode
from shop.throttles import TooManyCalls, count_sign_in


class SignInForm(AuthenticationForm):  # type: ignore[misc]
    """Email and password, and the second factor's code; refused unseen after too many tries."""

    code = forms.CharField(
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
        help_text="If you have set up a second factor: from your phone, or a recovery code.",
    )

    #: The status and the seconds to wait when the try was refused unseen.
    refused: tuple[int, int] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.SHOP_SECOND_FACTOR == second_factor.OFF:
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        """Count the try, then look at it: together with the API's, by address and by account.

        While the cache is away nobody gets in, as in the API: guesses that nobody counts are worse than a
        wait, and whoever is signed in works on.
        """
        if {"username", "password"} <= self.cleaned_data.keys():
            try:
                count_sign_in(self.request, self.cleaned_data["username"])
            except TooManyCalls as error:
                self.refused = (429, error.wait)
                raise ValidationError(
                    f"Too many tries. Wait {error.wait} seconds, then try again."
                ) from error
            except RedisError as error:
                self.refused = (503, 1)
                raise ValidationError("Nobody can sign in just now. Try again in a moment.") from error
        found: dict[str, Any] = super().clean()
        return found

    def confirm_login_allowed(self, user: Any) -> None:
        """Ask for the code after the password. Whoever has to set one up is led there by the middleware."""
        super().confirm_login_allowed(user)
        if "code" in self.fields and second_factor.is_set_up(user):
            user.otp_device = second_factor.accept(user=user, code=self.cleaned_data["code"])
            if user.otp_device is None:
                raise ValidationError(WrongCode.message, code=WrongCode.code)


def login(request: HttpRequest) -> HttpResponse:
    """The admin's own login page, with the status of what was refused unseen."""
    answer: HttpResponse = admin.site.login(request)
    form = (getattr(answer, "context_data", None) or {}).get("form")
    if form is not None and form.refused:
        answer.status_code, wait = form.refused
        answer["Retry-After"] = str(wait)
    return answer
