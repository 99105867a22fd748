"""Horizontal bars, stacked."""

from collections.abc import Sequence

from gatesmith.flows.pages.svg import Drawing, label, line, rectangle, text_width

__all__ = ["bars", "ticks"]

ROW, BAR, PLOT, END = 28, 18, 430, 90


def ticks(high: float, count: int = 5) -> list[float]:
    """Round numbers from 0 to at least ``high``, about ``count`` steps of 1, 2, 2.5 or 5."""
    if high <= 0:
        return [0.0, 1.0]
    step = high / count
    power = 1.0
    while power * 10 <= step:
        power *= 10
    while power > step:
        power /= 10
    size = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= step * (1 - 1e-9))
    steps = 1
    while steps * size < high * (1 - 1e-9):
        steps += 1
    return [k * size for k in range(steps + 1)]


def bars(
    title: str,
    rows: Sequence[tuple[str, Sequence[float]]],
    series: Sequence[str],
    unit: str,
) -> Drawing:
    """A bar for each row, one colour for each of the series, the sum at its end.

    Parameters
    ----------
    rows : (label, values)   One value for each of the series, none below 0.
    unit : str               Of all values.
    """
    totals = [sum(values) for _, values in rows]
    marks = ticks(max(totals, default=0.0))
    left = min(300.0, max((text_width(name) for name, _ in rows), default=0.0)) + 12
    width, top = left + PLOT + END, 34
    height = top + ROW * len(rows) + 40
    scale = PLOT / marks[-1]
    elements = []
    x = 8.0
    for number, name in enumerate(series):
        elements.append(rectangle(x, 8, 12, 12, f"c{number}"))
        elements.append(label(x + 18, 18.5, name))
        x += 34 + text_width(name)
    width = max(width, x)
    bottom = top + ROW * len(rows)
    for mark in marks:
        elements.append(line([(left + mark * scale, top), (left + mark * scale, bottom)], "grid"))
        place = (left + mark * scale, bottom + 16)
        elements.append(label(*place, f"{mark:,.6g}", style="small quiet", anchor="middle"))
    elements.append(label(left + PLOT + 48, bottom + 16, unit, style="small quiet"))
    for row, (name, values) in enumerate(rows):
        y, x = top + row * ROW + (ROW - BAR) / 2, left
        shown = name if text_width(name) <= left else name[: int(left / 7.8) - 1] + "…"
        elements.append(label(left - 8, y + 13.5, shown, anchor="end"))
        for number, value in enumerate(values):
            if value > 0:
                tip = f"{name}, {series[number]}: {value:,.6g} {unit}"
                elements.append(rectangle(x, y, value * scale, BAR, f"c{number}", tip=tip))
                x += value * scale
        elements.append(label(x + 6, y + 13.5, f"{totals[row]:,.4g}" if totals[row] < 1000
                              else f"{totals[row]:,.0f}", style="small"))  # fmt: skip
    said = "; ".join(
        f"{name}: "
        + ", ".join(f"{s} {v:,.6g}" for s, v in zip(series, values, strict=True) if v > 0)
        for name, values in rows
    )
    return Drawing(
        title=title,
        description=f"Stacked bars in {unit}. {said}.",
        width=round(width),
        height=height,
        elements=tuple(elements),
    )
