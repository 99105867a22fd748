"""The timing report of a design: the shortest clock period, and the path that sets it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from gatesmith.flows.silicon.timing import Path, Timing

__all__ = ["TimingReport", "print_timing", "timing_report"]

FORMAT, VERSION = "gatesmith-timing", 1


@dataclass(frozen=True, kw_only=True)
class TimingReport:
    """Timing of a mapped design. Times are in ns.

    Members
    -------
    period : float or None   Shortest clock period; None for a library without delays.
    levels : int             Gates on the longest way between registers, ports or both.
    path : Path or None      The path that sets the period.
    parts : tuple            (instance, label, period) of the paths that end in each part.
    second : dict or None    OpenSTA's period, or why it has none.
    """

    name: str
    verilog_sha256: str
    yosys: str
    library: Mapping[str, Any]
    period: float | None
    levels: int
    path: Path | None
    parts: tuple[tuple[str, str, float], ...]
    second: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The content of ``reports/timing.json``."""
        path = None
        if self.path:
            path = asdict(self.path) | {"steps": [asdict(step) for step in self.path.steps]}
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "verilog_sha256": self.verilog_sha256,
            "yosys": self.yosys,
            "library": dict(self.library),
            "method": "static timing by gatesmith, from the library's tables",
            "notes": timing_notes(self),
            "period_ns": self.period,
            "max_mhz": 1000 / self.period if self.period else None,
            "levels": self.levels,
            "critical_path": path,
            "parts": [
                {"instance": instance, "label": label, "period_ns": period}
                for instance, label, period in self.parts
            ],
            "opensta": dict(self.second) if self.second else None,
        }


def timing_report(
    timing: Timing,
    *,
    verilog_sha256: str,
    yosys: str,
    library: Mapping[str, Any],
    timed: bool,
    label: Callable[[str], str],
    second: Mapping[str, Any] | None,
) -> TimingReport:
    """The report of an analysis; ``label`` names the part of an instance in words."""
    parts = ((part, label(part), period) for part, period in timing.parts.items())
    return TimingReport(
        name=timing.netlist.top,
        verilog_sha256=verilog_sha256,
        yosys=yosys,
        library=library,
        period=timing.period if timed else None,
        levels=len(timing.netlist.levels),
        path=timing.path() if timed else None,
        parts=tuple(sorted(parts, key=lambda part: -part[2])) if timed else (),
        second=second,
    )


def timing_notes(report: TimingReport) -> list[str]:
    """What the figures mean and leave out, one sentence each."""
    if report.period is None:
        return ["The library has no delays: only levels of gates are counted."]
    return [
        f"One corner: {report.library['corner']}.",
        "Before placement: no wires, an ideal clock that reaches all flip-flops at once.",
        "Ports switch at the clock edge and have no load or delay outside.",
    ]


def print_timing(report: TimingReport, console: Console) -> None:
    """The report as a table of the critical path."""
    if report.period is None or report.path is None:
        console.print(f"Longest path: {report.levels} levels of gates (the library has no delays)")
        return
    console.print(
        f"Shortest clock period {report.period:.3f} ns, {1000 / report.period:.1f} MHz; "
        f"{report.levels} levels of gates"
    )
    if report.second:
        second = report.second
        found = f"{second['period_ns']:.3f} ns" if "period_ns" in second else second["error"]
        console.print(f"{second['version']} says {found}", highlight=False)
    title = f"Critical path, {report.path.kind}, to {report.path.end}"
    table = Table(title=title, title_justify="left")
    for column in ("instance", "cell", "net", "edge"):
        table.add_column(column)
    for column in ("fan-out", "load fF", "slew ns", "delay ns", "at ns"):
        table.add_column(column, justify="right")
    for step in report.path.steps:
        figures = [f"{value:.3f}" for value in (step.slew, step.delay, step.arrival)]
        where = (step.instance or "(port)", step.cell, step.net, step.edge)
        table.add_row(*where, str(step.fanout), f"{step.load:.1f}", *figures)
    setup = f"{report.path.setup:.3f}"
    table.add_row("setup", "", "", "", "", "", "", setup, f"{report.path.period:.3f}")
    console.print(table)
    slowest = ", ".join(f"{label} {period:.3f} ns" for _, label, period in report.parts[:6])
    console.print(f"By part: {slowest}", highlight=False)
    for line in timing_notes(report):
        console.print(line, highlight=False)
