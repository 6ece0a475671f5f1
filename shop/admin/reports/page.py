"""The page of the reports, and their files. One view and one template serve all of REPORTS."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from shop import money
from shop.admin.exports import file_response
from shop.admin.reports.charts import Point, bar_chart, column_chart
from shop.admin.reports.columns import Kind, ReportColumn
from shop.admin.reports.declarations import REPORTS, ReportDeclaration, permitted_reports
from shop.admin.reports.periods import PeriodForm
from shop.product_files.exports.columns import Column
from shop.product_files.exports.product_export import FILE_WRITERS, Format
from shop.product_files.formula_escaping import unescape_formula
from shop.services.days import DayRange
from shop.services.sales_reports import Report

#: Rows that a page shows. A file has all.
MAX_ROWS = 100
FILE_PARAMETER = "file"


class Cell(NamedTuple):
    """A cell of the table: its text, and the URL of the records behind it, if any."""

    text: str
    url: str
    is_number: bool


def report_page(request: HttpRequest, name: str = "") -> HttpResponseBase:
    """Show a report, by default the first that the user may see, or return it as a file."""
    permitted = permitted_reports(request.user)
    name = name or next(iter(permitted), next(iter(REPORTS)))
    if name not in REPORTS:
        raise Http404
    if name not in permitted:
        raise PermissionDenied
    declaration = REPORTS[name]
    form = PeriodForm(request.GET)
    if not form.is_valid() and declaration.has_period:
        return _render(request, declaration, {"period_form": form, "periods": form.links()})
    days = form.days if declaration.has_period else DayRange(*[timezone.localdate()] * 2)
    for file_format in FILE_WRITERS:
        if request.GET.get(FILE_PARAMETER) == file_format:
            return _file(name, declaration, days, file_format)
    report = declaration.load(days, MAX_ROWS)
    context = _report_context(declaration, report, days)
    if declaration.has_period:
        context |= {"periods": form.links(), "next_period": form.next_period()}
        form.fill_in_dates()
        context["period_form"] = form
    return _render(request, declaration, context)


def report_urls() -> list[URLPattern]:
    """Return the URLs of the reports; Unfold's `extra_urls` of the admin site."""
    view = admin.site.admin_view(report_page)
    return [
        path("reports/", view, name="reports"),
        path("reports/<slug:name>/", view, name="report"),
    ]


def _render(
    request: HttpRequest, declaration: ReportDeclaration, context: dict[str, Any]
) -> TemplateResponse:
    query = request.GET.copy()
    query.pop(FILE_PARAMETER, None)
    permitted = permitted_reports(request.user)
    tabs = [
        (report.title, reverse("admin:report", args=[name]), report is declaration)
        for name, report in permitted.items()
    ]
    files = [
        (f"{FILE_PARAMETER}={key}", label) for key, label in (("csv", "CSV"), ("xlsx", "XLSX"))
    ]
    site = admin.site.each_context(request)
    common = {
        "title": _("Reports"),
        "subtitle": declaration.title,
        "report": declaration,
        "tabs": tabs,
        "query": query.urlencode(),
        "files": files,
    }
    return TemplateResponse(request, "admin/shop/report/page.html", site | common | context)


def _report_context(
    declaration: ReportDeclaration, report: Report[Any], days: DayRange
) -> dict[str, Any]:
    """Return cards, chart and table of a report; of an empty one only that it is empty."""
    is_empty = not any(report.totals.values())
    shown = {"days": _describe_days(days) if declaration.has_period else "", "is_empty": is_empty}
    if is_empty:
        return shown
    columns = declaration.columns
    cards = [
        (column.label, column.kind.show(report.totals[column.name]), column.help_text)
        for column in columns
        if column.name in report.totals
    ]
    rows = [
        [_cell(column, getattr(row, column.name), row, days) for column in columns]
        for row in report.rows
    ]
    totals = [_total(column, report, days) for column in columns]
    hidden = report.row_count - len(report.rows)
    return shown | {
        "cards": cards,
        "rows": rows,
        "totals": totals,
        "currency": money.default_currency(),
        "hidden_rows": f"{hidden:,}" if hidden else "",
        **_chart(declaration, report),
    }


def _cell(column: ReportColumn, value: Any, row: Any, days: DayRange) -> Cell:
    """Return the cell of a value; a total has no row. There is nothing behind a zero to link to."""
    is_linked = column.link and (value or not column.is_number)
    url = column.link(row, days) if is_linked and column.link else ""
    return Cell(column.kind.show_in_table(value), url, column.is_number)


def _total(column: ReportColumn, report: Report[Any], days: DayRange) -> Cell:
    if column.name not in report.totals:
        return Cell("", "", column.is_number)
    return _cell(column, report.totals[column.name], None, days)


def _chart(declaration: ReportDeclaration, report: Report[Any]) -> dict[str, Any]:
    """Return the chart of the charted column: columns for days, bars for all else."""
    first = declaration.columns[0]
    charted = next(c for c in declaration.columns if c.name == declaration.charted)
    points = [
        Point(_point_label(first, row), getattr(row, charted.name), _cell_text(charted, row))
        for row in report.rows
    ]
    if first.kind == Kind.DAY:
        return {"chart_title": charted.label, "column_chart": column_chart(points)}
    return {"chart_title": charted.label, "bar_chart": bar_chart(points)}


def _point_label(column: ReportColumn, row: Any) -> str:
    value = getattr(row, column.name)
    return date_format(value, "j M") if column.kind == Kind.DAY else column.kind.show(value)


def _cell_text(column: ReportColumn, row: Any) -> str:
    return column.kind.show(getattr(row, column.name))


def _describe_days(days: DayRange) -> str:
    first, last = (date_format(day, "j F Y") for day in days)
    if first == last:
        return first
    return _("%(first)s to %(last)s") % {"first": first, "last": last}


def _file(
    name: str, declaration: ReportDeclaration, days: DayRange, file_format: Format
) -> FileResponse:
    """Return all rows as a file, with amounts and numbers as they are stored."""
    report = declaration.load(days, None)
    columns = [Column(str(c.label), str, (), c.kind.cell_type) for c in declaration.columns]
    period = f"{days.first}-{days.last}" if declaration.has_period else str(days.last)
    return file_response(
        FILE_WRITERS[file_format](columns, _file_rows(declaration, report, file_format)),
        name=f"{name}-{period}",
        file_format=file_format,
    )


def _file_rows(
    declaration: ReportDeclaration, report: Report[Any], file_format: Format
) -> Iterator[tuple[str, ...]]:
    for row in report.rows:
        cells = (c.kind.cell(getattr(row, c.name)) for c in declaration.columns)
        # The text cells of XLSX are never run as formulas, and would show the apostrophe.
        yield tuple(map(unescape_formula, cells) if file_format == "xlsx" else cells)
