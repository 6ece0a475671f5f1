"""What the user admin shows of a customer, and much of it of staff; actions on one account."""

from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from shop import money
from shop.admin.base import TabbedAdmin, staff_user
from shop.admin.changelists import NUMBER_FORMAT
from shop.admin.forms import ConfirmForm
from shop.admin.rendering import render_age, render_device, render_sign_in, status_label
from shop.admin.users.staff import StaffAdmin
from shop.models import Order, User
from shop.services import customers, personal_data, two_factor
from shop.services.sessions import end_sessions, list_devices
from shop.services.sign_ins import recent_sign_ins

PURCHASE_COLUMNS = ("order_count", "total_spent", "last_order")
MAX_RECENT_ORDERS = 10
MAX_SIGN_INS = 10


def can_manage_user(request: HttpRequest, user: User | None) -> bool:
    """Return whether the user may manage this account; other staff only by superusers."""
    return user is None or not user.is_staff or user == request.user or request.user.is_superuser


def keep_own_session(request: HttpRequest, user: User) -> None:
    """Keep the request's session if the user has just ended all sessions of their own account."""
    if user == request.user:
        update_session_auth_hash(request, user)


class CustomerAdmin(StaffAdmin, TabbedAdmin):
    """Columns, banner and activity of a user. Each part needs its own view permission."""

    tab_field = "role"
    tab_labels = (
        (User.Role.CUSTOMER, gettext_lazy("Customers")),
        (User.Role.ADMIN, gettext_lazy("Staff")),
    )
    change_form_outer_before_template = "admin/shop/user/banner.html"
    change_form_outer_after_template = "admin/shop/user/activity.html"
    action_views = {  # noqa: RUF012
        "invite-again": "invite_again",
        "sign-out": "sign_out_everywhere",
        "export": "export_personal_data",
        "erase": "erase_personal_data",
        "two-factor": "disable_two_factor",
    }
    action_permission = "change_session"
    view_permissions = dict.fromkeys(("export_personal_data", "erase_personal_data"), "delete_user")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Insert the purchases after the name, where a phone still shows them."""
        name, *others = super().get_list_display(request)
        if not request.user.has_perm("shop.view_order"):
            return [name, *others]
        sees_revenue = request.user.has_perm("shop.view_revenue")
        purchases = [
            column for column in PURCHASE_COLUMNS if sees_revenue or column != "total_spent"
        ]
        return [name, *purchases, *others]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, with the purchases of the users on its page read in one query."""
        changelist = super().get_changelist_instance(request)
        if request.user.has_perm("shop.view_order"):
            summaries = customers.purchase_summaries(changelist.result_list)
            for user in changelist.result_list:
                user.purchases = summaries[user.pk]
        return changelist

    @display(description=gettext_lazy("Orders"), formatting=NUMBER_FORMAT)
    def order_count(self, user: Any) -> int:
        """Return the number of orders, cancelled ones included."""
        count: int = user.purchases.orders
        return count

    @display(description=gettext_lazy("Total spent"), formatting=NUMBER_FORMAT)
    def total_spent(self, user: Any) -> str | None:
        """Return what the customer's orders are worth, net of refunds."""
        return money.format_money(user.purchases.value) if user.purchases.orders else None

    @display(description=gettext_lazy("Last order"))
    def last_order(self, user: Any) -> str | None:
        """Return the age of the newest order."""
        return render_age(user.purchases.last) if user.purchases.last else None

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Add the user's activity to the page."""
        if user := kwargs.get("obj"):
            context["activity"] = self._activity(request, user)
        return super().render_change_form(request, context, **kwargs)

    def _activity(self, request: HttpRequest, user: User) -> dict[str, Any]:
        """Return the parts that the request may see; of staff, who seldom buy, no empty ones."""
        activity: dict[str, Any] = {}
        if request.user.has_perm("shop.view_order"):
            activity |= _order_activity(
                user, sees_revenue=request.user.has_perm("shop.view_revenue")
            )
        if request.user.has_perm("shop.view_cartitem"):
            items = customers.cart_lines(user)
            activity["cart"] = [(item, money.format_money(item.product.price)) for item in items]
        if request.user.has_perm("shop.view_session") or self.can_sign_out(request, user):
            devices = list_devices(user)
            activity["can_sign_out"] = bool(devices) and self.can_sign_out(request, user)
            if request.user.has_perm("shop.view_session"):
                activity["sessions"] = [(d, render_device(d.session.device)) for d in devices]
        if request.user.has_perm("shop.view_auditentry"):
            activity["sign_ins"] = [
                (entry, render_sign_in(entry), render_device(entry.device))
                for entry in recent_sign_ins(user, MAX_SIGN_INS)
            ]
        activity["can_invite_again"] = self.can_invite_again(request, user)
        activity["can_disable_two_factor"] = self.can_disable_two_factor(request, user)
        activity["can_erase"] = self.can_erase(request, user)
        return {name: part for name, part in activity.items() if part or not user.is_staff}

    def can_sign_out(self, request: HttpRequest, user: User) -> bool:
        """Return whether the request may end the user's sessions."""
        if not (self.has_action_permission(request) and self.has_view_permission(request, user)):
            return False
        return can_manage_user(request, user)

    def sign_out_everywhere(self, request: HttpRequest, user: User) -> HttpResponse:
        """Show a form that ends all sessions of the user, of apps and browsers."""
        if not self.can_sign_out(request, user):
            raise PermissionDenied

        def sign_out(_form: ConfirmForm) -> str:
            end_sessions(user, because="staff", by=staff_user(request))
            keep_own_session(request, user)
            if user.is_staff:
                return _("Signed out of all apps and browsers.")
            return _("Signed out of all apps.")

        return self.action_form_view(
            request,
            user,
            form_class=ConfirmForm,
            title=_("Sign out %(user)s everywhere?") % {"user": user},
            hint=_(
                "All apps and browsers will ask for the password again."
                " If this is your own account, this browser stays signed in."
            ),
            button=_("Sign out everywhere"),
            perform=sign_out,
        )

    def can_disable_two_factor(self, request: HttpRequest, user: User) -> bool:
        """Return whether the request is a superuser's and the user a colleague who has it on."""
        if not (user.is_staff and request.user.is_superuser and user != request.user):
            return False
        return two_factor.is_enabled(user)

    def disable_two_factor(self, request: HttpRequest, user: User) -> HttpResponse:
        """Show a form that turns off a colleague's two-factor authentication."""
        if not self.can_disable_two_factor(request, user):
            raise PermissionDenied

        def disable(_form: ConfirmForm) -> str:
            two_factor.disable(user=user, by=staff_user(request))
            return _("Two-factor authentication was turned off.")

        return self.action_form_view(
            request,
            user,
            form_class=ConfirmForm,
            title=_("Turn off two-factor authentication for %(user)s?") % {"user": user},
            hint=_(
                "Use this when a phone is lost. Recovery codes stop working, apps are signed out,"
                " and the password alone is enough until a new phone is set up. If somebody else"
                " may know the password, change it too."
            ),
            button=_("Turn off"),
            button_kind="danger",
            perform=disable,
        )

    def can_erase(self, request: HttpRequest, user: User) -> bool:
        """Return whether the request may export or erase this customer's data; never of staff."""
        if user.is_staff or not request.user.has_perm("shop.delete_user"):
            return False
        return bool(self.has_view_permission(request, user))

    def export_personal_data(self, request: HttpRequest, user: User) -> HttpResponse:
        """Show a form that downloads everything the shop stores about the customer, as JSON."""
        if not self.can_erase(request, user):
            raise PermissionDenied
        if request.method == "POST":
            data = personal_data.export_personal_data(user_id=user.pk, actor=staff_user(request))
            disposition = f'attachment; filename="customer-{user.pk}.json"'
            return HttpResponse(
                data, "application/json", headers={"Content-Disposition": disposition}
            )
        return self.action_form_view(
            request,
            user,
            form_class=ConfirmForm,
            title=_("Export the personal data of %(user)s?") % {"user": user},
            hint=_(
                "The file holds their details, orders, notes, cart and devices."
                " The export is recorded in the audit log."
            ),
            button=_("Export data"),
            perform=str,
        )

    def erase_personal_data(self, request: HttpRequest, user: User) -> HttpResponse:
        """Show a form that erases the customer's personal data and closes the account."""
        if not self.can_erase(request, user):
            raise PermissionDenied

        def erase(_form: ConfirmForm) -> str:
            erased = personal_data.erase_personal_data(user_id=user.pk, actor=staff_user(request))
            return _("The personal data was erased. The account is now called %(user)s.") % {
                "user": erased
            }

        return self.action_form_view(
            request,
            user,
            form_class=ConfirmForm,
            title=_("Erase the personal data of %(user)s?") % {"user": user},
            hint=_(
                "This can't be undone. Name, email, phone, addresses and notes are erased, also in"
                " the audit log, and the account is closed. Orders stay in the books, with their"
                " products and prices."
            ),
            button=_("Erase data for good"),
            button_kind="danger",
            perform=erase,
        )


def _order_activity(user: User, *, sees_revenue: bool) -> dict[str, Any]:
    """Return the latest orders, and for those who may see it what all orders come to."""
    latest = customers.orders_of(user, MAX_RECENT_ORDERS)
    if not latest:
        return {"orders": []}
    purchases = customers.purchase_summaries([user])[user.pk]
    return {
        "orders": [
            (
                order,
                status_label(Order.Status(order.status)),
                money.format_money(order.total_amount, order.currency),
            )
            for order in latest
        ],
        "purchases": purchases,
        "value": money.format_money(purchases.value) if sees_revenue else "",
        "last_order": latest[0],
        "last_order_age": render_age(latest[0].created_at),
    }
