"""Bearer authentication: one query loads the session, its user and the permissions to check."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Case, Exists, OuterRef, Q, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja.security import HttpBearer

from shop.api import tokens
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import Session, User
from shop.services.errors import InvalidToken, ShopError
from shop.services.payments import Authorization
from shop.services.sessions import record_successor_use
from shop.throttling import check_rate, client_ip


class Forbidden(ShopError):
    """The endpoint is for staff with a permission that the caller lacks."""

    code = "forbidden"
    message: ClassVar[Any] = _("You don't have permission to do this.")


@dataclass(frozen=True)
class Caller:
    """The authenticated user of a request.

    `is_staff` is true for an admin with the endpoint's main permission; without permissions, the
    endpoint is the same for everyone. `permissions` are those of the endpoint's permissions that
    the user has.
    """

    user: User
    session: Session
    is_staff: bool
    permissions: frozenset[str] = frozenset()


class ApiRequest(HttpRequest):
    """A request that `Bearer` has authenticated."""

    auth: Caller
    #: Money that a gateway has reserved for the order that this request places.
    authorization: Authorization | None


class Bearer(HttpBearer):
    """Authenticate by the access token of a live session.

    The first of `permissions` decides whether the caller counts as staff, with `any_of` each of
    them. With `staff_only`, all other callers are refused (403). With `is_public`, requests without
    a token pass if the setting SHOP_PUBLIC_CATALOG is on.
    """

    def __init__(
        self,
        *permissions: str,
        staff_only: bool = False,
        any_of: bool = False,
        is_public: bool = False,
    ) -> None:
        super().__init__()
        self.permissions = permissions
        self.deciding = frozenset(permissions if any_of else permissions[:1])
        self.staff_only = staff_only
        self.is_public = is_public
        sessions = (
            Session.objects.order_by()
            .select_related("user")
            .annotate(**{f"has_{codename}": _has_permission(codename) for codename in permissions})
        )
        self.sessions = CompiledQuery(sessions.filter(pk=Placeholder("pk", Session._meta.pk)))

    def __call__(self, request: HttpRequest) -> Caller | str | None:
        if (
            self.is_public
            and settings.SHOP_PUBLIC_CATALOG
            and "Authorization" not in request.headers
        ):
            check_rate("api", client_ip(request))
            return "anonymous"
        return super().__call__(request)

    def authenticate(self, request: HttpRequest, token: str) -> Caller:  # noqa: ARG002 - ninja's
        """Return the caller. Raises InvalidToken, TokenExpired, Forbidden or TooManyCalls."""
        claims = tokens.read_token(token, "access")
        session = next(iter(self.sessions(pk=claims.session_id)), None)
        if session is None or not session.is_live(timezone.now()):
            raise InvalidToken
        if not session.successor_used and claims.token_id == tokens.access_token_id(session):
            record_successor_use(session)
        check_rate("api", str(session.user_id))

        user = session.user
        granted = frozenset(
            codename
            for codename in self.permissions
            if user.is_staff and (user.is_superuser or getattr(session, f"has_{codename}"))
        )
        is_staff = bool(self.deciding & granted)
        if self.staff_only and not is_staff:
            raise Forbidden
        return Caller(user, session, is_staff, granted)


def _has_permission(codename: str) -> Case:
    """Return the equivalent of `user.has_perm`, as an expression on sessions; false for customers.

    The database doesn't look for the permissions of customers, who call most.
    """
    granted = Q(user=OuterRef("user")) | Q(group__user=OuterRef("user"))
    permissions = Permission.objects.filter(
        granted, content_type__app_label="shop", codename=codename
    )
    return Case(When(user__role=User.Role.ADMIN, then=Exists(permissions)), default=False)


signed_in = Bearer()
catalogue_reader = Bearer(is_public=True)


def staff_with(permission: str, *others: str) -> Bearer:
    """Admit only admins with this permission, such as `change_product`; read the others too."""
    return Bearer(permission, *others, staff_only=True)


def staff_with_any(*permissions: str) -> Bearer:
    """Admit only admins with one of these permissions at least."""
    return Bearer(*permissions, staff_only=True, any_of=True)


def customer_or_staff(*permissions: str) -> Bearer:
    """Admit every user; an admin with the first permission counts as staff."""
    return Bearer(*permissions)
