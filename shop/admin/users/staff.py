"""Colleagues in the user admin: inviting them, and the pages of one's own account."""

from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from shop import exposure
from shop.admin import two_factor as two_factor_pages
from shop.admin.action_form import add_service_error, render_action_form
from shop.admin.base import ActionFormAdmin, form_key, run_form_once, staff_user
from shop.admin.forms import ConfirmForm, ModelErrorsForm
from shop.admin.password_reset import password_page
from shop.admin.users.own_sessions import own_sessions_view
from shop.models import User
from shop.services import accounts
from shop.services.errors import EmailTaken, ShopError

STAFF_LIST = f"role__exact={User.Role.ADMIN.value}"


def invitation_fields() -> list[str]:
    """Return the names of the fields that an account can't be without, then those of its rights."""
    asked = set(exposure.editable_fields(User)) - {"password"}
    needed = [f for f in exposure.all_fields(User) if not f.blank and not f.has_default()]
    return [*(field.name for field in needed if field.name in asked), "groups", "is_superuser"]


class InvitationForm(ModelErrorsForm):
    """Name, email and groups of a new colleague, who chooses the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.role = User.Role.ADMIN

    def validate_unique(self) -> None:
        """Leave it to the service, which a form that is submitted twice reaches once."""


class StaffAdmin(ActionFormAdmin):
    """Pages of the user admin that are about colleagues and oneself."""

    def get_urls(self) -> list[URLPattern]:
        pages = {
            "invite": self.invite_view,
            "sessions": own_sessions_view,
            "two-factor": two_factor_pages.two_factor_view,
        }
        names = {"invite": "invite", "sessions": "own_sessions", "two-factor": "two_factor"}
        return [
            path(f"{route}/", self.admin_site.admin_view(view), name=f"shop_user_{names[route]}")
            for route, view in pages.items()
        ] + super().get_urls()

    def invite_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for name, email and groups of a colleague, then send the invitation."""
        if not request.user.is_superuser:
            raise PermissionDenied
        form_class = modelform_factory(
            User,
            form=InvitationForm,
            fields=invitation_fields(),
            formfield_callback=partial(self.formfield_for_dbfield, request=request),
        )
        form = form_class(request.POST if request.method == "POST" else None)
        list_url = f"{reverse('admin:shop_user_changelist')}?{STAFF_LIST}"
        if form.is_valid():
            try:
                run_form_once(request, partial(_invite, request, form.cleaned_data))
                return HttpResponseRedirect(list_url)
            except EmailTaken as error:
                form.add_error("email", str(error))
            except (ShopError, ValidationError) as error:
                add_service_error(form, error)
        return render_action_form(
            request,
            self,
            form=form,
            title=_("Invite a colleague"),
            hint=_("They get an email with a link to choose their password. It works for 3 days."),
            button=_("Send invitation"),
            back_url=list_url,
            hidden=[form_key()],
            template="admin/shop/user/invite.html",
        )

    def can_invite_again(self, request: HttpRequest, user: User) -> bool:
        """Return whether the request is a superuser's and the user has not accepted."""
        return bool(request.user.is_superuser and user.is_invited and user.is_active)

    def invite_again(self, request: HttpRequest, user: User) -> HttpResponse:
        """Show a form that sends a colleague another invitation."""
        if not self.can_invite_again(request, user):
            raise PermissionDenied

        def send(_form: ConfirmForm) -> str:
            accounts.invite_again(user=user, actor=staff_user(request), page=password_page(request))
            return _("The invitation was sent again.")

        return self.action_form_view(
            request,
            user,
            form_class=ConfirmForm,
            title=_("Send the invitation to %(email)s again?") % {"email": user.email},
            hint=_("They get a new link, which works for 3 days."),
            button=_("Send invitation again"),
            perform=send,
        )


def _invite(request: HttpRequest, values: dict[str, Any]) -> str:
    accounts.invite_staff(actor=staff_user(request), page=password_page(request), **values)
    return _("The invitation is on its way. Until it is accepted, the list says “Invited”.")
