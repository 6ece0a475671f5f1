"""Python, SQLite and PostgreSQL fold texts alike, and sort names alike."""

import unicodedata

import pytest
from django.db import connection
from django.db.models import Value
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from shop.db.search_text import FoldedText
from shop.db.text_folding import DROPPED_RANGES, compare_names, fold_search_text
from shop.models import Product, User

#: Characters that every version of Unicode in use treats alike. The database can't store NUL.
CHARACTERS = [
    character
    for character in map(chr, range(1, 0x110000))
    if unicodedata.ucd_3_2_0.category(character) not in {"Cn", "Co", "Cs"}
]
FOLDED = {
    "Crème Brûlée": "creme brulee",
    "CRE\u0300ME": "creme",
    "Straße STRAẞE": "strasse strasse",
    "Smørrebrød": "smorrebrod",
    "Łódź, Đakovo": "lodz, dakovo",
    "İstanbul \u0131stanbul": "istanbul istanbul",
    "Œuf Æon þing": "oeuf aeon thing",
    "ΟΔΌΣ ὁδός": "οδοσ οδοσ",
    "Ёжик": "ежик",
    "ﬁne m² №5 ½": "fine m2 no5 1\u20442",
    "O\u2019Neill – “co\u00adop”": 'o\'neill - "coop"',
    "می\u200cخواهم": "میخواهم",  # noqa: RUF001 - Persian
    "❤\ufe0f": "❤",
    "각 が": "각 が",
    "ABC 100%_\\\n": "abc 100%_\\\n",
    "": "",
}
IN_ORDER = [
    "(a)",
    "#1",
    "10",
    "2",
    "a b",
    "a-b",
    "ab",
    "apfel",
    "Apfel",
    "äpfel",
    "apple",
    "Apple",
    "cote",
    "coté",
    "côte",
    "côté",
    "Éclair",
    "eel",
    "Łódź",
    "lodz a",
    "oeuf",
    "œuf",
    "ore",
    "Øre",
    "strasse",
    "Strasse",
    "Straße",
    "Zebra",
    "Ωmega",
    "алфа",
    "еж",
    "ёж",
    "Яблоко",
    "שלום",
    "日本",
]


def folded_by_database(text):
    return (
        Product.objects.annotate(folded=FoldedText(Value(text)))
        .values_list("folded", flat=True)
        .get()
    )


@pytest.mark.parametrize("text", FOLDED, ids=ascii)
def test_the_folded_text(mug, text):
    assert (fold_search_text(text), folded_by_database(text)) == (FOLDED[text], FOLDED[text])


def test_each_character_is_folded_as_in_the_database(mug):
    text = " ".join(CHARACTERS)
    folded = folded_by_database(text).split(" ")
    expected = fold_search_text(text).split(" ")
    assert [pair for pair in zip(folded, expected, strict=True) if pair[0] != pair[1]] == []


@given(st.text(st.sampled_from(CHARACTERS)))
def test_folding_twice_changes_nothing(text):
    folded = fold_search_text(text)
    assert fold_search_text(folded) == folded
    assert not any(first <= ord(c) <= last for c in folded for first, last in DROPPED_RANGES)


class DatabaseTest(TestCase):
    def setUp(self):
        Product.objects.create(name="Mug", price=1)

    @given(st.text(st.sampled_from(CHARACTERS)))
    def test_a_text_is_folded_as_in_the_database(self, text):
        assert folded_by_database(text) == fold_search_text(text)


names = st.text(st.sampled_from("abAB äÄßsS-.1\u0308"), max_size=5)


@example("a", "A", "\u00e4")
@example("\u00e4", "a\u0308", "ss")
@example("\u00df", "ss", "SS")
@given(names, names, names)
def test_the_order_of_names_is_total(first, second, third):
    assert (compare_names(first, second) == 0) is (first == second)
    assert compare_names(first, second) == -compare_names(second, first)
    if compare_names(first, second) < 0 and compare_names(second, third) < 0:
        assert compare_names(first, third) < 0


@pytest.mark.django_db
def test_the_database_sorts_names():
    Product.objects.bulk_create(
        Product(name=name, sku=f"S{n}", price=1) for n, name in enumerate(reversed(IN_ORDER))
    )
    User.objects.bulk_create(
        User(email=f"{n}@a.example", first_name=name, last_name=name)
        for n, name in enumerate(reversed(IN_ORDER))
    )
    assert list(Product.objects.order_by("name").values_list("name", flat=True)) == IN_ORDER
    for field in ("first_name", "last_name"):
        assert list(User.objects.order_by(field).values_list(field, flat=True)) == IN_ORDER
    assert list(Product.objects.filter(name="apfel").values_list("name", flat=True)) == ["apfel"]


@pytest.mark.django_db
def test_skus_are_sorted_regardless_of_case():
    for sku in ("b-1", "A-2", "C-3", "a-1"):
        Product.objects.create(name="Mug", sku=sku, price=1)
    in_order = ["a-1", "A-2", "b-1", "C-3"]
    assert list(Product.objects.order_by("sku").values_list("sku", flat=True)) == in_order


@pytest.mark.django_db
def test_a_page_by_name_is_read_from_the_index():
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    page = Product.objects.order_by("name", "id").values_list("pk")[100:120]
    plan = page.explain()
    assert "product_name" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
