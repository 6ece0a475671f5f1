"""What a change of many products says about its result."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shop.models import ChangeSet

Kind = ChangeSet.Kind
#: Key of `result` -> its label in the list.
RESULT_LABELS = {
    "new": gettext_lazy("New"),
    "changed": gettext_lazy("Changed"),
    "left_out": gettext_lazy("Left out"),
    "pictures": gettext_lazy("Pictures"),
    "created": gettext_lazy("Created"),
    "removed": gettext_lazy("Removed"),
    "restored": gettext_lazy("Restored"),
    "not_undone": gettext_lazy("Not undone"),
    "created_kept": gettext_lazy("Kept"),
}


def result_message(change_set: ChangeSet) -> SafeString:
    """Return what was changed, with a link to the page on which it can be undone."""
    return format_html(
        '{} <a class="shop-link" href="{}">{}</a>',
        describe_result(change_set),
        reverse("admin:shop_changeset_change", args=[change_set.pk]),
        _("Show or undo it"),
    )


def describe_result(change_set: ChangeSet) -> str:
    """Return what a change set that was made on a page has changed."""
    count = change_set.result["changed"]
    numbers = {"count": f"{count:,}"}
    match Kind(change_set.kind):
        case Kind.PRICES:
            text = ngettext("%(count)s price changed.", "%(count)s prices changed.", count)
        case Kind.RECEIPT:
            units = change_set.result["units"]
            numbers["units"] = f"{units:,}"
            text = ngettext(
                "%(units)s unit received. Products: %(count)s.",
                "%(units)s units received. Products: %(count)s.",
                units,
            )
        case Kind.COUNT:
            text = ngettext(
                "The stock of %(count)s product was corrected.",
                "The stock of %(count)s products was corrected.",
                count,
            )
        case _:
            text = ngettext("%(count)s product changed.", "%(count)s products changed.", count)
            if change_set.kind == Kind.VISIBILITY:
                return f"{change_set}: {text % numbers}"
    return text % numbers


def summarize_result(change_set: ChangeSet) -> str:
    """Return the result in a few words, for a list."""
    if change_set.kind != Kind.FILE and change_set.state == ChangeSet.State.APPLIED:
        return describe_result(change_set)
    return join_counts(change_set.result, RESULT_LABELS)


def join_counts(counts: dict[str, int], labels: Mapping[str, Any]) -> str:
    """Join the counts above zero, such as "New 3 · Changed 1"."""
    shown = [(label, counts.get(key)) for key, label in labels.items()]
    return " · ".join(f"{label} {count:,}" for label, count in shown if count)
