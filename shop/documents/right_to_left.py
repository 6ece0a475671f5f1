"""Put Arabic and Hebrew text in drawing order, with the Arabic letters joined.

This is the part of the Unicode Bidirectional Algorithm (https://www.unicode.org/reports/tr9/) that
names and addresses need. Explicit embeddings are not supported: `shop.text_validation` refuses
their control characters. Letters are joined by Unicode's presentation forms. Unlike in the
standard, a number range such as 12-14 keeps its order.
"""

import re
import unicodedata
from functools import cache
from itertools import pairwise

RIGHT_TO_LEFT = frozenset({"R", "AL"})
STRONG, NUMBERS = RIGHT_TO_LEFT | {"L"}, frozenset({"EN", "AN"})
# Units that keep their inner order: a number with its separators, a character with its marks.
CLUSTER = re.compile(r"\d+(?:[.,:/+-]\d+)*|.[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]*")
ARABIC_UNIT = re.compile(
    "\u0644[\u0622\u0623\u0625\u0627]|.", re.DOTALL
)  # lam and alef are one glyph
# By whether the letter is joined to the one before and to the one after.
POSITIONS = {(0, 0): "<isolated>", (1, 0): "<final>", (0, 1): "<initial>", (1, 1): "<medial>"}
MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")
TATWEEL = "\u0640"


def has_right_to_left(text: str) -> bool:
    """Whether the text has a character that is written from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(c) in RIGHT_TO_LEFT for c in text)


def to_drawing_order(line: str) -> str:
    """Return the line's characters in the order in which they stand from left to right."""
    clusters = CLUSTER.findall(join_arabic_letters(line))
    levels = _embedding_levels([unicodedata.bidirectional(cluster[0]) for cluster in clusters])
    for index, level in enumerate(levels):
        if level == 1:
            clusters[index] = clusters[index].translate(MIRRORED)

    for lowest in (2, 1):
        ends = [-1, *(i for i, level in enumerate(levels) if level < lowest), len(levels)]
        for before, end in pairwise(ends):
            clusters[before + 1 : end] = reversed(clusters[before + 1 : end])
    return "".join(clusters)


def join_arabic_letters(text: str) -> str:
    """Replace Arabic letters by the presentation forms that join them to their neighbours."""
    forms = _presentation_forms()
    units = ARABIC_UNIT.findall(text)
    letters = [index for index, unit in enumerate(units) if not unicodedata.combining(unit[0])]

    def joins(first: int, second: int) -> bool:
        to_next = (units[first], "<initial>") in forms or units[first] == TATWEEL
        return to_next and ((units[second], "<final>") in forms or units[second] == TATWEEL)

    joints = {pair for pair in pairwise(letters) if joins(*pair)}
    before, after = ({pair[side] for pair in joints} for side in (0, 1))
    return "".join(
        forms.get((unit, POSITIONS[index in after, index in before]), unit)
        for index, unit in enumerate(units)
    )


@cache
def _presentation_forms() -> dict[tuple[str, str], str]:
    """Return the presentation form of each letter (or lam with alef) and position."""
    forms = {}
    for code in (*range(0xFB50, 0xFC00), *range(0xFE70, 0xFEFD)):
        form, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        forms["".join(chr(int(letter, 16)) for letter in letters), form] = chr(code)
    return forms


def _embedding_levels(classes: list[str]) -> list[int]:
    """Return 0 for left-to-right, 1 for right-to-left, 2 for left-to-right inside the latter."""
    base = int(next((c for c in classes if c in STRONG), "L") in RIGHT_TO_LEFT)
    current = base
    directions: list[int | None] = []
    for bidi_class in classes:
        if bidi_class in STRONG:
            current = int(bidi_class in RIGHT_TO_LEFT)
        directions.append(current if bidi_class in STRONG | NUMBERS else None)

    resolved = [base]
    for index, direction in enumerate(directions):
        following = next((d for d in directions[index:] if d is not None), base)
        resolved.append(following if following in {direction, resolved[-1]} else base)
    return [
        1 + (bidi_class in NUMBERS) if direction else 2 * base
        for bidi_class, direction in zip(classes, resolved[1:], strict=True)
    ]
