"""Numbers as people write them. No locale decides: the file's own prices do, or a person is asked."""

import re
from collections.abc import Iterable
from decimal import Decimal

from shop.money import DIGITS
from shop.product_files.reading.limits import quote_text

POINTS = ".,"
LONGEST = 60
MAX_DIGITS = 15

#: What nearly every cell is like; the rest of this file is for the others.
_COMMON = re.compile(r"([0-9]{1,12})(?:([.,])([0-9]{1,2}))?")
_SIGN = "[$€£¥₹₽₺₩₪₫₴₦₱฿₡₲₵₸¢]?"
_MARK = r"(?:(?:[a-z]{2,3}|zł|kč|euros?|dollars?|francs?)\.?)?"
#: An amount, perhaps between a currency's sign and letters, perhaps with `,-` for no cents.
_SHAPE = re.compile(
    rf"{_MARK} ?{_SIGN} ?(?P<number>[0-9.,' ]*[0-9][0-9.,' ]*?)(?P<none>[.,]-{{1,2}})? ?{_SIGN} ?{_MARK}"
)
_NEGATIVE = re.compile(r"[^0-9]*-[^0-9]*[0-9].*|\(.*[0-9].*\)|.*[0-9] ?-")
#: Digits in threes, all parted by one sign, or none parted at all.
_WHOLE = re.compile(r"[0-9]*|[0-9]{1,3}([.,' ])[0-9]{3}(?:\1[0-9]{3})*")
_LIKE_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_ODD_SIGNS = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "`": "'", "\u2212": "-", "\u2013": "-", "\u2014": "-"}
)

_YES = "yes y true t 1 on x active enabled published visible ja wahr aktiv oui o vrai actif publié"
_NO = (
    "no n false f 0 off inactive disabled archived draft hidden unpublished private nein falsch inaktiv "
    "entwurf non faux inactif brouillon"
)
_ANSWERS = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)


def detect_decimal_mark(prices: Iterable[str]) -> str | None:
    """The decimal sign of a file's prices.

    None means that a person has to say: every price that could tell is like 1,800, or as many speak for one
    sign as for the other.
    """
    votes = dict.fromkeys(POINTS, 0)
    is_open = False
    for text in prices:
        if common := _COMMON.fullmatch(text):
            sign = common[2]
        elif shape := _SHAPE.fullmatch(_plain(text)):
            sign = shape["none"][0] if shape["none"] else _point(shape["number"].strip())
        else:
            continue
        if sign in votes:
            votes[sign] += 1
        is_open = is_open or sign == "?"
    if votes["."] == votes[","]:
        return None if is_open or votes["."] else "."
    return max(votes, key=votes.__getitem__)


def _point(number: str) -> str:
    """Which sign is the decimal one in this number; "?" where it can be either, "" where there is none."""
    dots, commas = number.count("."), number.count(",")
    if dots and commas:
        return "." if number.rfind(".") > number.rfind(",") else ","
    if dots + commas > 1:
        return "," if dots else "."
    sign = "." if dots else "," if commas else ""
    whole, _, decimals = number.partition(sign or " ")
    return "?" if sign and _LIKE_THOUSANDS.fullmatch(f"{whole}.{decimals}") else sign


def parse_price(text: str, *, point: str) -> Decimal:
    """An amount with two decimals; `point` is the file's decimal sign. ValueError says what is wrong."""
    if (common := _COMMON.fullmatch(text)) and common[2] in {point, None}:
        return Decimal(f"{common[1]}.{common[3] or '':0<{DIGITS}}")
    plain = _plain(text)
    if not plain:
        raise ValueError("The price is missing.")
    example = f"Write it like 12{point}50."
    if _NEGATIVE.fullmatch(plain):
        raise ValueError(f"{quote_text(text)} is negative, which a price cannot be.")
    shape = _SHAPE.fullmatch(plain) if len(plain) <= LONGEST else None
    if not shape:
        raise ValueError(f"{quote_text(text)} is no price. {example}")
    whole, sign, decimals = shape["number"].strip().partition(point)
    digits = re.sub("[^0-9]", "", whole)
    is_amount = _WHOLE.fullmatch(whole) and (
        not decimals or (decimals.isdigit() and not shape["none"])
    )
    if not is_amount or not (digits or decimals) or (sign and shape["none"]):
        raise ValueError(
            f"{quote_text(text)} does not fit the file, whose decimal sign is “{point}”. {example}"
        )
    if len(decimals.rstrip("0")) > DIGITS:
        raise ValueError(f"{quote_text(text)} has more than two decimals. {example}")
    return Decimal(f"{digits or 0}.{decimals[:DIGITS]:0<{DIGITS}}")


def parse_quantity(text: str) -> int:
    """A number of pieces. ValueError says what is wrong; 3.7 and 1.000 are never guessed at."""
    if len(text) <= MAX_DIGITS and text.isdecimal() and text.isascii():
        return int(text)
    plain = _plain(text)
    if not plain:
        raise ValueError("The number is missing.")
    if _NEGATIVE.fullmatch(plain):
        raise ValueError(f"{quote_text(text)} is negative, which a stock cannot be.")
    if not re.fullmatch("[0-9][0-9.,' ]*", plain) or len(plain) > LONGEST:
        raise ValueError(f"{quote_text(text)} is no whole number. Write it like 12.")
    sign = _point(plain)
    if sign == "?":
        raise ValueError(
            f"{quote_text(text)} can be read in two ways. Write it without a point or comma."
        )
    whole, _, decimals = plain.partition(sign) if sign else (plain, "", "")
    if not _WHOLE.fullmatch(whole) or decimals.strip("0"):
        raise ValueError(f"{quote_text(text)} is no whole number. Write it like 12.")
    digits = re.sub("[^0-9]", "", whole).lstrip("0") or "0"
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"{quote_text(text)} is more than there can be of anything.")
    return int(digits)


def parse_boolean(text: str) -> bool:
    """Yes or no in English, German or French, in digits, or as shops say it. ValueError for another word."""
    word = text.strip().casefold()
    if word not in _ANSWERS:
        raise ValueError(f"{quote_text(text)} is neither yes nor no. Write one of the two.")
    return _ANSWERS[word]


def _plain(text: str) -> str:
    """Small letters, one kind of blank, one kind of hyphen and apostrophe."""
    return " ".join(text[: 10 * LONGEST].translate(_ODD_SIGNS).casefold().split())
