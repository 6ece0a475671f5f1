"""Lists answer any query string and selection: what the database can't evaluate is refused."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import BadRequest, EmptyResultSet, ValidationError
from django.db import DataError, models
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from shop.admin.filters import model_filters
from shop.models.order_status import Text

#: Lookups that a query string may not use: a regular expression can run for minutes or be invalid,
#: and a range needs two values, which a query string can't give.
DENIED_LOOKUPS = frozenset({"regex", "iregex", "range"})
#: Columns without a text that could name a record.
NO_TITLES = frozenset({"action_checkbox", "picture"})


class CheckedChangeList(ChangeList):  # type: ignore[misc]
    """Shows no rows under filters that can't be read, and `filter_errors` in their place.

    Raises IncorrectLookupParameters for values that the database can't compare. Django does so only
    for values that it refuses while it builds the queryset, not for such as `created_at__year=0`,
    which fail when it is compiled or run. Django then redirects to `?e=1`, which is an error too.
    """

    filter_errors: Sequence[str] = ()
    #: Whether a tab above the list says how many rows there are.
    is_counted_by_tab = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django's is "Select order to view"; the menu and the breadcrumb have this one.
        self.title = capfirst(self.opts.verbose_name_plural)

    @property
    def card_title(self) -> str:
        """Return the column that is the title of a card."""
        names = (getattr(column, "__name__", str(column)) for column in self.list_display)
        first = next((name for name in names if name not in NO_TITLES), "")
        return str(self.model_admin.card_title or first)

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            queryset: models.QuerySet[Any] = super().get_queryset(request, *args, **kwargs)
            self.filter_errors = list(self._find_filter_errors(request))
            if self.filter_errors:
                return self.root_queryset.none()
            if request.GET:
                queryset.query.sql_with_params()
        except EmptyResultSet:
            pass
        # A text is compared with a duration, say, as if it were one.
        except (DataError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise IncorrectLookupParameters(error) from error
        return queryset

    def _find_filter_errors(self, request: HttpRequest) -> Iterator[str]:
        for spec in getattr(self, "filter_specs", ()):
            yield from getattr(spec, "errors", ())
        if ERROR_FLAG in request.GET:
            yield _("The filters in the address of this page can't be read.")

    def get_results(self, request: HttpRequest) -> None:
        try:
            self.read_results(request)
        except (DataError, ArithmeticError) as error:
            raise IncorrectLookupParameters(error) from error
        except IncorrectLookupParameters:  # there is no such page
            self.page_num = 1
            self.read_results(request)

    def read_results(self, request: HttpRequest) -> None:
        """Read the requested page, as Django's `get_results` does."""
        super().get_results(request)


class CheckedListAdmin(ModelAdmin):  # type: ignore[misc]
    """A model admin whose list is a CheckedChangeList and whose actions check the selection.

    Filters that `list_filter` names without a class are those of `shop.admin.filters`.
    """

    list_filter_submit = True
    # On a phone, cards leave it out.
    empty_value_display = '<span class="shop-no-value">-</span>'
    #: On a phone, a row is a card: the column that is its title, by default the first with a text,
    #: and the one in its corner. The other columns follow with their names, see `lists.css`.
    card_title = ""
    card_corner = ""
    #: Field -> the title of its filter, where the field's name would be odd.
    filter_titles: Mapping[str, Text] = MappingProxyType({})

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        classes = model_filters(self.model)
        return [
            (item, classes[item]) if isinstance(item, str) and item in classes else item
            for item in super().get_list_filter(request)
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CheckedChangeList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the record or None. An empty `?_to_field=` counts as none."""
        return super().get_object(request, object_id, from_field or None)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        if lookup.rpartition("__")[2] in DENIED_LOOKUPS:
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Run the action. Raises BadRequest for two actions, or a key that no record can have."""
        if len(request.POST.getlist("action")) > 1:
            raise BadRequest("More than one action.")
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.clean(key, None)
            except ValidationError as error:
                raise BadRequest("A selected key is malformed.") from error
        return super().response_action(request, *args, **kwargs)
