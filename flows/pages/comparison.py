"""The page that sets several designs side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

from gatesmith.flows.lower import option_names
from gatesmith.flows.pages.cost import macro_area
from gatesmith.flows.pages.document import (
    Block,
    Bullets,
    Code,
    Document,
    Heading,
    Inline,
    Notice,
    Paragraph,
    Picture,
    Table,
)
from gatesmith.flows.pages.findings import COMMANDS, Findings, reading
from gatesmith.flows.pages.scatter import Point, scatter
from gatesmith.flows.pages.words import joined, number, percent

__all__ = ["comparison_page"]


@dataclass(frozen=True, kw_only=True)
class _Row:
    """The figures of one design; None where they are not known."""

    mark: str
    place: str
    traits: dict[str, str]
    verdict: str
    accuracy: float | None
    interval: float
    equivalents: float | None = None
    area: float | None = None
    macros: float = 0.0  # area of memory macros, µm², which is in area and equivalents
    fastest: float | None = None
    energy: float | None = None
    operation: float | None = None
    libraries: frozenset[str] = frozenset()
    recipe: str | None = None
    clock: float | None = None

    @property
    def frames(self) -> float | None:
        """A second, at the fastest clock."""
        return self.fastest * 1e6 / self.interval if self.fastest else None


def comparison_page(found: Sequence[Findings]) -> Document:
    """Table and plot of designs; ranked only as far as they can be compared."""
    rows = [_row(one, _mark(k)) for k, one in enumerate(found)]
    apart = _differences(found, rows)
    fair = not apart
    front = _front(rows) if fair else set()
    blocks: list[Block] = [
        Paragraph(f"{len(rows)} designs; {joined([f'{row.mark} is {row.place}' for row in rows])}.")
    ]
    blocks += [Notice("stale", words) for words in apart]
    blocks += [Heading("Figures"), _table(rows, front, fair)]
    if fair:
        words = "The best of each column is bold."
        if front:
            words += (
                " On the front: no other design is at least as small, as frugal and as accurate "
                "and better in one of these."
            )
        blocks.append(Paragraph(words))
    blocks += [Heading("Area, energy and accuracy"), *_plot(rows, front, fair)]
    blocks += [Heading("What is missing"), *_missing(found, rows)]
    blocks += _notes(found, rows)
    return Document("Comparison of designs", blocks)


def _mark(index: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    lap, letter = divmod(index, len(ascii_uppercase))
    return ascii_uppercase[letter] + (str(lap) if lap else "")


def _row(found: Findings, mark: str) -> _Row:
    figures: dict[str, float | None] = {}
    macros, recipe = 0.0, None
    libraries = set()
    area, timing, power = (found.fresh(kind) for kind in ("area", "timing", "power"))
    if area:
        with reading(area.path):
            figures["equivalents"] = area.content["total"]["gate_equivalents"]
            figures["area"] = area.content["total"]["area_um2"]
            macros = macro_area(area.content)
            if macros and figures["area"] is not None and figures["equivalents"] is not None:
                figures["area"] += macros
                figures["equivalents"] += macros / area.content["library"]["nand2_area"]
            libraries.add(area.content["library"]["sha256"])
            recipe = area.content.get("recipe", "default")
    if timing:
        with reading(timing.path):
            figures["fastest"] = timing.content["max_mhz"]
            libraries.add(timing.content["library"]["sha256"])
    if power:
        with reading(power.path):
            figures["energy"] = power.content["total"]["pj_per_frame"]
            figures["operation"] = power.content["total"]["pj_per_operation"]
            figures["clock"] = power.content["clock_mhz"]
            libraries.add(power.content["library"]["sha256"])
    verified = found.verified()
    verdict = "out of date" if found.verifications else "not verified"
    if verified:
        with reading(verified[0].path):
            equal = all(report.content["equal"] for report in verified)
        verdict = "equal" if equal else "NOT EQUAL"
    with reading(found.directory / "design.json"):
        interval = float(found.design["interval_clocks"])
    return _Row(
        mark=mark,
        place=str(found.directory),
        traits=_traits(found),
        verdict=verdict,
        accuracy=found.accuracy[1] if found.accuracy else None,
        interval=interval,
        macros=macros,
        recipe=recipe,
        libraries=frozenset(libraries),
        **figures,  # type: ignore[arg-type]
    )


def _traits(found: Findings) -> dict[str, str]:
    """What the design is: its family, how it was trained, how it was built."""
    asked = dict(found.design.get("options") or {})
    for name in option_names(found.entry):
        value = getattr(found.spec, name, None)
        if isinstance(value, str | int):
            asked[name] = value
    traits = {"family": found.entry.name, **(found.design.get("config") or {}), **asked}
    return {str(name): str(value) for name, value in traits.items() if name != "name"}


def _differences(found: Sequence[Findings], rows: Sequence[_Row]) -> list[str]:
    """Why the designs cannot be ranked."""
    reasons = []
    if len(frozenset().union(*(row.libraries for row in rows))) > 1:
        names = sorted(
            {
                str((report.content.get("library") or {}).get("name"))
                for one in found
                for kind in ("area", "power")
                if (report := one.fresh(kind))
            }
        )
        words = f"The figures come from different cell libraries ({joined(names)})"
        reasons.append(f"{words}: areas, clocks and energies are not ranked.")
    sets = sorted({str(one.design.get("data")) for one in found if one.accuracy})
    if len(sets) > 1:
        reasons.append(f"Accuracies are on different data sets ({joined(sets)}): not ranked.")
    if any(row.macros and row.area is None for row in rows):
        reasons.append("Areas of memory macros are in µm², those of the cells are not: not ranked.")
    recipes = sorted({row.recipe for row in rows if row.recipe})
    if len(recipes) > 1:
        reasons.append(f"Areas come from different recipes ({joined(recipes)}): not ranked.")
    clocks = sorted({row.clock for row in rows if row.clock})
    if len(clocks) > 1:
        shown = joined([f"{clock:g} MHz" for clock in clocks])
        reasons.append(f"Energies include leakage at different clocks ({shown}): not ranked.")
    return reasons


def _front(rows: Sequence[_Row]) -> set[str]:
    """Designs that no other beats in area, energy and accuracy together."""
    known = {
        row.mark: (row.equivalents, row.energy, -row.accuracy)
        for row in rows
        if row.equivalents and row.energy and row.accuracy is not None
    }
    return {
        mark
        for mark, mine in known.items()
        if not any(
            all(a <= b for a, b in zip(other, mine, strict=True)) and other != mine
            for other in known.values()
        )
    }


def _table(rows: Sequence[_Row], front: set[str], fair: bool) -> Table:
    # Title, figure, how it is written, and whether more is better.
    area = " with macros" if any(row.macros and row.area is not None for row in rows) else ""
    columns: list[tuple[str, Callable[[_Row], float | None], Callable, bool]] = [
        ("accuracy", lambda row: row.accuracy, _percent, True),
        ("clocks between frames", lambda row: row.interval, lambda v: f"{v:,g}", False),
        (f"GE{area}", lambda row: row.equivalents, number, False),
        (f"µm²{area}", lambda row: row.area, number, False),
        ("fastest MHz", lambda row: row.fastest, lambda v: number(v, 1), True),
        ("frames/s at that", lambda row: row.frames, number, True),
        ("pJ a frame", lambda row: row.energy, number, False),
        ("pJ an operation", lambda row: row.operation, lambda v: number(v, 2), False),
    ]
    names = dict.fromkeys(name for row in rows for name in row.traits)
    differing = [n for n in names if len({row.traits.get(n) for row in rows}) > 1]
    lines: list[list[Inline]] = []
    for row in rows:
        what = ", ".join(f"{n} {row.traits[n]}" for n in differing if n in row.traits)
        cells: list[Inline] = [f"{row.mark} {Path(row.place).name}", what or "–", row.verdict]
        cells += [write(figure(row)) for _, figure, write, _ in columns]
        if front:
            known = row.equivalents and row.energy and row.accuracy is not None
            cells.append("yes" if row.mark in front else "no" if known else "–")
        lines.append(cells)
    best = set()
    for column, (_, figure, _, more) in enumerate(columns if fair else [], start=3):
        values = [value for row in rows if (value := figure(row)) is not None]
        if len(set(values)) > 1:
            top = max(values) if more else min(values)
            best |= {(k, column) for k, row in enumerate(rows) if figure(row) == top}
    heads = ["design", "differs in", "Verilog", *(title for title, *_ in columns)]
    if front:
        heads.append("on the front")
    return Table(
        caption="Designs",
        columns=heads,
        rows=lines,
        numbers=frozenset(range(3, 3 + len(columns))),
        strong=frozenset(best),
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _plot(rows: Sequence[_Row], front: set[str], fair: bool) -> list[Block]:
    if not fair:
        return [Notice("note", "No plot: the designs cannot be ranked, as said above.")]
    points = [
        Point(row.equivalents, row.energy, f"{row.mark} {_percent(row.accuracy)}",
              row.mark in front)
        for row in rows
        if row.equivalents and row.energy
    ]  # fmt: skip
    if len(points) < 2:
        return [Notice("missing", "No plot: fewer than two designs have both area and energy.")]
    drawing = scatter(
        "Energy against area, with accuracy",
        points,
        "area, gate equivalents" + (" with macros" if any(row.macros for row in rows) else ""),
        "energy, pJ a frame",
    )
    words = "Down and to the left is better; each point with its accuracy."
    return [Paragraph(words), Picture("scatter", drawing)]


def _missing(found: Sequence[Findings], rows: Sequence[_Row]) -> list[Block]:
    items: list[Inline] = []
    for one, row in zip(found, rows, strict=True):
        for kind in ("verify", "area", "timing", "power"):
            report = one.reports.get(kind)
            if kind == "verify":
                report = one.verifications[0] if one.verifications else None
                fresh = bool(one.verified())
            else:
                fresh = one.fresh(kind) is not None
            if not fresh:
                state = "of other Verilog, left out" if report else "not there"
                command = COMMANDS[kind].replace("DIR", row.place)
                items.append((f"{row.mark}: {kind} {state}; ", Code(command)))
        if not one.accuracy:
            items.append(f"{row.mark}: {one.no_accuracy}")
    return [Bullets(items)] if items else [Paragraph("Nothing.")]


def _notes(found: Sequence[Findings], rows: Sequence[_Row]) -> list[Block]:
    """What the figures leave out, each sentence once, with the designs that it is about."""
    about: dict[str, list[str]] = {}
    for one, row in zip(found, rows, strict=True):
        for kind in ("area", "timing", "power"):
            report = one.fresh(kind)
            if report:
                with reading(report.path):
                    for note in report.content["notes"]:
                        marks = about.setdefault(str(note), [])
                        marks += [row.mark] * (row.mark not in marks)
    if not about:
        return []
    items = [
        note if len(marks) == len(rows) else f"{joined(marks)}: {note}"
        for note, marks in about.items()
    ]
    return [Heading("What is counted, and what not"), Bullets(items)]
