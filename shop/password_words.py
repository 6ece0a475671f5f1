"""A password validator without a network: refuses well-known words and the shop's own names."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from shop.text_validation import is_visible

WORDS_FILE = Path(__file__).with_suffix(".txt")
#: Words around a well-known one that add nothing.
FILLERS = frozenset({"and", "the", "und", "my", "new", "www", "com", "net", "org"})
MIN_WORD_LENGTH = 3
#: A digit or sign that stands for a letter; 1 and ! may stand for i or l.
SUBSTITUTES = str.maketrans("@403$57+", "aaoesstt")
ONE = re.compile("[1!|]")


class PasswordWordsValidator:
    """Refuses a password that is one well-known word, or names of the shop, in any disguise.

    Digits, punctuation, repetition and usual substitutions such as `P@ssw0rd` are a disguise. A
    passphrase of several other words passes.
    """

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002 - Django's signature
        """Raise ValidationError if the password is too easy to guess."""
        if not is_visible(password):
            raise ValidationError(_("Your password can't be invisible."), code="password_invisible")
        names = shop_words()
        for letters in set(undisguise(password)):
            used = [{word} for word in well_known_words() if word in letters]
            if any(name in letters for name in names):
                used.append(set(names))
            if any(_consists_of(letters, words | FILLERS) for words in used):
                raise ValidationError(self.get_help_text(), code="password_too_common")

    def get_help_text(self) -> str:
        """Return the rule; Django shows it at the field."""
        return _("Your password can't be a well-known word or the name of this shop.")


@cache
def well_known_words() -> frozenset[str]:
    """Return the words of WORDS_FILE."""
    lines = WORDS_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def shop_words() -> frozenset[str]:
    """Return the words of the shop's name and of its hosts."""
    names = " ".join([settings.SHOP_NAME, *settings.ALLOWED_HOSTS])
    words = re.findall(r"[a-z]+", _fold(names))
    return frozenset(word for word in words if len(word) >= MIN_WORD_LENGTH) - FILLERS


def undisguise(password: str) -> Iterator[str]:
    """Yield the letters of the password as they are, and with each usual substitution undone."""
    folded = _fold(password)
    without_tail = re.sub(r"[^a-z]+$", "", folded)  # 123! at the end stands for no letters
    without_head = re.sub(r"^[^a-z]+", "", folded)
    for text in (folded, without_tail, without_head, re.sub(r"^[^a-z]+", "", without_tail)):
        yield re.sub(r"[^a-z]", "", text)
        for letter in "il":
            yield re.sub(r"[^a-z]", "", ONE.sub(letter, text).translate(SUBSTITUTES))


def _fold(text: str) -> str:
    """Return the text in lower case and without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _consists_of(letters: str, words: set[str]) -> bool:
    """Return whether the letters are these words, one after another.

    Not by a regular expression, whose time could double with every letter.
    """
    ends = {0}
    for start in range(len(letters)):
        if start in ends:
            ends |= {start + len(word) for word in words if letters.startswith(word, start)}
    return len(letters) in ends
