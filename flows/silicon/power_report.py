"""The energy report of a design: totals, parts, and what the figures leave out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from gatesmith.flows.silicon.energy import KINDS

__all__ = ["PartEnergy", "PowerReport", "power_notes", "print_power"]

FORMAT, VERSION = "gatesmith-power", 1
LABELS = {
    "clock": "clock pins",
    "flip_flop": "flip-flops",
    "logic": "gates",
    "switching": "nets",
    "leakage": "leakage",
}


@dataclass(frozen=True, kw_only=True)
class PartEnergy:
    """Energy of a part of the design, pJ a frame by kind, without the parts below it.

    ``memory`` is whether the part is a memory that was mapped to cells.
    """

    instance: str
    label: str
    memory: bool
    kinds: dict[str, float]

    @property
    def total(self) -> float:
        """Of all kinds."""
        return sum(self.kinds.values())


@dataclass(frozen=True, kw_only=True)
class MacroEnergy:
    """A memory that is no cell: what its model says for the accesses that were seen.

    Accesses are clocks a frame with a read, and with a write; energies are in pJ a frame. ``group``
    is the part of the design and the name that a memory has with others of its kind.
    """

    instance: str
    group: str
    bits: int
    reads: float
    writes: float
    access: float
    leakage: float


@dataclass(frozen=True, kw_only=True)
class PowerReport:
    """Energy of a design, measured over frames that were sent back to back.

    Members
    -------
    frames, clocks : int       How many were measured, from the first input to the last output.
    source : str               Where the frames come from.
    words : int                Output words that were compared, and equal.
    clock_mhz : float          Clock that leakage and power are stated at.
    max_mhz : float            The fastest that static timing allows.
    operations : int           A frame; ``operation`` says what one is.
    parts : tuple              Energy by part.
    macros : tuple             Energy of memory macros, apart from everything else.
    clock_switching : float    The part of ``clock`` that charges the pins, pJ a frame.
    unknown : int              Flip-flops that held no known value at the start.
    second : dict or None      OpenSTA's figures in mW for the same activity, or why there are none.
    """

    name: str
    verilog_sha256: str
    yosys: str
    simulator: str
    library: Mapping[str, Any]
    frames: int
    clocks: int
    source: str
    words: int
    clock_mhz: float
    max_mhz: float
    operations: int
    operation: str
    parts: tuple[PartEnergy, ...]
    macros: tuple[MacroEnergy, ...] = ()
    memory_model: Mapping[str, Any] | None = None
    clock_switching: float = 0.0
    unknown: int = 0
    second: Mapping[str, Any] | None = field(default=None)

    @property
    def kinds(self) -> dict[str, float]:
        """Energy of all cells, pJ a frame by kind."""
        return {kind: sum(part.kinds[kind] for part in self.parts) for kind in KINDS}

    @property
    def cells_pj(self) -> float:
        """Energy of all cells, pJ a frame."""
        return sum(self.kinds.values())

    @property
    def macros_pj(self) -> float:
        """Energy of the memory macros, pJ a frame."""
        return sum(macro.access + macro.leakage for macro in self.macros)

    def per_operation(self, picojoules: float) -> float:
        """Energy of an operation, pJ; 0 where there is nothing to do."""
        return picojoules / self.operations if self.operations else 0.0

    def milliwatts(self, picojoules: float) -> float:
        """Mean power of an energy a frame, at the stated clock."""
        return picojoules * self.frames * self.clock_mhz / self.clocks * 1e-3

    def to_json(self) -> dict[str, Any]:
        """The content of ``reports/power.json``."""
        total = self.cells_pj + self.macros_pj
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "verilog_sha256": self.verilog_sha256,
            "yosys": self.yosys,
            "simulator": self.simulator,
            "library": dict(self.library),
            "memory_model": dict(self.memory_model) if self.memory_model else None,
            "notes": power_notes(self),
            "frames": {
                "count": self.frames,
                "source": self.source,
                "clocks": self.clocks,
                "words_equal": self.words,
                "flip_flops_unknown_at_start": self.unknown,
            },
            "clock_mhz": self.clock_mhz,
            "max_mhz": _round(self.max_mhz),
            "operations_per_frame": self.operations,
            "operation": self.operation,
            "total": {
                "pj_per_frame": _round(total),
                "cells_pj_per_frame": _round(self.cells_pj),
                "macros_pj_per_frame": _round(self.macros_pj),
                "pj_per_operation": _round(self.per_operation(total)),
                "pj_per_clock": _round(total * self.frames / self.clocks),
                "power_mw": _round(self.milliwatts(total)),
            },
            "kinds_pj_per_frame": _rounded(self.kinds),
            "clock_pins_switching_pj_per_frame": _round(self.clock_switching),
            "parts": [
                {
                    "instance": part.instance,
                    "label": part.label,
                    "memory": part.memory,
                    "pj_per_frame": _round(part.total),
                    "kinds_pj_per_frame": _rounded(part.kinds),
                }
                for part in self.parts
            ],
            "macros": [
                {name: _round(v) if isinstance(v, float) else v for name, v in asdict(m).items()}
                for m in self.macros
            ],
            "opensta": dict(self.second) if self.second else None,
        }


def _round(value: float) -> float:
    return float(f"{value:.6g}")


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: _round(value) for name, value in values.items()}


def power_notes(report: PowerReport) -> list[str]:
    """What the figures include and leave out, one sentence each."""
    library = report.library
    lines = [
        (
            f"{report.frames} frames ({report.source}), sent back to back: {report.clocks:,} "
            "clocks from the first input to the last output, the filling of the pipeline among "
            "them."
        ),
        (
            f"Cell library {library['name']}, one corner: {library['corner']}; mapped by "
            f"{report.yosys}; simulated by {report.simulator}, every answer equal to the golden "
            f"model's ({report.words:,} words)."
        ),
        (
            f"Power and leakage at {report.clock_mhz:g} MHz; static timing allows "
            f"{report.max_mhz:.1f} MHz."
        ),
        (
            "Before placement: no wires, no clock tree; the clock is counted as the flip-flops' "
            "clock pins, internal energy and C V²."
        ),
        "No glitches: the simulation has no delays, so a net changes at most once a clock.",
        "Not counted: what drives the inputs, and loading a configuration.",
        (
            "Internal energy from the library's tables at the driven load and the slews of static "
            "timing, by state where the library has conditions."
        ),
    ]
    if report.unknown:
        lines.append(
            f"{report.unknown} flip-flops held no known value at the start and were counted as 0."
        )
    if report.macros and report.memory_model:
        sources = {macro["source"] for macro in report.memory_model["macros"].values()}
        lines.append(
            f"Memory macros are listed apart, by a model of bits read, written and kept: "
            f"{report.memory_model['technology']}; {'; '.join(sorted(sources))}."
        )
    return lines


def print_power(report: PowerReport, console: Console) -> None:
    """The report as a table."""
    total = report.cells_pj + report.macros_pj
    console.print(
        f"[bold]{report.name}[/]: {_energy(total)} a frame, "
        f"{report.per_operation(total):,.3g} pJ an operation, "
        f"{report.milliwatts(total):,.3g} mW at {report.clock_mhz:g} MHz "
        f"({report.library['name']}, {report.yosys})"
    )
    table = Table(title="Energy, pJ a frame", title_justify="left")
    table.add_column("part")
    table.add_column("instance")
    for column in (*LABELS.values(), "total", "%"):
        table.add_column(column, justify="right")
    for part in sorted(report.parts, key=lambda part: -part.total):
        share = 100 * part.total / total if total else 0.0
        values = [f"{part.kinds[kind]:,.1f}" for kind in KINDS]
        instance = part.instance or report.name
        table.add_row(part.label, instance, *values, f"{part.total:,.1f}", f"{share:.1f}")
    for group in dict.fromkeys(macro.group for macro in report.macros):
        macros = [macro for macro in report.macros if macro.group == group]
        leakage = sum(macro.leakage for macro in macros)
        energy = leakage + sum(macro.access for macro in macros)
        row = ["–"] * (len(KINDS) - 1) + [f"{leakage:,.1f}", f"{energy:,.1f}"]
        label = f"{len(macros)} memory macro{'s' * (len(macros) > 1)}"
        table.add_row(label, group, *row, f"{100 * energy / total:.1f}")
    values = [f"{report.kinds[kind]:,.1f}" for kind in KINDS]
    table.add_row("total", "", *values, f"{total:,.1f}", "100.0", style="bold")
    console.print(table)
    if report.second:
        console.print(_second(report), highlight=False)
    for line in power_notes(report):
        console.print(line, highlight=False)


def _second(report: PowerReport) -> str:
    second = report.second or {}
    if "error" in second:
        return f"OpenSTA gave no second opinion: {second['error']}"
    ours = report.milliwatts(report.cells_pj - report.clock_switching)
    blind = "" if second["internal"] else " (this version finds no energy tables in this library)"
    return (
        f"{second['version']} on the same activity{blind}: {second['total']:.4g} mW (internal "
        f"{second['internal']:.4g}, nets {second['switching']:.4g}, leakage "
        f"{second['leakage']:.4g}); ours, without the charge of the clock pins, which it does "
        f"not count: {ours:.4g} mW"
    )


def _energy(picojoules: float) -> str:
    return f"{picojoules / 1000:,.3f} nJ" if picojoules >= 1000 else f"{picojoules:,.1f} pJ"
