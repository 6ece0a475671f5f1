"""An uploaded file, read and held against the catalogue row by row. The catalogue is not touched."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop.exchange import dialects, numbers
from shop.exchange.columns import match
from shop.exchange.dialects import Dialect
from shop.exchange.judging import Draft, Terms, Verdict, judge, key_of
from shop.exchange.line import Line, is_remote
from shop.exchange.reading import Sheet, open_sheet
from shop.exchange.rows import Row, store
from shop.exchange.states import State, beat, claim, release
from shop.exchange.values import MONEY
from shop.models import Import, ImportFile, User
from shop.services.errors import FileRefused, Overtaken
from shop.services.transactions import atomically
from shop.text import counted

BATCH = 2000
DIALECTS = {dialect.name: dialect for dialect in vars(dialects).values() if isinstance(dialect, Dialect)}
FREE = (State.UPLOADED, State.CHECKED, State.FAILED)
POINT = "Some prices, such as 1,800, can be read in two ways. Say which sign the decimals have in this file."
STOCK = "The file has a stock, but not what it was at export. Say what to do with it; until then it is left."
#: Up to this share, prices move and stocks run out as they do; above it somebody should look.
MUCH, MOST = 0.5, 0.5


@atomically
def upload(*, actor: User, name: str, content: bytes, options: dict[str, Any] | None = None) -> Import:
    """Keep a file that somebody brought; `check` comes next."""
    import_ = Import.objects.create(actor=actor, name=name[-200:], options=options or {})
    ImportFile.objects.create(source=import_, content=content)
    return import_


def check(import_: Import) -> None:
    """Say of each row what it would do: `rows`, `counts`, `warnings` and `found` of the import.

    It goes through the file twice: to see what holds for all of it, then batch by batch, each in a short
    transaction. It may be called again at any time before the import is applied, and starts anew. A file that
    cannot be read leaves the import failed, with the reason. Raises ImportNotReady, and Overtaken when
    somebody else has begun anew meanwhile.
    """
    check_ = _Check(import_, claim(import_.pk, State.CHECKING, of=FREE))
    try:
        check_.run()
    except FileRefused as error:
        release(import_.pk, check_.beat_at, State.FAILED, error=str(error))
    except Overtaken:
        raise
    except Exception:
        release(import_.pk, check_.beat_at, State.FAILED, error="Something went wrong here. Check it again.")
        raise
    finally:
        import_.refresh_from_db()


def opened(import_: Import) -> tuple[Sheet, Dialect]:
    """The uploaded table, with staff's choices in place of what was found; raises FileRefused."""
    chosen = import_.options
    upload = ImportFile.objects.get(pk=import_.pk)
    sheet = open_sheet(
        io.BytesIO(upload.content),
        import_.name,
        encoding=chosen.get("encoding", ""),
        delimiter=chosen.get("delimiter", ""),
    )
    dialect = DIALECTS.get(chosen.get("dialect", "")) or dialects.recognise(sheet.headers)
    if columns := chosen.get("columns"):
        sheet = replace(sheet, headers=_renamed(sheet.headers, dialect, columns))
    return sheet, dialect


def _shape(sheet: Sheet, dialect: Dialect) -> dict[str, Any]:
    """What kind of file it is and which column is what, for the page to show and to correct."""
    columns = match(sheet.headers, dialect.known())
    return {
        "format": sheet.format,
        "encoding": sheet.encoding,
        "delimiter": sheet.delimiter,
        "dialect": dialect.name,
        "columns": columns.places,
        "unknown": columns.unknown,
        "suggestions": columns.suggestions,
    }


def _renamed(headers: list[str], dialect: Dialect, columns: dict[str, int]) -> list[str]:
    """The headers as if the chosen columns had the names of their fields, and nothing else had."""
    known = dialect.known()
    found = match(headers, known).places
    done = list(headers)
    for name in columns.keys() & found.keys():
        done[found[name]] = ""
    for name, place in columns.items():
        if name in known and 0 <= place < len(done):
            done[place] = known[name][0]
    return done


@dataclass
class _Check:
    import_: Import
    beat_at: datetime
    count: int = 0
    done: int = 0
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(Verdict.values, 0)))
    seen: Counter[str] = field(default_factory=Counter)
    #: Fields that any row changes of a product that is there.
    changes: set[str] = field(default_factory=set)

    def run(self) -> None:
        # An old preview must not be applied while the new one is made, so its rows go first.
        with transaction.atomic():
            self._beat(done=0, total=0, counts={}, warnings=[], found={}, headers=[])
            self.import_.rows.all().delete()
        sheet, dialect = opened(self.import_)
        terms, found = self._look_through(sheet, dialect)
        self._beat(total=self.count, found=found, headers=sheet.headers)
        for lines in batched(dialects.lines(sheet, dialect), BATCH, strict=False):
            judged = judge(lines, terms)
            self.done += len(judged)
            for row, draft in judged:
                self._note(row, draft)
            with transaction.atomic():
                self._beat(done=self.done)
                store(row for row, _ in judged)
        warnings = self._warnings(terms)
        found |= {"changes": sorted(self.changes)}
        now, counts = timezone.now(), dict(self.counts)
        self._beat(state=State.CHECKED, checked_at=now, counts=counts, warnings=warnings, found=found)

    def _beat(self, **columns: Any) -> None:
        self.beat_at = beat(self.import_.pk, self.beat_at, **columns)

    def _look_through(self, sheet: Sheet, dialect: Dialect) -> tuple[Terms, dict[str, Any]]:
        """What holds for the whole file: its decimal sign, its repeated SKUs, what it says of stock."""
        first: dict[str, int] = {}
        repeated: dict[str, list[int]] = {}
        fields: set[str] = set()

        def prices() -> Iterator[str]:
            for line in self._counted(dialects.lines(sheet, dialect)):
                fields.update(line.values)
                self.seen["remote"] += any(map(is_remote, line.pictures))
                key = key_of(line)
                if key and first.setdefault(key, line.number) != line.number:
                    repeated.setdefault(key, [first[key]]).append(line.number)
                yield from (line.values[name] for name in MONEY if name in line.values)

        point = numbers.point_of(prices())
        chosen = self.import_.options
        by_itself = Import.Stock.DIFFERENCE if "stock_was" in fields else Import.Stock.LEAVE
        stock = chosen.get("stock") or by_itself.value
        questions = {}
        if point is None and not chosen.get("point"):
            questions["point"] = POINT
        if "stock" in fields and "stock_was" not in fields and not chosen.get("stock"):
            questions["stock"] = STOCK
        clears = chosen.get("blank") == Import.Blank.CLEAR
        terms = Terms(self.import_.pk, chosen.get("point") or point, stock, clears, repeated)
        found = {"point": point, "stock": stock, "questions": questions, "remote": self.seen["remote"]}
        return terms, found | _shape(sheet, dialect)

    def _counted(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            self.count += 1
            if self.count % (5 * BATCH) == 0:
                self._beat()
            yield line

    def _note(self, row: Row, draft: Draft) -> None:
        """Count what the warnings are made of."""
        self.counts[row.verdict] += 1
        self.changes.update(row.before)
        self.seen["no_sku"] += row.verdict == Verdict.NEW and not draft.sku
        old = row.before.get("price")
        if old is not None and float(old):
            self.seen["price_leaps"] += abs(float(row.after["price"]) - float(old)) > MUCH * float(old)
        if draft.product and draft.product["stock"] and draft.stock is not None and not draft.problems:
            self.seen["had_stock"] += 1
            self.seen["sold_out"] += draft.stock == 0

    def _warnings(self, terms: Terms) -> list[str]:
        seen, found = self.seen, []
        if leaps := seen["price_leaps"]:
            found.append(f"{counted(leaps, 'price changes', 'prices change')} by more than {MUCH:.0%}.")
        if seen["sold_out"] and seen["sold_out"] >= MOST * seen["had_stock"]:
            share = seen["sold_out"] / seen["had_stock"]
            found.append(f"{share:.0%} of the products with stock in this file fall to 0.")
        if repeated := sum(map(len, terms.repeated.values())):
            found.append(f"{repeated:,} rows have a SKU that another row has too.")
        if blank := seen["no_sku"]:
            found.append(f"{counted(blank, 'new row has', 'new rows have')} no SKU. One is made for each.")
        if remote := seen["remote"]:
            named = counted(remote, "row names a picture", "rows name pictures")
            found.append(f"{named} on another server. They are not fetched; the list can be downloaded.")
        return found
