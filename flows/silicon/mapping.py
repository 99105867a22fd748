"""Maps Verilog to gates and cells with Yosys, in the hierarchy of the design, memories apart."""

import gzip
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
from gatesmith.flows.silicon.full_adder import ADDERS_FILE, adder_cells, adders_verilog
from gatesmith.flows.silicon.liberty import FUNCTION, Library
from gatesmith.flows.silicon.recipes import ABC_SIZING, CELLS, GATES, LOAD, MEMORY
from gatesmith.flows.silicon.tables import read_cell
from gatesmith.models.errors import UserError
from gatesmith.sim.yosys import tool_version, yosys

__all__ = ["MACROS", "Mapping", "cells_of", "map_design", "memory_of"]

# Modules this many levels below the top keep their borders: top, Core, layers. Lanes are
# dissolved into their layer: ABC then runs for a layer instead of for a hundred lanes, and
# shares logic between them (on a 64-64-64-10 design in 40 % of the time and 3 % less area).
LEVELS = 2

KINDS = ("rom", "flipflop", "sram")
MACROS = frozenset({"sram"})  # kinds of memories that are not mapped, unless told otherwise


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


def _gathered(groups: list[_Group], macros: frozenset[str]) -> dict[tuple[str, str], str]:
    """Module in which the memories of a name in a kept module are gathered."""
    apart = [(g.module, g.name) for g in groups if g.kind in set(KINDS) - macros]
    return {key: f"{MEMORY}{n}_{key[1]}" for n, key in enumerate(dict.fromkeys(apart))}


def memory_of(instance: str) -> str | None:
    """Name of the memory whose gathered module an instance is; None for any other instance."""
    last = instance.rpartition(".")[2]
    found = re.match(rf"{MEMORY}\d+_(\w+)", last)
    return found[1] if found else None


def _borders(
    top: str, kept: dict[tuple, str], groups: list[_Group], macros: frozenset[str]
) -> list[str]:
    """Commands that leave the kept modules, and one module for each group of memories."""
    boxes = sorted({m for g in groups if g.kind in macros for m in g.members})
    apart = [g for g in groups if g.kind in set(KINDS) - macros]
    memories = sorted({m for g in apart for m in g.members})
    gathered = _gathered(groups, macros)
    cells: dict[str, set[str]] = {}
    for group in apart:
        chosen = {f"{group.module}/t:{member}" for member in group.members}
        cells.setdefault(gathered[group.module, group.name], set()).update(chosen)
    lines = [f"hierarchy -check -top {top}"]
    if boxes:
        lines += [f"blackbox {' '.join(boxes)}"]
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


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """A design in cells.

    Members
    -------
    report : AreaReport
    files : dict   Name to text of what repeats the run and what it made: ``area.ys``, for a
                   library with delays ``area.constr`` (what drives and loads each module), and
                   ``netlist.v`` in the hierarchy of the design.
    netlist : bytes  Yosys' JSON of the flattened netlist, packed by gzip.
    """

    report: AreaReport
    files: dict[str, str]
    netlist: bytes


def map_design(
    verilog: str,
    top: str,
    library: Library,
    *,
    log: Path,
    recipe: str = "default",
    macros: frozenset[str] = MACROS,
    timeout_seconds: float = 3600,
) -> Mapping:
    """Map a design to the cells of a library, module by module.

    The script runs in a folder that holds ``rtl/<top>.v`` and ``reports/``.

    Parameters
    ----------
    verilog : str      The whole design.
    top : str          Its top module.
    library : Library  Cells to map to.
    log : Path         Where the log of Yosys stays when it fails; nothing is left when it works.
    recipe : str       ``default``, or ``full-adder``: adders of the library's full-adder cells.
    macros : set       Kinds of memories that stay modules, counted in bits.
    """
    adders = {}
    if recipe == "full-adder":
        adders = {ADDERS_FILE: adders_verilog(adder_cells(library))}
    make_folder(log.parent)
    with tempfile.TemporaryDirectory(prefix="gatesmith-") as name:
        folder = Path(name)
        (folder / "rtl").mkdir()
        reports = folder / "reports"
        reports.mkdir()
        (folder / f"rtl/{top}.v").write_text(verilog)
        reading = f"read_verilog rtl/{top}.v"
        dump = "tee -q -o survey.il dump -n t:$* %n t:* %i m:* %u"
        lines = [reading, f"hierarchy -check -top {top}", dump]
        yosys(lines, folder, name="survey", log=log, timeout_seconds=timeout_seconds)
        kept, groups = _plan(_read_survey((folder / "survey.il").read_text()), top)
        attempts = [_surroundings(library), None] if library.timed else [None]
        for surroundings in attempts:
            files = adders | ({"area.constr": surroundings} if surroundings else {})
            filled = {
                "avoid": "".join(f" -dont_use {cell}" for cell in library.avoid),
                "library": f'"{library.path.resolve()}"',
                "sizing": ABC_SIZING if surroundings else "",
                "constr": " -constr reports/area.constr" if surroundings else "",
            }
            script = [
                "# Written by gatesmith synth. By hand, in the folder of the design:",
                "# yosys reports/area.ys",
                reading,
                *_borders(top, kept, groups, macros),
                *GATES,
                "# Cells of the library.",
                *LOAD[recipe],
                *(line.format(**filled) for line in CELLS),
            ]
            for file, text in files.items():
                (reports / file).write_text(text)
            try:
                yosys(script, folder, name="reports/area", log=log, timeout_seconds=timeout_seconds)
            except UserError as error:
                # The sizing of ABC crashes on libraries that have one strength of each cell.
                if surroundings is None or "ABC" not in str(error):
                    raise
            else:
                break
        statistics = _Statistics.read(reports, library)
        mapping = Mapping(
            report=_report(
                verilog, top, library, kept, groups, macros, bool(surroundings), recipe, statistics
            ),
            files={
                "area.ys": "\n".join(script) + "\n",
                **files,
                "netlist.v": (reports / "netlist.v").read_text(),
            },
            netlist=gzip.compress((reports / "netlist.json").read_bytes(), 1, mtime=0),
        )
    log.unlink(missing_ok=True)
    return mapping


def _surroundings(library: Library) -> str:
    """What drives each input of a module and loads each output: a buffer, and four of them."""
    buffers = {
        name: library.areas[name]
        for name, text in library.texts.items()
        if len(found := FUNCTION.findall(text)) == 1
        and re.fullmatch(r"[\s(]*[A-Za-z_]\w*[\s)]*", found[0])
        and library.areas[name]
        and name not in library.avoid
        and name not in library.flip_flops
    }
    driver = min(buffers, key=lambda name: (buffers[name], name), default=None)
    if driver is None:
        raise UserError(f"Liberty library {library.path} must have a buffer, but has none")
    load = 4 * read_cell(library, driver).inputs[0].capacitances[0]
    return f"set_driving_cell {driver}\nset_load {load:.3f}\n"


def _report(
    verilog: str,
    top: str,
    library: Library,
    kept: dict[tuple, str],
    groups: list[_Group],
    macros: frozenset[str],
    buffered: bool,
    recipe: str,
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
    gathered = _gathered(groups, macros)
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
        buffered=buffered,
        recipe=recipe,
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
