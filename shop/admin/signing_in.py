"""The back office's door: its form, which counts who tries passwords as the API does."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError
from unfold.forms import AuthenticationForm

from shop.throttles import TooManyCalls, count_sign_in


class SignInForm(AuthenticationForm):  # type: ignore[misc]
    """Email and password, refused unseen after too many tries."""

    #: The status and the seconds to wait when the try was refused unseen.
    refused: tuple[int, int] | None = None

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


def login(request: HttpRequest) -> HttpResponse:
    """The admin's own login page, with the status of what was refused unseen."""
    answer: HttpResponse = admin.site.login(request)
    form = (getattr(answer, "context_data", None) or {}).get("form")
    if form is not None and form.refused:
        answer.status_code, wait = form.refused
        answer["Retry-After"] = str(wait)
    return answer
