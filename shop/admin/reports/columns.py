"""The columns of reports: how their values are shown, and written into files."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from shop import money
from shop.models.order_status import Text
from shop.product_files.exports.columns import CellType
from shop.product_files.formula_escaping import escape_formula
from shop.services.days import DayRange

#: Returns the URL of the records behind a value of a row, or behind a total, whose row is None.
type Link = Callable[[Any, DayRange], str]


def _show_day(day: date) -> str:
    """Return a day such as `Sun 1 Nov`, of another year than this one with the year."""
    return date_format(day, "D j M" if day.year == timezone.localdate().year else "D j M Y")


def _show_rate(rate: Decimal | None) -> str:
    return _("No tax") if rate is None else f"{rate.normalize():f}%"


def _rate_cell(rate: Decimal | None) -> str:
    return "" if rate is None else f"{rate.normalize():f}"


class Kind(Enum):
    """What a column holds: how it is shown, the text of its cells in files, and their type."""

    DAY = (_show_day, date.isoformat, CellType.LINE)
    TEXT = (str, escape_formula, CellType.LINE)
    RATE = (_show_rate, _rate_cell, CellType.NUMBER)
    NUMBER = ("{:,}".format, str, CellType.NUMBER)
    MONEY = (money.format_money, str, CellType.MONEY)

    def __init__(
        self, show: Callable[[Any], str], cell: Callable[[Any], str], cell_type: CellType
    ) -> None:
        self.show = show
        self.cell = cell
        self.cell_type = cell_type

    def show_in_table(self, value: Any) -> str:
        """Return the text of a value in a table whose caption names the currency."""
        return money.format_amount(value) if self is Kind.MONEY else self.show(value)


@dataclass(frozen=True)
class ReportColumn:
    """A column: the attribute of a row that it shows, and one sentence on what a figure means."""

    name: str
    label: Text
    kind: Kind = Kind.MONEY
    help_text: Text = ""
    link: Link | None = None

    @property
    def is_number(self) -> bool:
        """Whether the column is aligned right."""
        return self.kind in {Kind.NUMBER, Kind.MONEY}
