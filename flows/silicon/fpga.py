"""``gatesmith synth --fpga``: what a lowered design takes of an FPGA, and how fast it runs."""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from gatesmith.flows.design import read_design
from gatesmith.flows.folders import make_folder
from gatesmith.flows.progress import working
from gatesmith.flows.silicon.devices import Device, FpgaFamily, Resources, fpga_family
from gatesmith.flows.silicon.fpga_report import FpgaMemory, FpgaModule, FpgaReport, print_fpga
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically
from gatesmith.sim.cache import cached_json, keep_json
from gatesmith.sim.nextpnr import RouterStuck, nextpnr, nextpnr_version
from gatesmith.sim.yosys import tool_version, yosys

__all__ = ["fpga"]

VERSION = 1  # of what is kept between runs; raise it when the recipe below changes

# Modules this many levels below the top keep their borders, as in area reports.
LEVELS = 2
DESIGN = "gatesmith_design"  # instance of the design inside the shift registers
NETLIST, COUNTS, TIMING = (f"reports/fpga.{what}.json" for what in ("netlist", "cells", "timing"))

# In order: nextpnr's own router makes faster designs, but is caught in circles by some placements.
ATTEMPTS = (("--seed", "1"), ("--seed", "2"), ("--seed", "3"), ("--router", "router2"))

# What Yosys and nextpnr append to the name of a register or wire to name a cell after it.
SUFFIX = re.compile(r"(_(SB_|TRELLIS_|LUT4|CCU2C|PFUMX|L6MUX21|DP16KD|MULT18)|\$nextpnr).*$|_LC$")


def fpga(
    directory: str | Path,
    target: str,
    *,
    device: str | None = None,
    console: Console | None = None,
    timeout_seconds: float = 3600,
) -> FpgaReport:
    """Place and route the design in a folder, write ``reports/fpga.json`` and print tables.

    The smallest device that holds it is taken. One that holds it in no device is a result:
    ``fits`` is false. ``reports/fpga.ys`` repeats the synthesis by hand and says how to go on.
    Nothing is written when a step fails, except ``reports/fpga.log``.

    Parameters
    ----------
    directory : path         Written by ``gatesmith lower``.
    target : str             ``ice40`` or ``ecp5``.
    device : str             Of that family; the smallest that fits when None.
    timeout_seconds : float  For each run of Yosys or nextpnr.

    Raises UserError of one line for a missing or failing tool, an unknown target or device, and a
    folder that cannot be written.
    """
    family = fpga_family(target)
    candidates = family.candidates(device)
    directory = Path(directory)
    design = read_design(directory)
    verilog = (directory / "rtl" / f"{design['name']}.v").read_text(encoding="utf-8")
    digest = hashlib.sha256(verilog.encode()).hexdigest()
    versions = [tool_version(), nextpnr_version(target)]
    key = [VERSION, *versions, target, device, design["name"], design["memories"], digest]
    reports = directory / "reports"
    found = cached_json("fpga", key)
    if found:
        report, script = FpgaReport.from_kept(found["report"]), found["script"]
    else:
        make_folder(reports)
        log = reports / "fpga.log"
        with tempfile.TemporaryDirectory(prefix="gatesmith-") as name:
            folder = Path(name)
            (folder / "rtl").mkdir()
            (folder / "reports").mkdir()
            (folder / f"rtl/{design['name']}.v").write_text(verilog, encoding="utf-8")
            run = _Run(family, design, folder, log, timeout_seconds)
            report, script = run.report(candidates, digest, versions)
        log.unlink(missing_ok=True)
        keep_json("fpga", key, {"report": report.kept(), "script": script})
    try:
        reports.mkdir(exist_ok=True)
        write_atomically(reports / "fpga.ys", script)
        write_atomically(reports / "fpga.json", json.dumps(report.to_json(), indent=1) + "\n")
    except OSError as error:
        raise UserError(f"{reports} must be writable: {error.strerror}") from error
    print_fpga(report, console or Console())
    return report


@dataclass(frozen=True)
class _Tree:
    """The design as written: ports of the top, and cells that are modules."""

    ports: dict[str, tuple[str, int]]  # name: (input or output, width)
    children: dict[str, list[tuple[str, str]]]  # module: (instance, module) of its cells

    @classmethod
    def read(cls, dump: str, top: str) -> "_Tree":
        """Read a ``dump`` of ports and instances."""
        ports: dict[str, tuple[str, int]] = {}
        children: dict[str, list[tuple[str, str]]] = {}
        module = ""
        for line in dump.splitlines():
            words = line.split()
            if line.startswith("module "):
                module = words[1].lstrip("\\")
            elif line.startswith("  cell "):
                entry = (words[2].lstrip("\\"), words[1].lstrip("\\"))
                children.setdefault(module, []).append(entry)
            elif line.startswith("  wire ") and module == top:
                direction = next((word for word in words if word in ("input", "output")), None)
                width = int(words[words.index("width") + 1]) if "width" in words else 1
                if direction:
                    ports[words[-1].lstrip("\\")] = (direction, width)
        return cls(ports, children)

    def kept(self, module: str, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple, str]]:
        """Instances of the first levels: path and module, parents first."""
        yield path, module
        if len(path) < LEVELS:
            for instance, child in self.children.get(module, ()):
                yield from self.kept(child, (*path, instance))

    @property
    def pins(self) -> int:
        return sum(width for _, width in self.ports.values())


def _wrapper(top: str, ports: Mapping[str, tuple[str, int]]) -> str:
    """A module that shifts the inputs of the design in and its outputs out, bit by bit."""
    inputs = {n: w for n, (way, w) in ports.items() if way == "input" and n != "clk"}
    outputs = {n: w for n, (way, w) in ports.items() if way == "output"}
    most_in, most_out = max(1, sum(inputs.values())), max(1, sum(outputs.values()))
    ins, taken = ", ".join(inputs), f"{{{', '.join(outputs)}}}" if outputs else "1'b0"
    wires = [f"  wire [{w - 1}:0] {n};" for n, w in (inputs | outputs).items()]
    # Names of our own end in _pins, so as not to meet those of the design.
    lines = [
        f"module {top}_pins (input clk, shift_pins, load_pins, in_pins, output out_pins);",
        f"  reg [{most_in - 1}:0] given_pins;",
        f"  reg [{most_out - 1}:0] taken_pins;",
        *wires,
        *([f"  assign {{{ins}}} = given_pins;"] if inputs else []),
        "  assign out_pins = taken_pins[0];",
        "  always @(posedge clk) begin",
        "    if (shift_pins) given_pins <= {given_pins, in_pins};",
        f"    taken_pins <= load_pins ? {taken} : taken_pins >> 1;",
        "  end",
        f"  {top} {DESIGN} ({', '.join(f'.{name}({name})' for name in ports)});",
        "endmodule",
    ]
    return "\n".join(lines)


@dataclass
class _Run:
    """One design on its way through Yosys and nextpnr, in a folder of its own."""

    family: FpgaFamily
    design: Mapping[str, Any]
    folder: Path
    log: Path
    timeout_seconds: float

    def report(
        self, candidates: tuple[Device, ...], digest: str, versions: list[str]
    ) -> tuple[FpgaReport, str]:
        """The report, and the script that made the netlist."""
        top = self.design["name"]
        tree = self._survey(top)
        wrapped = all(device.package(tree.pins) is None for device in candidates)
        script = self._script(top, tree, wrapped)
        with working(f"Yosys: {self.family.synthesis}"):
            self._yosys(script, "reports/fpga")
        modules = self._modules(top, tree)
        counts, memories = self._netlist()
        everything = self.family.resources(counts)
        tried: list[str] = []
        placed = self._place(candidates, everything, 5 if wrapped else tree.pins, tried)
        device, package, timing = placed if placed else (candidates[-1], "", None)
        total = sum((part.own for part in modules), Resources())
        report = FpgaReport(
            name=top,
            verilog_sha256=digest,
            yosys=versions[0],
            nextpnr=versions[1],
            family=self.family.name,
            device=device.name,
            package=package,
            pins=tree.pins,
            fits=timing is not None,
            max_frequency_mhz=_frequency(timing) if timing else None,
            critical_path=_critical_path(timing) if timing else None,
            utilisation=self._used(device, everything, timing),
            attempts=tuple(tried),
            wrapper=_difference(everything, total) if wrapped else None,
            modules=tuple(modules),
            memories=tuple(memories),
            cells=dict(sorted(counts.items())),
        )
        command = f"nextpnr-{self.family.name} {' '.join(self._arguments(device, package))}"
        head = [
            "# Written by gatesmith synth --fpga. By hand, in the folder of the design:",
            "# yosys reports/fpga.ys",
            f"# {command} --report {TIMING}",
        ]
        return report, "\n".join([*head, *script]) + "\n"

    def _yosys(self, lines: list[str], name: str) -> None:
        yosys(lines, self.folder, name=name, log=self.log, timeout_seconds=self.timeout_seconds)

    def _survey(self, top: str) -> _Tree:
        lines = [f"read_verilog rtl/{top}.v", f"hierarchy -check -top {top}"]
        lines += [f"tee -q -o survey.il dump -m {top}/x:* t:$* %n t:* %i %u"]
        self._yosys(lines, "survey")
        return _Tree.read((self.folder / "survey.il").read_text(encoding="utf-8"), top)

    def _script(self, top: str, tree: _Tree, wrapped: bool) -> list[str]:
        outer = f"{top}_pins" if wrapped else top
        kept = sorted({module for _, module in tree.kept(top)})
        reading = [f"read_verilog rtl/{top}.v"]
        if wrapped:
            reading += ["read_verilog <<EOT", *_wrapper(top, tree.ports).splitlines(), "EOT"]
        return [
            *reading,
            f"hierarchy -check -top {outer}",
            f"setattr -mod -set keep_hierarchy 1 {' '.join(kept)}",
            f"{self.family.synthesis} -top {outer}",
            "delete t:$scopeinfo",
            f"tee -q -o {COUNTS} stat -json",
            "setattr -mod -unset keep_hierarchy *",
            "flatten -noscopeinfo",
            "opt_clean -purge",
            f"write_json {NETLIST}",
        ]

    def _modules(self, top: str, tree: _Tree) -> list[FpgaModule]:
        """Cells of the modules that kept their borders."""
        found = json.loads((self.folder / COUNTS).read_text(encoding="utf-8"))["modules"]
        cells = {module.lstrip("\\"): e["num_cells_by_type"] for module, e in found.items()}
        present: dict[tuple, str] = {}
        for path, module in tree.kept(top):
            # Yosys removes an instance whose outputs nobody reads.
            parent = present.get(path[:-1])
            if not path or (parent is not None and module in _plain(cells[parent])):
                present[path] = module
        return [
            FpgaModule(
                instance=".".join(path),
                module=module,
                own=self.family.resources(_plain(cells[module])),
            )
            for path, module in present.items()
        ]

    def _netlist(self) -> tuple[dict[str, int], list[FpgaMemory]]:
        """Cells of the whole netlist by type, and what became of each memory of the design."""
        netlist = json.loads((self.folder / NETLIST).read_text(encoding="utf-8"))["modules"]
        top = self.design["name"]
        module = netlist.get(f"{top}_pins") or netlist[top]
        counts: dict[str, int] = {}
        rams: dict[str, list[str]] = {"block_rams": [], "lut_rams": []}
        for name, cell in module["cells"].items():
            counts[cell["type"]] = counts.get(cell["type"], 0) + 1
            for kind, names in rams.items():
                if re.fullmatch(self.family.cells.get(kind, "(?!)"), cell["type"]):
                    names.append(name.removeprefix(f"{DESIGN}."))
        left = sorted(cell for cell in counts if cell.startswith("$"))
        if left:
            raise UserError(f"{self.family.name} has no cell for {', '.join(left)} of the design")
        groups: dict[tuple[str, str, str], list[tuple[str, int, int, int, int]]] = {}
        for entry in self.design["memories"]:
            path = entry["instance"]
            made = [sum(n.startswith(f"{path}.") for n in names) for names in rams.values()]
            parts = path.split(".")
            parent = ".".join(parts[: min(len(parts) - 1, LEVELS)])
            word = (path, entry["depth"], entry["width"], made[0], made[1])
            groups.setdefault((parent, parts[-1], entry["kind"]), []).append(word)
        memories = [
            FpgaMemory(instance=parent, name=name, kind=kind, words=tuple(words))
            for (parent, name, kind), words in groups.items()
        ]
        return counts, memories

    def _arguments(self, device: Device, package: str) -> list[str]:
        return [
            *(f"--{device.name}", "--package", package or device.packages[-1][0]),
            *("--json", NETLIST, self.family.unconstrained, "--timing-allow-fail"),
        ]

    def _place(
        self, candidates: tuple[Device, ...], count: Resources, pins: int, tried: list[str]
    ) -> tuple[Device, str, dict[str, Any]] | None:
        """The first device with room: it, its package, nextpnr's report; what was ``tried``."""
        for device in candidates:
            package = device.package(pins)
            if package is None or not self.family.has_room(device, count):
                tried.append(f"{device.name}: too small.")
                continue
            for options in ATTEMPTS:
                arguments = [*self._arguments(device, package), *options]
                try:
                    with working(f"nextpnr on {device.name}, {' '.join(options)}"):
                        timing = nextpnr(
                            self.family.name,
                            arguments,
                            self.folder,
                            report=TIMING,
                            log=self.log,
                            timeout_seconds=self.timeout_seconds,
                        )
                except RouterStuck:
                    tried.append(f"{device.name} with {' '.join(options)}: the router was stuck.")
                    if options == ATTEMPTS[-1]:
                        raise
                    continue
                if timing is None:
                    tried.append(f"{device.name}: nextpnr finds no room.")
                    break
                tried.append(f"{device.name} with {' '.join(options)}: placed and routed.")
                return device, package, timing
        return None

    def _used(
        self, device: Device, count: Resources, timing: dict[str, Any] | None
    ) -> dict[str, dict[str, int]]:
        if timing is None:
            least = {
                "logic_cells": (self.family.least_logic_cells(count), device.logic_cells),
                "block_rams": (count.block_rams, device.block_rams),
                "multipliers": (count.multipliers, device.multipliers),
            }
            return {k: {"used": used, "available": most} for k, (used, most) in least.items()}
        found = timing.get("utilization", {})
        return {
            name: {"used": int(found[place]["used"]), "available": int(found[place]["available"])}
            for place, name in self.family.utilisation.items()
            if place in found
        }


def _plain(counts: Mapping[str, int]) -> dict[str, int]:
    return {cell.lstrip("\\"): number for cell, number in counts.items()}


def _difference(all_: Resources, part: Resources) -> Resources:
    return Resources(**{name: getattr(all_, name) - n for name, n in vars(part).items()})


def _frequency(timing: Mapping[str, Any]) -> float | None:
    """Of the slowest clock, MHz."""
    found = [clock["achieved"] for clock in timing.get("fmax", {}).values()]
    return round(min(found), 2) if found else None


def _readable(name: str) -> str:
    """A cell's name back to the register or wire that it was named after."""
    return SUFFIX.sub("", name).removeprefix(f"{DESIGN}.") or name


def _critical_path(timing: Mapping[str, Any]) -> dict[str, Any] | None:
    """The slowest path between registers of one clock."""
    paths = [p for p in timing.get("critical_paths", []) if p["from"] == p["to"] != "<async>"]
    if not paths:
        return None
    steps = max(paths, key=lambda path: sum(step["delay"] for step in path["path"]))["path"]
    routing = sum(step["delay"] for step in steps if step["type"] == "routing")
    delay = sum(step["delay"] for step in steps)
    nets = [_readable(step["net"]) for step in steps if "net" in step]
    return {
        "from": _readable(steps[0]["from"]["cell"]),
        "to": _readable(steps[-1]["to"]["cell"]),
        "delay_ns": round(delay, 3),
        "logic_ns": round(delay - routing, 3),
        "routing_ns": round(routing, 3),
        "levels": sum(step["type"] == "logic" for step in steps),
        "nets": list(dict.fromkeys(nets)),
    }
