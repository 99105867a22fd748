"""Waveforms of a few clocks of a design's ports, cut in the middle where nothing new happens."""

from collections.abc import Sequence

import numpy as np

from gatesmith.flows.pages.svg import Drawing, label, line, path, text_width

__all__ = ["Trace", "numbers", "waveform", "windows"]

ROW, HIGH, CELL, CUT = 30, 20, 26, 26
SLOPE = 4.0

Trace = Sequence[int | None]  # value in each clock; None where a bit is unknown


def windows(
    moments: Sequence[int], clocks: int, *, before: int = 1, after: int = 2
) -> list[tuple[int, int]]:
    """Ranges of clocks around moments, joined where they nearly touch."""
    found: list[tuple[int, int]] = []
    for moment in sorted(moments):
        begin, end = max(0, moment - before), min(clocks, moment + after + 1)
        if found and begin <= found[-1][1] + 2:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def waveform(
    title: str,
    traces: dict[str, tuple[int, Trace]],
    shown: Sequence[tuple[int, int]],
    first: int,
) -> Drawing:
    """Drawing of signals: levels for one bit, values in hexadecimal for several.

    Parameters
    ----------
    traces : dict     Name to width in bits and values.
    shown : list      Ranges of clocks, in order.
    first : int       The clock that is counted as 1.
    """
    widest = max((width for width, _ in traces.values()), default=1)
    cell = max(CELL, 7.0 * -(-widest // 4) + 12)
    left = max((text_width(name, 11) for name in traces), default=0.0) + 30
    starts, x = [], left
    for begin, end in shown:
        starts.append(x)
        x += (end - begin) * cell + CUT
    width, height = x - CUT + 16, 34 + ROW * len(traces) + 8
    elements = []
    for (begin, end), x in zip(shown, starts, strict=True):
        for clock in range(begin, end):
            at = x + (clock - begin) * cell
            elements.append(line([(at, 28), (at, height - 6)], "grid"))
            if clock >= first:
                number = str(clock - first + 1)
                elements.append(
                    label(at + cell / 2, 20, number, style="small quiet", anchor="middle")
                )
    elements.append(label(8, 20, "clock", style="small quiet"))
    for row, (name, (bits, values)) in enumerate(traces.items()):
        y = 34 + row * ROW
        elements.append(label(8, y + 15, name, style="mono"))
        for (begin, end), x in zip(shown, starts, strict=True):
            part = list(values[begin:end])
            draw = _bus if bits > 1 else _level
            elements += draw(part, x, y, cell, -(-bits // 4))
    for x in starts[1:]:
        for row in range(len(traces)):
            middle = 34 + row * ROW + HIGH / 2
            elements.append(label(x - CUT / 2, middle + 4, "⋯", anchor="middle", style="quiet"))
    return Drawing(
        title=title,
        description="Waveform of "
        + ", ".join(traces)
        + ". Clocks shown: "
        + ", ".join(f"{begin - first + 1} to {end - first}" for begin, end in shown)
        + ".",
        width=round(width),
        height=height,
        elements=tuple(elements),
    )


def _runs(values: list[int | None]) -> list[tuple[int, int, int | None]]:
    """Begin, end and value of each stretch without a change."""
    cuts = [0, *(k for k in range(1, len(values)) if values[k] != values[k - 1]), len(values)]
    return [(a, b, values[a]) for a, b in zip(cuts, cuts[1:], strict=False) if b > a]


def _level(values: list[int | None], x: float, y: float, cell: float, digits: int) -> list[str]:
    points: list[tuple[float, float]] = []
    for begin, end, value in _runs(values):
        level = y + {None: HIGH / 2, 0: HIGH}.get(value, 0.0)
        lead = SLOPE if begin else 0.0
        points += [(x + begin * cell + lead, level), (x + end * cell, level)]
    return [line(points, "wire")]


def _bus(values: list[int | None], x: float, y: float, cell: float, digits: int) -> list[str]:
    parts = []
    for begin, end, value in _runs(values):
        low, high, half = x + begin * cell, x + end * cell, SLOPE / 2
        shape = (
            f"M{low:.1f},{y + HIGH / 2:.1f}l{half},{-HIGH / 2}H{high - half:.1f}"
            f"l{half},{HIGH / 2}l{-half},{HIGH / 2}H{low + half:.1f}z"
        )
        parts.append(path(shape, "box" if value is not None else "box dashed"))
        shown = "x" if value is None else f"{value:0{digits}x}"
        parts.append(
            label((low + high) / 2, y + HIGH / 2 + 4, shown, style="mono", anchor="middle")
        )
    return parts


def numbers(bits: np.ndarray, unknown: np.ndarray) -> list[int | None]:
    """Values of a signal of bits ``[clocks, width]``, bit 0 first; None where one is unknown."""
    return [
        None if doubt.any() else sum(int(bit) << k for k, bit in enumerate(row))
        for row, doubt in zip(bits, unknown, strict=True)
    ]
