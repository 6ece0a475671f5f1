"""Parsing of prices, quantities and yes/no. The file's prices, no locale, decide what 1,800 is."""

import re
from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from shop.money import DECIMAL_PLACES
from shop.product_files.reading.limits import quote_text

DECIMAL_MARKS = ".,"
#: Returned for a number such as 1,800, whose mark can separate thousands or decimals.
AMBIGUOUS = "?"
MAX_NUMBER_LENGTH = 60
MAX_QUANTITY_DIGITS = 15

#: Matches nearly every cell; all other patterns are for the rest.
_SIMPLE_PRICE = re.compile(r"([0-9]{1,12})(?:([.,])([0-9]{1,2}))?")
_CURRENCY_SIGN = "[$€£¥₹₽₺₩₪₫₴₦₱฿₡₲₵₸¢]?"
_CURRENCY_CODE = r"(?:(?:[a-z]{2,3}|zł|kč|euros?|dollars?|francs?)\.?)?"
#: An amount with an optional currency on either side, and `,-` for no cents.
_PRICE = re.compile(
    rf"{_CURRENCY_CODE} ?{_CURRENCY_SIGN} ?(?P<number>[0-9.,' ]*[0-9][0-9.,' ]*?)"
    rf"(?P<no_cents>[.,]-{{1,2}})? ?{_CURRENCY_SIGN} ?{_CURRENCY_CODE}"
)
_NEGATIVE = re.compile(r"[^0-9]*-[^0-9]*[0-9].*|\(.*[0-9].*\)|.*[0-9] ?-")
#: Digits in groups of three with one separator, or without any.
_WHOLE_PART = re.compile(r"[0-9]*|[0-9]{1,3}([.,' ])[0-9]{3}(?:\1[0-9]{3})*")
_ONE_THOUSANDS_GROUP = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_QUANTITY = re.compile("[0-9][0-9.,' ]*")
_PUNCTUATION = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "`": "'", "\u2212": "-", "\u2013": "-", "\u2014": "-"}
)

_TRUE_WORDS = (
    "yes y true t 1 on x active enabled published visible ja wahr aktiv oui o vrai actif publié"
)
_FALSE_WORDS = (
    "no n false f 0 off inactive disabled archived draft hidden unpublished private"
    " nein falsch inaktiv entwurf non faux inactif brouillon"
)
_BOOLEANS = dict.fromkeys(_TRUE_WORDS.split(), True) | dict.fromkeys(_FALSE_WORDS.split(), False)


def detect_decimal_mark(prices: Iterable[str]) -> str | None:
    """Return the decimal mark of a file's prices, "." or ",".

    Returns None if staff must choose: the prices are all ambiguous, such as 1,800, or contradict
    each other equally often.
    """
    votes = dict.fromkeys(DECIMAL_MARKS, 0)
    is_ambiguous = False
    for text in prices:
        if simple := _SIMPLE_PRICE.fullmatch(text):
            mark = simple[2]
        elif price := _PRICE.fullmatch(_normalize_number(text)):
            no_cents = price["no_cents"]
            mark = no_cents[0] if no_cents else _decimal_mark_of(price["number"].strip())
        else:
            continue
        if mark in votes:
            votes[mark] += 1
        is_ambiguous = is_ambiguous or mark == AMBIGUOUS
    if votes["."] == votes[","]:
        return None if is_ambiguous or votes["."] else "."
    return max(votes, key=votes.__getitem__)


def _decimal_mark_of(number: str) -> str:
    """Return the number's decimal mark, "" if it has none, or AMBIGUOUS."""
    dots, commas = number.count("."), number.count(",")
    if dots and commas:
        return "." if number.rfind(".") > number.rfind(",") else ","
    if dots + commas > 1:
        return "," if dots else "."
    mark = "." if dots else "," if commas else ""
    is_ambiguous = mark and _ONE_THOUSANDS_GROUP.fullmatch(number.replace(mark, "."))
    return AMBIGUOUS if is_ambiguous else mark


def parse_price(text: str, *, point: str) -> Decimal:
    """Return an amount with two decimals. `point` is the file's decimal mark.

    Raises ValueError with a message for staff.
    """
    if (simple := _SIMPLE_PRICE.fullmatch(text)) and simple[2] in {point, None}:
        return Decimal(f"{simple[1]}.{simple[3] or '':0<{DECIMAL_PLACES}}")
    normalized = _normalize_number(text)
    if not normalized:
        raise ValueError(_("The price is missing."))
    params = {"value": quote_text(text), "example": f"12{point}50", "mark": point}
    if _NEGATIVE.fullmatch(normalized):
        raise ValueError(_("%(value)s is negative. Write 0 or more.") % params)
    price = _PRICE.fullmatch(normalized) if len(normalized) <= MAX_NUMBER_LENGTH else None
    if not price:
        raise ValueError(_("%(value)s isn't a price. Write it like %(example)s.") % params)
    whole, mark, decimals = price["number"].strip().partition(point)
    digits = re.sub("[^0-9]", "", whole)
    has_cents_twice = mark and price["no_cents"]
    is_amount = _WHOLE_PART.fullmatch(whole) and (not decimals or decimals.isdigit())
    if not is_amount or has_cents_twice or not (digits or decimals):
        message = _(
            "%(value)s doesn't fit this file, whose decimal mark is “%(mark)s”."
            " Write it like %(example)s."
        )
        raise ValueError(message % params)
    if len(decimals.rstrip("0")) > DECIMAL_PLACES:
        raise ValueError(_("%(value)s has too many decimals. Write it like %(example)s.") % params)
    return Decimal(f"{digits or 0}.{decimals[:DECIMAL_PLACES]:0<{DECIMAL_PLACES}}")


def parse_quantity(text: str) -> int:
    """Return a whole number of 0 or more.

    Raises ValueError with a message for staff, also for 3.7 and for the ambiguous 1.000.
    """
    if len(text) <= MAX_QUANTITY_DIGITS and text.isdecimal() and text.isascii():
        return int(text)
    normalized = _normalize_number(text)
    if not normalized:
        raise ValueError(_("The number is missing."))
    params = {"value": quote_text(text)}
    if _NEGATIVE.fullmatch(normalized):
        raise ValueError(_("%(value)s is negative. Write 0 or more.") % params)
    mark = _decimal_mark_of(normalized)
    is_number = _QUANTITY.fullmatch(normalized) and len(normalized) <= MAX_NUMBER_LENGTH
    if is_number and mark == AMBIGUOUS:
        message = _("%(value)s can be read in two ways. Write it without a point or comma.")
        raise ValueError(message % params)
    whole, _mark, decimals = normalized.partition(mark or "|")
    if not is_number or not _WHOLE_PART.fullmatch(whole) or decimals.strip("0"):
        raise ValueError(_("%(value)s isn't a whole number. Write it like 12.") % params)
    digits = re.sub("[^0-9]", "", whole).lstrip("0") or "0"
    if len(digits) > MAX_QUANTITY_DIGITS:
        raise ValueError(_("%(value)s is too large. Write a smaller number.") % params)
    return int(digits)


def parse_integer(text: str) -> int:
    """Return a whole number, which may have a minus before it. Raises ValueError like the above."""
    normalized = _normalize_number(text)
    is_negative = normalized.startswith("-")
    return -parse_quantity(normalized[1:]) if is_negative else parse_quantity(text)


def parse_boolean(text: str) -> bool:
    """Return the meaning of a yes/no cell in English, German, French, digits or shop terms.

    Raises ValueError with a message for staff.
    """
    word = text.strip().casefold()
    if word not in _BOOLEANS:
        message = _("%(value)s is neither yes nor no. Write “yes” or “no”.")
        raise ValueError(message % {"value": quote_text(text)})
    return _BOOLEANS[word]


def _normalize_number(text: str) -> str:
    """Return the text in lower case, with single spaces and ASCII hyphens and apostrophes."""
    return " ".join(text[: 10 * MAX_NUMBER_LENGTH].translate(_PUNCTUATION).casefold().split())
