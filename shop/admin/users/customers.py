"""What a person did in the shop: on the list of people, and around each one's form."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.decorators import display

from shop import money
from shop.admin import two_factor
from shop.admin.base import ActionFormAdmin, TabbedAdmin, render_age, staff_user, status_label
from shop.admin.forms import ConfirmForm
from shop.models import Order, User
from shop.services import accounts, customers, personal_data
from shop.services import two_factor as second_factors

PURCHASE_COLUMNS = ("order_count", "lifetime_value", "last_order")
RECENT_ORDERS = 10


def can_manage_user(request: HttpRequest, person: User | None) -> bool:
    """Whether a clerk with the right to it may act on this person: other staff are for superusers."""
    return (
        person is None or not person.is_staff or person == request.user or request.user.is_superuser
    )


class CustomerAdmin(ActionFormAdmin, TabbedAdmin):
    """Columns, banner and story of a person, each part only for those who may see it."""

    tab_field = "role"
    tab_labels = ((User.Role.CUSTOMER, "Customers"), (User.Role.ADMIN, "Staff"))
    change_form_outer_before_template = "admin/shop/user/banner.html"
    change_form_outer_after_template = "admin/shop/user/activity.html"
    steps = {  # noqa: RUF012
        "sign-out": "sign_out_everywhere",
        "export": "hand_out",
        "erase": "erase",
        "second-factor": "take_second_factor",
    }
    step_permission = "change_session"
    own_permissions = dict.fromkeys(("hand_out", "erase"), "delete_user")

    def get_urls(self) -> list[URLPattern]:
        own = self.admin_site.admin_view(two_factor.two_factor_view)
        return [path("second-factor/", own, name="shop_user_second_factor"), *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """What was bought comes after the name, where a phone still shows it."""
        first, *others = super().get_list_display(request)
        return (
            first,
            *(PURCHASE_COLUMNS if request.user.has_perm("shop.view_order") else ()),
            *others,
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list. What was bought is read for the people of this page, however the list is sorted."""
        people = super().get_changelist_instance(request)
        if request.user.has_perm("shop.view_order"):
            found = customers.purchase_summaries(people.result_list)
            for person in people.result_list:
                person.bought = found[person.pk]
        return people

    @display(description="Orders")
    def order_count(self, person: Any) -> int:
        """How many, cancelled ones too."""
        count: int = person.bought.orders
        return count

    @display(description="Lifetime value")
    def lifetime_value(self, person: Any) -> str | None:
        """What their orders brought."""
        return money.format_money(person.bought.value) if person.bought.orders else None

    @display(description="Last order")
    def last_order(self, person: Any) -> str | None:
        """How long ago."""
        return render_age(person.bought.last) if person.bought.last else None

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Give the page the person's story."""
        if person := kwargs.get("obj"):
            context["story"] = self._story(request, person)
        return super().render_change_form(request, context, **kwargs)

    def _story(self, request: HttpRequest, person: User) -> dict[str, Any]:
        """What this clerk may see of it; of staff, who seldom buy, only what there is."""
        story: dict[str, Any] = {}
        if request.user.has_perm("shop.view_order"):
            story |= _orders(person)
        if request.user.has_perm("shop.view_cartitem"):
            lines = customers.cart_lines(person)
            story["cart"] = [(line, money.format_money(line.product.price)) for line in lines]
        if request.user.has_perm("shop.view_session") or self.may_sign_out(request, person):
            live = customers.live_sessions(person)
            story["may_sign_out"] = live and self.may_sign_out(request, person)
            if request.user.has_perm("shop.view_session"):
                story["sessions"] = live
        story["may_take_second_factor"] = self.may_take_second_factor(request, person)
        story["may_erase"] = self.may_erase(request, person)
        return {name: part for name, part in story.items() if part or not person.is_staff}

    def may_sign_out(self, request: HttpRequest, person: User) -> bool:
        """Whether this clerk may end that person's sessions."""
        may = self.has_step_permission(request) and self.has_view_permission(request, person)
        return may and can_manage_user(request, person)

    def sign_out_everywhere(self, request: HttpRequest, person: User) -> HttpResponse:
        """Ask, then end the sessions of all their apps."""
        if not self.may_sign_out(request, person):
            raise PermissionDenied

        def sign_out(_: ConfirmForm) -> str:
            accounts.end_sessions(person, because="staff", by=staff_user(request))
            return "They are signed out everywhere."

        return self.ask(
            request,
            person,
            ask_for=ConfirmForm,
            title=f"Sign out {person} everywhere?",
            hint="Their apps ask for the password again.",
            button="Sign out everywhere",
            do=sign_out,
        )

    def may_take_second_factor(self, request: HttpRequest, person: User) -> bool:
        """Whether this is a superuser, and the person a colleague with a second factor."""
        may = person.is_staff and request.user.is_superuser and person != request.user
        return bool(may and second_factors.is_enabled(person))

    def take_second_factor(self, request: HttpRequest, person: User) -> HttpResponse:
        """Ask, then forget the phone that they have lost."""
        if not self.may_take_second_factor(request, person):
            raise PermissionDenied

        def take(_: ConfirmForm) -> str:
            second_factors.disable(user=person, by=staff_user(request))
            accounts.end_sessions(person, because="second factor", by=staff_user(request))
            return "They have no second factor now."

        return self.ask(
            request,
            person,
            ask_for=ConfirmForm,
            title=f"Take away the second factor of {person}?",
            hint="For a lost phone: recovery codes go too, apps are signed out, and they sign in by password "
            "until they set up a new one. If somebody else may know the password, change it as well.",
            button="Take it away",
            do=take,
        )

    def may_erase(self, request: HttpRequest, person: User) -> bool:
        """Whether this clerk decides about what the shop knows of that person, who is no staff."""
        may = request.user.has_perm("shop.delete_user") and self.has_view_permission(
            request, person
        )
        return bool(may and not person.is_staff)

    def hand_out(self, request: HttpRequest, person: User) -> HttpResponse:
        """Ask, then give all that the shop knows of them, as a file."""
        if not self.may_erase(request, person):
            raise PermissionDenied
        if request.method == "POST":
            told = personal_data.export_personal_data(user_id=person.pk, actor=staff_user(request))
            name = f'attachment; filename="customer-{person.pk}.json"'
            return HttpResponse(told, "application/json", headers={"Content-Disposition": name})
        return self.ask(
            request,
            person,
            ask_for=ConfirmForm,
            title=f"Export what the shop knows of {person}?",
            hint="A file with their details, orders, notes, cart and devices. The audit log notes it.",
            button="Export their data",
            do=str,
        )

    def erase(self, request: HttpRequest, person: User) -> HttpResponse:
        """Ask, then forget who they are."""
        if not self.may_erase(request, person):
            raise PermissionDenied

        def forget(_: ConfirmForm) -> str:
            erased = personal_data.erase_personal_data(user_id=person.pk, actor=staff_user(request))
            return f"Their personal data is erased: this is {erased} now."

        return self.ask(
            request,
            person,
            ask_for=ConfirmForm,
            title=f"Erase the personal data of {person}?",
            hint="This cannot be undone. Name, email, phone, addresses and notes go, from the audit log too, "
            "and the account is closed. Orders stay for the books, with what was bought at which price.",
            button="Erase their data",
            do=forget,
        )


def _orders(person: User) -> dict[str, Any]:
    """The latest orders, and what all of them come to."""
    latest = customers.orders_of(person, RECENT_ORDERS)
    if not latest:
        return {"orders": []}
    bought = customers.purchase_summaries([person])[person.pk]
    return {
        "orders": [
            (
                order,
                status_label(Order.Status(order.status)),
                money.format_money(order.total_amount),
            )
            for order in latest
        ],
        "bought": bought,
        "value": money.format_money(bought.value),
        "last": latest[0],
        "ago": render_age(latest[0].created_at),
    }
