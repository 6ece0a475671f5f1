"""“Forgot password?” of the admin, and the page on which a link leads to a new password."""

from typing import Any
from urllib.parse import unquote

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from shop.admin.forms import add_model_error
from shop.admin.login import RateLimitedForm
from shop.models import User
from shop.services import accounts, sign_ins
from shop.services.errors import InvalidResetToken
from shop.services.sign_ins import SignInAttempt
from shop.throttling import check_rate, client_ip

SIGN_IN_PAGE = reverse_lazy("admin:login")
SET_PASSWORD = "password_reset_confirm"  # noqa: S105 - the name of a URL


def password_page(request: HttpRequest) -> str:
    """Return the URL of the page that sets a password, with `{uid}` and `{token}` to be filled in.

    Its host is the request's, which is one of ALLOWED_HOSTS.
    """
    path = unquote(reverse(SET_PASSWORD, args=["{uid}", "{token}"]))
    return f"{request.scheme}://{request.get_host()}{path}"


class ForgotPasswordForm(RateLimitedForm, forms.Form):
    """Asks for the email of an account. Requests count together with attempts to sign in."""

    email = forms.EmailField(
        label=gettext_lazy("Email"),
        widget=UnfoldAdminTextInputWidget(
            attrs={"type": "email", "autocomplete": "username", "autofocus": True}
        ),
    )

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data)
        self.request = request

    def clean(self) -> dict[str, Any]:
        """Count the request by its client, as the API does."""
        with self.refusing():
            check_rate("login", client_ip(self.request))
        return self.cleaned_data


def forgot_password_view(request: HttpRequest) -> HttpResponse:
    """Ask for an email and send a link, if staff use it; the response never tells whether."""
    form = ForgotPasswordForm(request, request.POST if request.method == "POST" else None)
    if form.is_valid():
        accounts.request_reset(email=form.cleaned_data["email"], page=password_page(request))
        messages.success(
            request,
            _("If a colleague uses this email, a link to a new password is on its way."),
        )
        return HttpResponseRedirect(SIGN_IN_PAGE)
    context = {"title": _("Forgot your password?"), "form": form, "back": SIGN_IN_PAGE}
    response = TemplateResponse(
        request, "admin/forgot_password.html", admin.site.each_context(request) | context
    )
    return form.set_status(response)


class NewPasswordForm(SetPasswordForm[User]):
    """The new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class SetPasswordView(PasswordResetConfirmView):
    """Sets the password of staff who follow a link: Django's view, by the shop's service."""

    form_class = NewPasswordForm
    template_name = "admin/set_password.html"
    title = gettext_lazy("Choose a password")

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Count each attempt at a link, together with those at the API."""
        limit = RateLimitedForm()
        try:
            if kwargs["token"] != self.reset_url_token:
                pk = accounts.decode_uid(kwargs["uidb64"])
                limit.count_attempt(self.request, f"reset {pk}", pk=pk)
        except ValidationError as error:
            self.user, self.validlink = None, False
            context = self.get_context_data(refusal=error.message)
            return limit.set_status(self.render_to_response(context))
        return super().dispatch(*args, **kwargs)

    def get_user(self, uidb64: str) -> User | None:
        """Return the member of staff that the link names; customers use the page of their app."""
        user: Any = super().get_user(uidb64)
        return user if user is not None and user.is_staff and user.is_active else None

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        values = super().get_context_data(**context) | {"account": self.user}
        if not self.validlink:
            values["title"] = _("This link doesn't work")
        return admin.site.each_context(self.request) | values

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password and lead to the sign-in page, which asks for the second factor."""
        try:
            user, _is_replay = accounts.reset_password(
                uid=self.kwargs["uidb64"],
                token=self.request.session[INTERNAL_RESET_SESSION_TOKEN],
                new=form.cleaned_data["new_password1"],
            )
        except InvalidResetToken:
            self.validlink = False
            return self.render_to_response(self.get_context_data())
        except ValidationError as error:
            add_model_error(form, error, {"new_password": "new_password2"})
            return self.form_invalid(form)
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        # At once, so that a sign-in from here right after it passes the bound of the account.
        attempt = SignInAttempt.from_request(self.request, user.email)
        sign_ins.write_entry(attempt, sign_ins.Action.PASSWORD_RESET)
        messages.success(self.request, _("Your password is set. Log in with it."))
        return HttpResponseRedirect(SIGN_IN_PAGE)
