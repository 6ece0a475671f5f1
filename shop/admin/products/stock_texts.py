"""What the scripts of "Receive goods" and "Count stock" say, translated, with plural forms."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from shop.models.order_status import Text

#: Numbers of which each language has at least one for each of its plural forms. The script takes
#: the text of the one that `Intl.PluralRules` puts in the same category as its own number.
PLURAL_EXAMPLES = (0, 1, 2, 3, 5, 11, 100)
#: The scripts fill these in.
PLACEHOLDERS = {name: f"%({name})s" for name in ("count", "units")}

TEXTS: dict[str, Text] = {
    "unknown": _("No product has the code “%(code)s”."),
    "chooseOne": _("No product has the code “%(code)s”. Choose one from the list."),
    "unreachable": _(
        "The shop can't be reached, or you are signed out. Your rows are kept. Try again."
    ),
    "full": _("The table is full. Send it before you add more products."),
    "remove": _("Remove %(name)s"),
    "removed": _("%(name)s removed."),
    "invalid": _("Enter a whole number from 0 to %(max)s."),
    "restored": _("Draft of %(time)s restored."),
    "cameraOn": _("Hold a barcode in front of the camera."),
    "cameraRefused": _("The camera can't be used. Allow it in the browser's settings."),
}
PLURALS: dict[str, Text] = {
    "linesAdded": ngettext_lazy(
        "%(count)s product was added.", "%(count)s products were added.", "number"
    ),
    "linesLeft": ngettext_lazy(
        "%(count)s line was not found or can't be read, and is still in the box.",
        "%(count)s lines were not found or can't be read, and are still in the box.",
        "number",
    ),
}
RECEIVE_TEXTS: dict[str, Text] = {
    "nothing": _("Receive goods"),
    "added": _("%(name)s: %(quantity)s received, %(after)s after."),
    "quantity": _("Units of %(name)s received"),
}
RECEIVE_PLURALS: dict[str, Text] = {
    "button": ngettext_lazy(
        "Receive %(units)s units of %(count)s product",
        "Receive %(units)s units of %(count)s products",
        "number",
    ),
    "buttonOfOne": ngettext_lazy(
        "Receive %(units)s unit of 1 product", "Receive %(units)s units of 1 product", "number"
    ),
}
COUNT_TEXTS: dict[str, Text] = {
    "nothing": _("Review counts"),
    "added": _("%(name)s: %(stock)s expected. Enter the number counted."),
    "counted": _("%(name)s: %(quantity)s counted."),
    "quantity": _("Units of %(name)s counted"),
}
COUNT_PLURALS: dict[str, Text] = {
    "button": ngettext_lazy("Review %(count)s count", "Review %(count)s counts", "number"),
}


def script_texts(*, is_count: bool) -> dict[str, str | dict[int, str]]:
    """Return the texts of one page by name; of those with a number, the forms by example."""
    texts = TEXTS | (COUNT_TEXTS if is_count else RECEIVE_TEXTS)
    plurals = PLURALS | (COUNT_PLURALS if is_count else RECEIVE_PLURALS)
    return {
        **{name: str(text) for name, text in texts.items()},
        **{
            name: {number: text % {"number": number, **PLACEHOLDERS} for number in PLURAL_EXAMPLES}
            for name, text in plurals.items()
        },
    }
