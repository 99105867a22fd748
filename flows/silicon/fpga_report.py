"""What a design takes of an FPGA, as a report file and as tables."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from gatesmith.flows.silicon.devices import Resources

__all__ = ["FpgaMemory", "FpgaModule", "FpgaReport", "print_fpga"]

FORMAT, VERSION = "gatesmith-fpga", 1

TITLES = {
    "luts": "LUTs",
    "flip_flops": "flip-flops",
    "carries": "carries",
    "wide_muxes": "wide muxes",
    "lut_rams": "LUT RAMs",
    "block_rams": "block RAMs",
    "multipliers": "multipliers",
}


@dataclass(frozen=True, kw_only=True)
class FpgaModule:
    """One instance of the hierarchy: its own cells, without what lies below it."""

    instance: str  # path from the top, which is ""
    module: str
    own: Resources


@dataclass(frozen=True, kw_only=True)
class FpgaMemory:
    """Memories of one name in one module of the hierarchy, and what they became.

    ``words`` holds of each memory: its path, depth, width, block RAMs, LUT RAMs. A memory with
    neither is made of look-up tables and flip-flops, which are counted with its module.
    """

    instance: str
    name: str
    kind: str
    words: tuple[tuple[str, int, int, int, int], ...]

    @property
    def bits(self) -> int:
        """Bits of all these memories."""
        return sum(depth * width for _, depth, width, _, _ in self.words)

    @property
    def block_rams(self) -> int:
        """Block RAMs of all these memories."""
        return sum(entry[3] for entry in self.words)

    @property
    def lut_rams(self) -> int:
        """RAMs of look-up tables of all these memories."""
        return sum(entry[4] for entry in self.words)


@dataclass(frozen=True, kw_only=True)
class FpgaReport:
    """What Yosys and nextpnr found.

    Members
    -------
    name, verilog_sha256 : str        The design.
    yosys, nextpnr : str              Packages and versions.
    family, device, package : str     ``device`` is the one it was placed on, or the largest tried.
    fits : bool                       Whether a device took it.
    max_frequency_mhz : float | None  Of the slowest clock; None without a placement or a clock.
    critical_path : dict | None       From, to, delay and its parts, ns, levels, nets in order.
    utilisation : dict                Kind of place to used and available; without a placement a
                                      lower bound of what is used.
    attempts : tuple                  How nextpnr was run in the end, and what was tried before.
    wrapper : Resources | None        Shift registers around a design with more ports than pins.
    """

    name: str
    verilog_sha256: str
    yosys: str
    nextpnr: str
    family: str
    device: str
    package: str
    pins: int
    fits: bool
    max_frequency_mhz: float | None
    critical_path: dict[str, Any] | None
    utilisation: dict[str, dict[str, int]]
    attempts: tuple[str, ...]
    wrapper: Resources | None
    modules: tuple[FpgaModule, ...]
    memories: tuple[FpgaMemory, ...]
    cells: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> Resources:
        """The design without its wrapper."""
        return sum((part.own for part in self.modules), Resources())

    def below(self, instance: str) -> Resources:
        """An instance with all that lies below it."""
        inside = [
            part.own
            for part in self.modules
            if not instance or f"{part.instance}.".startswith(f"{instance}.")
        ]
        return sum(inside, Resources())

    def kept(self) -> dict[str, Any]:
        """Plain dictionaries and lists, for the cache."""
        return asdict(self)

    @classmethod
    def from_kept(cls, data: Mapping[str, Any]) -> "FpgaReport":
        """The report that :meth:`kept` described."""
        modules = [FpgaModule(**{**m, "own": Resources(**m["own"])}) for m in data["modules"]]
        memories = [
            FpgaMemory(**{**m, "words": tuple(map(tuple, m["words"]))}) for m in data["memories"]
        ]
        wrapper = Resources(**data["wrapper"]) if data["wrapper"] else None
        return cls(
            **{
                **data,
                "attempts": tuple(data["attempts"]),
                "modules": tuple(modules),
                "memories": tuple(memories),
                "wrapper": wrapper,
            }
        )

    def to_json(self) -> dict[str, Any]:
        """The content of ``reports/fpga.json``."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "verilog_sha256": self.verilog_sha256,
            "yosys": self.yosys,
            "nextpnr": self.nextpnr,
            "target": {
                "family": self.family,
                "device": self.device,
                "package": self.package,
                "pins": self.pins,
            },
            "fits": self.fits,
            "notes": self.notes(),
            "attempts": list(self.attempts),
            "max_frequency_mhz": self.max_frequency_mhz,
            "critical_path": self.critical_path,
            "utilisation": self.utilisation,
            "total": asdict(self.total),
            "wrapper": asdict(self.wrapper) if self.wrapper else None,
            "hierarchy": [
                {
                    "instance": part.instance,
                    "module": part.module,
                    "own": asdict(part.own),
                    "with_all_below": asdict(self.below(part.instance)),
                }
                for part in self.modules
            ],
            "memories": [
                {
                    "instance": memory.instance,
                    "name": memory.name,
                    "kind": memory.kind,
                    "count": len(memory.words),
                    "bits": memory.bits,
                    "block_rams": memory.block_rams,
                    "lut_rams": memory.lut_rams,
                    "each": [
                        {
                            "instance": path,
                            "depth": depth,
                            "width": width,
                            "bits": depth * width,
                            "block_rams": blocks,
                            "lut_rams": tables,
                        }
                        for path, depth, width, blocks, tables in memory.words
                    ],
                }
                for memory in self.memories
            ],
            "cells": self.cells,
        }

    def notes(self) -> list[str]:
        """What the numbers mean and leave out, one sentence each."""
        lines = [
            "Cells of modules are counted before packing; a logic cell holds a LUT and a flip-flop."
        ]
        if self.fits:
            lines.append(
                "The frequency is nextpnr's for this placement, slowest corner, from register to "
                "register; another seed moves it by some per cent."
            )
        else:
            lines.append("It does not fit: what is used of a device is a lower bound.")
        if self.family == "ecp5":
            lines.append("Speed grade 6, the slowest.")
        if self.wrapper:
            lines.append(
                f"{self.pins} port bits are more than any package has pins: shift registers feed "
                "them, counted apart but in what is used of the device."
            )
        if any(memory.block_rams + memory.lut_rams == 0 for memory in self.memories):
            lines.append(
                "Memories too small for a block RAM are LUTs and flip-flops of their module."
            )
        return lines


def _row(count: Resources, kinds: list[str]) -> list[str]:
    return [f"{getattr(count, kind):,}" for kind in kinds]


def print_fpga(report: FpgaReport, console: Console) -> None:
    """The report as tables: device, hierarchy, memories."""
    place = f"{report.family} {report.device} {report.package}".strip()
    digest = report.verilog_sha256[:12]
    speed = f"{report.max_frequency_mhz:.1f} MHz" if report.max_frequency_mhz else "no clock"
    verdict = f"{speed} on {place}" if report.fits else f"does not fit {place}"
    console.print(
        f"{report.name}: {verdict} ({report.nextpnr}, {report.yosys}, Verilog {digest})",
        highlight=False,
        soft_wrap=True,
    )
    used = Table(title="Device", title_justify="left")
    used.add_column("place")
    for column in ("used", "available", "%"):
        used.add_column(column, justify="right")
    for kind, entry in report.utilisation.items():
        share = 100 * entry["used"] / entry["available"] if entry["available"] else 0.0
        row = [f"{entry['used']:,}", f"{entry['available']:,}", f"{share:.1f}"]
        used.add_row(kind.replace("_", " "), *row)
    console.print(used)
    total = report.total + (report.wrapper or Resources())
    kinds = [kind for kind, number in asdict(total).items() if number]
    tree = Table(title="Modules with all below", title_justify="left")
    tree.add_column("instance")
    for kind in kinds:
        tree.add_column(TITLES[kind], justify="right")
    for part in report.modules:
        level = part.instance.count(".") + 1 if part.instance else 0
        label = part.instance.rsplit(".", 1)[-1] or report.name
        tree.add_row("  " * level + label, *_row(report.below(part.instance), kinds))
    if report.wrapper:
        tree.add_row("shift registers around it", *_row(report.wrapper, kinds))
    console.print(tree)
    if report.memories:
        table = Table(title="Memories", title_justify="left")
        for column in ("memory", "kind"):
            table.add_column(column)
        for column in ("number", "bits", "block RAMs", "LUT RAMs"):
            table.add_column(column, justify="right")
        table.add_column("made of")
        for memory in report.memories:
            label = f"{memory.instance}.{memory.name}".lstrip(".")
            numbers = (len(memory.words), memory.bits, memory.block_rams, memory.lut_rams)
            made = "block RAM" if memory.block_rams else "LUT RAM" if memory.lut_rams else "logic"
            table.add_row(label, memory.kind, *(f"{number:,}" for number in numbers), made)
        console.print(table)
    path = report.critical_path
    if path:
        console.print(
            f"Critical path: {path['from']} to {path['to']}, {path['delay_ns']:.2f} ns in "
            f"{path['levels']} cells ({path['routing_ns']:.2f} ns of it wires)",
            highlight=False,
            soft_wrap=True,
        )
    for line in (*report.attempts, *report.notes()):
        console.print(line, highlight=False, soft_wrap=True)
