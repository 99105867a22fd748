"""Points in a plane with logarithmic axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gatesmith.flows.pages.svg import Drawing, circle, label, line, text_width

__all__ = ["Point", "scatter"]

LEFT, TOP, WIDE, HIGH, BELOW, RIGHT = 76, 20, 560, 330, 52, 110


@dataclass(frozen=True)
class Point:
    """A point, the words beside it, and whether it stands out."""

    x: float
    y: float
    text: str
    strong: bool


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    ticks: tuple[float, ...]

    def part(self, value: float) -> float:
        """Where a value lies, 0 to 1."""
        return math.log(value / self.low) / math.log(self.high / self.low)


def _axis(values: Sequence[float]) -> _Axis:
    low, high = min(values) / 1.35, max(values) * 1.35
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    wide = high / low > 200
    steps = (1,) if wide else (1, 2, 5) if high / low > 8 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    marks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    return _Axis(low, high, tuple(mark for mark in marks if low <= mark <= high))


def scatter(title: str, points: Sequence[Point], x_title: str, y_title: str) -> Drawing:
    """Drawing of points, all above 0; those that stand out have another colour.

    Words of points that lie close together are set one below the other.
    """
    across, up = _axis([p.x for p in points]), _axis([p.y for p in points])
    bottom = TOP + HIGH
    elements = []
    for mark in across.ticks:
        x = LEFT + WIDE * across.part(mark)
        elements.append(line([(x, TOP), (x, bottom)], "grid"))
        elements.append(label(x, bottom + 18, f"{mark:,.6g}", style="small quiet", anchor="middle"))
    for mark in up.ticks:
        y = bottom - HIGH * up.part(mark)
        elements.append(line([(LEFT, y), (LEFT + WIDE, y)], "grid"))
        elements.append(label(LEFT - 8, y + 4, f"{mark:,.6g}", style="small quiet", anchor="end"))
    elements.append(label(LEFT, TOP - 6, y_title, style="small"))
    elements.append(label(LEFT + WIDE, bottom + 40, x_title, style="small", anchor="end"))
    taken: list[tuple[float, float, float]] = []
    for point in points:
        x, y = LEFT + WIDE * across.part(point.x), bottom - HIGH * up.part(point.y)
        tip = f"{point.text}: {point.x:,.6g}, {point.y:,.6g}"
        elements.append(circle(x, y, 6, f"{'c1' if point.strong else 'c4'} halo", tip=tip))
        words = y + 4
        width = text_width(point.text)
        while any(abs(words - b) < 15 and x < a + w and a < x + width for a, b, w in taken):
            words += 15
        taken.append((x, words, width))
        elements.append(label(x + 11, words, point.text, style="strong" if point.strong else ""))
    said = "; ".join(f"{p.text}: {p.x:,.6g}, {p.y:,.6g}" for p in points)
    return Drawing(
        title=title,
        description=f"{x_title} across and {y_title} upwards, both logarithmic. {said}.",
        width=LEFT + WIDE + RIGHT,
        height=TOP + HIGH + BELOW,
        elements=tuple(elements),
    )
