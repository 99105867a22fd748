"""Maps Verilog to gates and cells with Yosys, in the hierarchy of the design, memories apart."""

import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatesmith.flows.folders import make_folder
from gatesmith.flows.silicon.area import AreaReport, Count, MemoryArea, ModuleArea
from gatesmith.flows.silicon.liberty import Library
from gatesmith.models.errors import UserError
from gatesmith.sim.yosys import tool_version, yosys

__all__ = ["RECIPE", "cells_of", "measure"]

# Modules this many levels below the top keep their borders: top, Core, layers. Lanes are
# dissolved into their layer: ABC then runs for a layer instead of for a hundred lanes, and
# shares logic between them (on a 64-64-64-10 design in 40 % of the time and 3 % less area).
LEVELS = 2

KINDS = ("rom", "flipflop", "sram")
MEMORY = "gatesmith_memory"  # name of the modules that memories are gathered in

# The script of Yosys with ifraig for its SAT sweep (&fraig -x), which does not finish on the XORs
# of an LFSR that looks far ahead. Commas stand for blanks.
ABC = '-script "+strash;ifraig;dc2;strash;&get,-n;&dch,-f;&nf;&put"'

# After reading, with the borders set. {library} and {avoid} are filled in.
FLIP_FLOPS = "t:$_*DFF*_ t:$_DLATCH*_ t:$_SR_*_"
RECIPE = (
    "# As 'synth' does it, without its fsm and share passes, which change nothing here.",
    *"opt_expr; opt_clean; opt -nodffe -nosdff; opt; wreduce; peepopt; opt_clean".split("; "),
    *"alumacc; opt; memory -nomap; opt_clean; opt -fast -full; memory_map; opt -full".split("; "),
    *"techmap; opt -fast; design -save gates".split("; "),
    "# Generic gates. ABC sees no flip-flops, or it would run once for every clock enable.",
    f"select t:$_*_ {FLIP_FLOPS.replace(' ', ' %d ')} %d",
    f"abc {ABC}",
    *"select -clear; opt_clean".split("; "),
    "tee -q -o reports/area.generic.json stat -json",
    "# Transistors of the gates alone: the estimate knows few kinds of flip-flops.",
    f"delete {FLIP_FLOPS}",
    "tee -q -o reports/area.cmos.json stat -json -tech cmos",
    "# Cells of the library. No delay target, no buffers for nets of high fan-out.",
    "design -load gates",
    "dfflibmap{avoid} -liberty {library}",
    f"abc {ABC}{{avoid}} -liberty {{library}}",
    "opt_clean",
    "tee -q -o reports/area.mapped.json stat -json",
)


@dataclass(frozen=True)
class _Survey:
    """What the design consists of: cells that are modules, and memory objects."""

    children: dict[str, list[tuple[str, str]]]  # module: (instance, module) of its cells
    memories: dict[str, list[tuple[str, int, int]]]  # module: (name, depth, width)

    def kind(self, module: str, instance: str) -> str | None:
        """Kind of a memory module, from its name or that of its instance."""
        for name in (module, instance):
            ending = name.rsplit("_", 1)[-1]
            if ending in KINDS and (module in self.memories or ending == "sram"):
                return ending
        return None

    def walk(self, module: str, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple, str]]:
        """Every instance: its path and its module, parents first."""
        yield path, module
        for instance, child in self.children.get(module, ()):
            yield from self.walk(child, (*path, instance))


def _read_survey(dump: str) -> _Survey:
    """Read a ``dump`` of instances and memories."""
    children: dict[str, list] = {}
    memories: dict[str, list] = {}
    module = ""
    for line in dump.splitlines():
        words = line.split()
        if line.startswith("module "):
            module = words[1].lstrip("\\")
        elif line.startswith("  cell "):
            children.setdefault(module, []).append((words[2].lstrip("\\"), words[1].lstrip("\\")))
        elif line.startswith("  memory "):
            sizes = {words[k]: int(words[k + 1]) for k in range(1, len(words) - 1, 2)}
            entry = (words[-1].lstrip("\\"), sizes.get("size", 1), sizes.get("width", 1))
            memories.setdefault(module, []).append(entry)
    return _Survey(children, memories)


@dataclass
class _Group:
    """Memories of one name below one kept instance; they are mapped as one module."""

    parent: tuple[str, ...]
    module: str  # of the parent
    name: str
    kind: str
    words: list[tuple[str, int, int]]
    members: set[str]  # modules of the memories


def _plan(survey: _Survey, top: str) -> tuple[dict[tuple, str], list[_Group]]:
    """Instances that keep their borders (path to module), and the groups of memories."""
    kept: dict[tuple, str] = {}
    groups: dict[tuple, _Group] = {}
    for path, module in survey.walk(top):
        kind = survey.kind(module, path[-1]) if path else None
        if not kind and len(path) <= LEVELS:
            kept[path] = module
        parent = path[: min(len(path) - bool(kind), LEVELS)]
        # A macro may come without a body: then its size is not known.
        for memory, depth, width in survey.memories.get(module, [("", 0, 0)] if kind else []):
            # Amaranth numbers what has a name that is taken.
            name = path[-1] if kind else re.sub(r"\$\d+$", "", memory.rsplit(".", 1)[-1])
            empty = _Group(parent, kept[parent], name, kind or "table", [], set())
            group = groups.setdefault((parent, name, kind), empty)
            group.members.add(module)
            place = path if kind else (*path, memory)
            group.words.append((".".join(place), depth, width))
    return kept, list(groups.values())


def _gathered(groups: list[_Group]) -> dict[tuple[str, str], str]:
    """Module in which the memories of a name in a kept module are gathered."""
    apart = [(g.module, g.name) for g in groups if g.kind in ("rom", "flipflop")]
    return {key: f"{MEMORY}{number}" for number, key in enumerate(dict.fromkeys(apart))}


def _borders(top: str, kept: dict[tuple, str], groups: list[_Group]) -> list[str]:
    """Commands that leave the kept modules, and one module for each group of memories."""
    macros = sorted({m for g in groups if g.kind == "sram" for m in g.members})
    apart = [g for g in groups if g.kind in ("rom", "flipflop")]
    memories = sorted({m for g in apart for m in g.members})
    gathered = _gathered(groups)
    cells: dict[str, set[str]] = {}
    for group in apart:
        chosen = {f"{group.module}/t:{member}" for member in group.members}
        cells.setdefault(gathered[group.module, group.name], set()).update(chosen)
    lines = [f"hierarchy -check -top {top}"]
    if macros:
        lines += [f"blackbox {' '.join(macros)}"]
    borders = [*sorted(set(kept.values())), *memories]
    lines += [f"setattr -mod -set keep_hierarchy 1 {' '.join(borders)}", "proc"]
    # submod passes over a module that holds a memory which is not yet a cell.
    lines += ["flatten -noscopeinfo", "memory_collect"]
    for name, chosen in cells.items():
        lines += [f"select -set group {' '.join(sorted(chosen))}", f"submod -name {name} @group"]
    if apart:
        lines += [f"setattr -mod -unset keep_hierarchy {' '.join(memories)}"]
        lines += [f"setattr -mod -set keep_hierarchy 1 {MEMORY}*", "flatten -noscopeinfo"]
    return lines


@dataclass
class _Statistics:
    """What the three ``stat`` commands said of each module."""

    generic: dict[str, Counter]
    mapped: dict[str, Counter]
    transistors: dict[str, int]
    library: Library

    @classmethod
    def read(cls, reports: Path, library: Library) -> "_Statistics":
        def modules(name: str) -> dict[str, Any]:
            found = json.loads((reports / f"area.{name}.json").read_text())["modules"]
            return {module.lstrip("\\"): entry for module, entry in found.items()}

        def cells(name: str) -> dict[str, Counter]:
            return {m: Counter(e["num_cells_by_type"]) for m, e in modules(name).items()}

        transistors = {
            module: int(str(entry.get("estimated_num_transistors", 0)).rstrip("+"))
            for module, entry in modules("cmos").items()
        }
        return cls(cells("generic"), cells("mapped"), transistors, library)

    def own_transistors(self, module: str) -> int:
        """The estimate for a module includes the modules in it."""
        below = {m: n for m, n in self.generic[module].items() if m in self.transistors}
        return self.transistors[module] - sum(self.transistors[m] * n for m, n in below.items())

    def count(self, module: str) -> Count:
        """A module without the modules in it; UserError when a cell was left unmapped."""
        mapped = {c: n for c, n in self.mapped[module].items() if c in self.library.areas}
        left = [cell for cell in self.mapped[module] if cell.startswith("$")]
        if left:
            raise UserError(
                f"Liberty library {self.library.path} has no cell for {', '.join(sorted(left))}"
            )
        generic = {c: n for c, n in self.generic[module].items() if c.startswith("$_")}
        flops = {c: n for c, n in mapped.items() if c in self.library.flip_flops}
        return Count(
            generic_cells=sum(generic.values()),
            transistors=self.own_transistors(module),
            flip_flops=sum(n for c, n in generic.items() if re.search("FF|LATCH|_SR_", c)),
            mapped_cells=sum(mapped.values()),
            area=sum(self.library.areas[c] * n for c, n in mapped.items()),
            flip_flop_area=sum(self.library.areas[c] * n for c, n in flops.items()),
        )


def measure(
    verilog: str, top: str, library: Library, *, log: Path, timeout_seconds: float = 3600
) -> tuple[AreaReport, str]:
    """Area of a design, and the script that found it.

    The script runs in a folder that holds ``rtl/<top>.v`` and ``reports/``.

    Parameters
    ----------
    verilog : str      The whole design.
    top : str          Its top module.
    library : Library  Cells to map to.
    log : Path         Where the log of Yosys stays when it fails; nothing is left when it works.
    """
    make_folder(log.parent)
    with tempfile.TemporaryDirectory(prefix="gatesmith-") as name:
        folder = Path(name)
        (folder / "rtl").mkdir()
        (folder / "reports").mkdir()
        (folder / f"rtl/{top}.v").write_text(verilog)
        reading = f"read_verilog rtl/{top}.v"
        dump = "tee -q -o survey.il dump -n t:$* %n t:* %i m:* %u"
        lines = [reading, f"hierarchy -check -top {top}", dump]
        yosys(lines, folder, name="survey", log=log, timeout_seconds=timeout_seconds)
        kept, groups = _plan(_read_survey((folder / "survey.il").read_text()), top)
        avoid = "".join(f" -dont_use {cell}" for cell in library.avoid)
        path = f'"{library.path.resolve()}"'
        script = [
            "# Written by gatesmith synth. By hand, in the folder of the design:",
            "# yosys reports/area.ys",
            reading,
            *_borders(top, kept, groups),
            *(line.format(avoid=avoid, library=path) for line in RECIPE),
        ]
        yosys(script, folder, name="reports/area", log=log, timeout_seconds=timeout_seconds)
        statistics = _Statistics.read(folder / "reports", library)
    report = _report(verilog, top, library, kept, groups, statistics)
    log.unlink(missing_ok=True)
    return report, "\n".join(script) + "\n"


def _report(
    verilog: str,
    top: str,
    library: Library,
    kept: dict[tuple, str],
    groups: list[_Group],
    statistics: _Statistics,
) -> AreaReport:
    present: dict[tuple, str] = {}
    for path, module in kept.items():
        # Yosys removes an instance whose outputs nobody reads.
        if not path or (path[:-1] in present and statistics.mapped[present[path[:-1]]][module]):
            present[path] = module
    modules = tuple(
        ModuleArea(instance=".".join(path), module=module, own=statistics.count(module))
        for path, module in present.items()
    )
    gathered = _gathered(groups)
    memories, names = [], list(present.values())
    for group in groups:
        name = gathered.get((group.module, group.name), "")
        names += [name] if name in statistics.mapped else []
        memories.append(
            MemoryArea(
                instance=".".join(group.parent),
                name=group.name,
                kind=group.kind,
                bits=sum(depth * width for _, depth, width in group.words),
                words=tuple(group.words),
                count=statistics.count(name) if name in statistics.mapped else Count(),
            )
        )
    generic: Counter = sum((statistics.generic[name] for name in names), Counter())
    mapped: Counter = sum((statistics.mapped[name] for name in names), Counter())
    return AreaReport(
        name=top,
        verilog_sha256=hashlib.sha256(verilog.encode()).hexdigest(),
        yosys=tool_version(),
        library=library.name,
        library_file=library.path.name,
        library_sha256=library.sha256,
        unit=library.unit,
        nand2_area=library.nand2_area,
        generic_cells={c: n for c, n in sorted(generic.items()) if c.startswith("$_")},
        mapped_cells={c: n for c, n in sorted(mapped.items()) if c in library.areas},
        modules=modules,
        memories=tuple(memories),
    )


def cells_of(verilog: str, top: str) -> dict[str, int]:
    """Word-level cells of a design as written, by type, before anything is optimised.

    A design is free of multipliers when ``$mul`` is not among them.
    """
    with tempfile.TemporaryDirectory(prefix="gatesmith-") as name:
        folder = Path(name)
        (folder / "design.v").write_text(verilog)
        lines = ["read_verilog design.v", f"hierarchy -check -top {top}", "proc"]
        yosys([*lines, "flatten -noscopeinfo", "tee -q -o cells.json stat -json"], folder)
        found = json.loads((folder / "cells.json").read_text())
    return found["design"]["num_cells_by_type"]
