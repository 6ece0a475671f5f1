"""What a page says after it has changed many products."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop.models import ChangeSet

Kind = ChangeSet.Kind


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
