"""Charts of reports as SVG, drawn by the server. Positions are percent of the width and pixels."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

HEIGHT, TOP, BOTTOM = 208, 8, 184
#: Percent of the width that the numbers beside the grid take, and the part of a day that is filled.
LEFT, FILLED = 9.0, 0.75
MAX_LABELS = 5
#: The most rows in a chart of names.
MAX_BARS = 10
MAX_GRID_LINES = 4


class Point(NamedTuple):
    """What a chart shows of a row: its name, its value, and the value as text."""

    label: str
    value: Decimal
    text: str


def column_chart(points: Sequence[Point]) -> dict[str, Any]:
    """Return a chart with a column for each point, in the sequence of time."""
    highest = max([Decimal(0), *(point.value for point in points)])
    lowest = min([Decimal(0), *(point.value for point in points)])
    step = _grid_step(highest - lowest)
    top, bottom = math.ceil(highest / step) * step, math.floor(lowest / step) * step

    def y_of(value: Decimal) -> float:
        return float(TOP + (top - value) / ((top - bottom) or 1) * (BOTTOM - TOP))

    width = (100 - LEFT) / len(points)
    columns = [
        {
            "x": f"{LEFT + width * (number + (1 - FILLED) / 2):.3f}%",
            "width": f"{width * FILLED:.3f}%",
            "y": f"{y_of(max(point.value, Decimal(0))):.1f}",
            "height": f"{abs(y_of(point.value) - y_of(Decimal(0))):.1f}",
            "title": f"{point.label}: {point.text}",
        }
        for number, point in enumerate(points)
    ]
    every = math.ceil(len(points) / MAX_LABELS)
    labels = [
        {
            "x": f"{LEFT + width * (number + 0.5):.3f}%",
            "text": points[number].label,
            "anchor": "end" if number + 1 == len(points) else "middle",
        }
        for number in range(every // 2, len(points), every)
    ]
    lines = range(round(bottom / step), round(top / step) + 1)
    grid = [{"y": f"{y_of(n * step):.1f}", "text": _short_number(n * step)} for n in lines]
    return {
        "height": HEIGHT,
        "columns": columns,
        "labels": labels,
        "grid": grid,
        "left": f"{LEFT}%",
    }


def bar_chart(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Return a horizontal bar for each of the first points, as wide as its part of the highest."""
    highest = max([Decimal(0), *(point.value for point in points)])
    return [
        {
            "label": point.label,
            "text": point.text,
            "width": f"{max(point.value / highest if highest else 0, 0) * 100:.1f}%",
        }
        for point in points[:MAX_BARS]
    ]


def _grid_step(span: Decimal) -> Decimal:
    """Return the distance of the grid's lines: 1, 2 or 5 times a power of ten."""
    if span <= 0:
        return Decimal(1)
    power = Decimal(10) ** (math.floor(math.log10(span)) - 1)
    steps = (power * factor for factor in (1, 2, 5, 10, 20, 50, 100))
    return next(step for step in steps if span / step <= MAX_GRID_LINES)


def _short_number(number: Decimal) -> str:
    """Return a number for the grid, such as `500`, `12k` or `1.5M`."""
    for size, suffix in ((1_000_000, "M"), (10_000, "k")):
        if abs(number) >= size:
            return f"{float(number) / (1_000_000 if suffix == 'M' else 1000):,g}{suffix}"
    return f"{float(number):,g}"
