"""Choose fonts for the characters of a PDF that Noto Sans, shipped in `fonts`, does not have.

Noto Sans has Latin, Greek and Cyrillic. Other scripts come from the first of:

1. the folders of the setting SHOP_FONTS;
2. the font folders of Linux, macOS and Windows, such as those of Debian's fonts-noto-core,
   fonts-ipafont-gothic, fonts-wqy-zenhei and fonts-unfonts-core;
3. for Japanese, Chinese and Korean, CID fonts, which are not embedded: the PDF viewer has them.

ReportLab reads TrueType outlines only, so Noto Sans CJK (CFF) cannot be used. It does not shape
text: Devanagari and other Indic scripts are readable, but have no ligatures or reordered vowels.
Fallback fonts are regular even where the text is bold.
"""

import logging
import unicodedata
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from django.conf import settings
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import getFont, registerFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

logger = logging.getLogger(__name__)

REGULAR, BOLD = "NotoSans-Regular", "NotoSans-Bold"
for font_name in (REGULAR, BOLD):
    registerFont(TTFont(font_name, Path(__file__).parent / "fonts" / f"{font_name}.ttf"))
NOTO_SANS_CHARACTERS = frozenset(" \n").union(map(chr, getFont(REGULAR).face.charToGlyph))

SYSTEM_FONT_FOLDERS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    *("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts", "C:/Windows/Fonts"),
)
# Patterns of file names, in order of preference, by the first word of a character's Unicode name.
EAST_ASIAN = (
    *("ipaexg.ttf", "ipag.ttf", "takaogothic.ttf", "notosansjp*", "yugothr.ttc", "msgothic.ttc"),
    *("wqy-*.ttc", "notosanssc*", "msyh.ttc", "stheiti*.ttc", "notosanstc*", "msjh.ttc"),
    *("undotum.ttf", "nanumgothic.ttf", "notosanskr*", "malgun.ttf", "applegothic.ttf"),
)
FILES_BY_SCRIPT = {
    **dict.fromkeys(["CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"], EAST_ASIAN),
    **dict.fromkeys(["IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH", "BOPOMOFO"], EAST_ASIAN),
    "HANGUL": EAST_ASIAN[-5:],
    "THAI": ("notosansthai*-regular.ttf", "garuda.ttf", "leelawui.ttf", "thonburi.ttc"),
}
FILES_FOR_ALL_SCRIPTS = (
    *("dejavusans.ttf", "freesans.ttf", "freeserif.ttf", "droidsansfallback*.ttf", "arial.ttf"),
    *("arial unicode.ttf", "tahoma.ttf", "nirmala.tt?", "seguisym.ttf", "unifont*.ttf"),
)
# Each font with the codec of its characters; GBK has those of Big5 too.
CID_FONTS = {
    "HeiseiKakuGo-W5": "cp932",
    "MSung-Light": "big5",
    "STSong-Light": "gbk",
    "HYGothic-Medium": "cp949",
}


class FallbackFont(NamedTuple):
    """A font by the name that ReportLab registered it with."""

    name: str
    has_glyph: Callable[[str], bool]


def to_markup(text: str, missing: set[str]) -> str:
    """Return platypus markup of the text, with a font for each run of characters.

    Adds to `missing` the characters that no font has: Noto Sans draws a box in their place.
    """
    if NOTO_SANS_CHARACTERS.issuperset(text):
        return escape(text).replace("\n", "<br/>")
    text = "".join(character for character in text if not _is_invisible(character))
    foreign = sorted(set(text) - NOTO_SANS_CHARACTERS, key=_script)
    fonts: dict[str, str] = {}
    for script, characters in groupby(foreign, key=_script):
        fonts |= choose_fonts(script, frozenset(characters))
    # NFKC turns the presentation forms of Arabic letters back.
    missing.update(*(unicodedata.normalize("NFKC", c) for c in foreign if c not in fonts))
    return "".join(_runs(text, fonts)).replace("\n", "<br/>")


@lru_cache(maxsize=4096)
def choose_fonts(script: str, characters: frozenset[str]) -> dict[str, str]:
    """Return a font name per character: one font with all of them, or the first for each."""
    chosen: dict[str, str] = {}
    for font in _candidates(script):
        covered = filter(font.has_glyph, characters)
        chosen = dict.fromkeys(covered, font.name) | chosen
        if all(map(font.has_glyph, characters)):
            return dict.fromkeys(characters, font.name)
    return chosen


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _is_invisible(character: str) -> bool:
    """Whether this is a format character (such as a joiner) or a variation selector."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _runs(text: str, fonts: dict[str, str]) -> Iterator[str]:
    for font, run in groupby(text, key=fonts.get):
        markup = escape("".join(run))
        yield f'<font name="{font}">{markup}</font>' if font else markup


def _candidates(script: str) -> Iterator[FallbackFont]:
    """Load one by one the fonts that may have the script, the preferred ones first."""
    own_folders = tuple(settings.SHOP_FONTS)
    paths = _candidate_files(script, own_folders, SYSTEM_FONT_FOLDERS)
    yield from filter(None, map(_load_true_type, paths))
    yield from map(_load_cid, CID_FONTS)


@cache
def _candidate_files(
    script: str, own_folders: tuple[str, ...], system_folders: tuple[str, ...]
) -> list[Path]:
    own = [path for folder in own_folders for path in _font_files(folder)]
    system = [path for folder in system_folders for path in _font_files(folder)]
    noto = (f"notosans{script.lower()}*-regular.ttf", f"notosans{script.lower()}[[]*.ttf")
    patterns = (*FILES_BY_SCRIPT.get(script, noto), *FILES_FOR_ALL_SCRIPTS)
    return own + [path for p in patterns for path in system if fnmatchcase(path.name.lower(), p)]


@cache
def _font_files(folder: str | Path) -> list[Path]:
    paths = Path(folder).expanduser().rglob("*")
    return sorted(path for path in paths if path.suffix.lower() in {".ttf", ".ttc"})


@cache
def _load_true_type(path: Path) -> FallbackFont | None:
    try:
        font = TTFont(f"{path.stem}-{sha256(bytes(path)).hexdigest()[:8]}", path)
    except (OSError, TTFError) as error:
        logger.info("%s cannot be used in a PDF: %s", path, error)
        return None
    registerFont(font)
    return FallbackFont(font.fontName, lambda character: ord(character) in font.face.charToGlyph)


@cache
def _load_cid(name: str) -> FallbackFont:
    registerFont(UnicodeCIDFont(name))
    return FallbackFont(name, lambda character: _is_encodable(character, CID_FONTS[name]))


def _is_encodable(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
