"""Who is calling: one query reads the token's session, its user and, for staff, the right that is needed."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from shop.api import tokens
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import Session, User
from shop.services.errors import InvalidToken, ShopError
from shop.throttling import check_rate, client_ip


class Forbidden(ShopError):
    """The call is for staff with the right to it."""

    code, message = "forbidden", "This call is for staff with the right to it."


@dataclass(frozen=True)
class Caller:
    """A signed-in user. `is_staff` says that they are an admin with the right that the call names.

    `rights` are those that they hold of all that the call asks about.
    """

    user: User
    session: Session
    is_staff: bool
    rights: frozenset[str] = frozenset()


class ApiRequest(HttpRequest):
    """A request that has passed `Bearer`."""

    auth: Caller


class Bearer(HttpBearer):
    """Admits a live session, as a customer's or, with the first of `permissions`, as staff's.

    `staff_only` refuses everyone else (403). `is_public` lets those without a token in where
    SHOP_PUBLIC_CATALOG says so.
    """

    def __init__(
        self, *permissions: str, staff_only: bool = False, is_public: bool = False
    ) -> None:
        super().__init__()
        self.permissions = permissions
        self.staff_only = staff_only
        self.is_public = is_public
        sessions = (
            Session.objects.order_by()
            .select_related("user")
            .annotate(**{f"may_{right}": _has_right(right) for right in permissions})
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
        """The caller; raises InvalidToken, TokenExpired, Forbidden, TooManyCalls."""
        claims = tokens.read_token(token, "access")
        session = next(iter(self.sessions(pk=claims.session_id)), None)
        if session is None or not session.is_live(timezone.now()):
            raise InvalidToken
        check_rate("api", str(session.user_id))
        user = session.user
        rights = frozenset(
            right
            for right in self.permissions
            if user.is_staff and (user.is_superuser or getattr(session, f"may_{right}"))
        )
        is_staff = self.permissions[0] in rights if self.permissions else user.is_staff
        caller = Caller(user, session, is_staff, rights)
        if self.staff_only and not caller.is_staff:
            raise Forbidden
        return caller


def _has_right(permission: str) -> Exists:
    """What `user.has_perm` would answer, as a part of the one query."""
    owned = Q(user=OuterRef("user")) | Q(group__user=OuterRef("user"))
    return Exists(
        Permission.objects.filter(owned, content_type__app_label="shop", codename=permission)
    )


signed_in = Bearer()
catalogue_reader = Bearer(is_public=True)


def staff(permission: str) -> Bearer:
    """Admins with this right only, such as `change_product`."""
    return Bearer(permission, staff_only=True)


def customer_or_staff(*permissions: str) -> Bearer:
    """Everybody signed in; admins with the first of these rights are seen as staff."""
    return Bearer(*permissions)
