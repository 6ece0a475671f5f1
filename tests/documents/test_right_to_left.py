import unicodedata

import pytest

from shop.documents.right_to_left import (
    has_right_to_left,
    join_arabic_letters,
    to_drawing_order,
)


@pytest.mark.parametrize(
    ("line", "drawn"),
    [
        ("1 Fern Road", "1 Fern Road"),
        ("", ""),
        ("אבג", "גבא"),
        ("אב גד", "דג בא"),
        ("רחוב 15", "15 בוחר"),
        ("רחוב 12-14 א", "א 12-14 בוחר"),
        ("אב (קומה 2)", "(2 המוק) בא"),
        ("אב Kew Road גד", "דג Kew Road בא"),
        ("Kew אב גד Road", "Kew דג בא Road"),
        ("Kew אב 12", "Kew 12 בא"),
        ("שָׁלוֹם", "םוֹלשָׁ"),
    ],
)
def test_drawing_order(line, drawn):
    assert to_drawing_order(line) == drawn


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("محمد", ["initial", "medial", "medial", "final"]),
        ("دار", ["", "", ""]),
        ("بيت", ["initial", "medial", "final"]),
        ("پارک", ["initial", "final", "", ""]),
        ("الله", ["", "initial", "medial", "final"]),
        ("بُب", ["initial", "", "final"]),
        ("بـب", ["initial", "", "final"]),
        ("ب\u200cب", ["", "", ""]),
        ("سلام", ["initial", "final", ""]),
    ],
)
def test_arabic_letters_are_joined(word, forms):
    joined = join_arabic_letters(word)
    tags = [unicodedata.decomposition(c).partition(" ")[0].strip("<>") for c in joined]
    assert [tag.replace("isolated", "") for tag in tags] == forms
    assert unicodedata.normalize("NFKC", joined) == word


def test_line_feeds_are_kept():
    assert join_arabic_letters("بب\nبب").count("\n") == 1


def test_scripts():
    assert [has_right_to_left(text) for text in ("Kew", "Łódź 東京", "Kew א", "مكة")] == [
        False,
        False,
        True,
        True,
    ]
