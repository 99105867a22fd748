"""``gatesmith synth``: area and timing of a lowered design."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from gatesmith.families import FAMILIES
from gatesmith.flows.design import read_design
from gatesmith.flows.progress import working
from gatesmith.flows.silicon import opensta
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.silicon.area_report import area_json, print_area
from gatesmith.flows.silicon.calibration import remember
from gatesmith.flows.silicon.cells import choose_library
from gatesmith.flows.silicon.labels import label_of
from gatesmith.flows.silicon.liberty import read_library
from gatesmith.flows.silicon.mapping import MACROS, Mapping, map_design
from gatesmith.flows.silicon.memory import MemoryModel
from gatesmith.flows.silicon.netlist import read_netlist
from gatesmith.flows.silicon.recipe_report import print_recipes
from gatesmith.flows.silicon.recipes import RECIPES, SCRIPTS
from gatesmith.flows.silicon.timing import analyse
from gatesmith.flows.silicon.timing_report import TimingReport, print_timing, timing_report
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically
from gatesmith.sim.cache import cached_bytes, cached_json, keep_bytes, keep_json
from gatesmith.sim.yosys import tool_version

__all__ = ["mapping_of", "part_labels", "synth"]

CACHE_VERSION = 3


def mapping_of(
    verilog: str,
    top: str,
    *,
    liberty: str | Path | None = None,
    log: Path,
    recipe: str = "default",
    macros: frozenset[str] = MACROS,
    timeout_seconds: float = 3600,
) -> Mapping:
    """A design mapped to cells, from the cache when it is there.

    Parameters
    ----------
    liberty : path   As of :func:`gatesmith.flows.silicon.cells.choose_library`.
    macros : set     Kinds of memories that are no cells.
    """
    if recipe not in RECIPES:
        raise UserError(f"Recipe must be one of {', '.join(RECIPES)}, not {recipe!r}")
    path = choose_library(liberty)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"Liberty library {path} cannot be read: {error.strerror}") from error
    verilog_digest = hashlib.sha256(verilog.encode()).hexdigest()
    key = [CACHE_VERSION, tool_version(), SCRIPTS[recipe], sorted(macros)]
    key += [digest, str(path.resolve()), top, verilog_digest]
    found, netlist = cached_json("mapping", key), cached_bytes("netlist", key)
    if found and netlist:
        report = AreaReport.from_json(found["report"])
        return Mapping(report=report, files=found["files"], netlist=netlist)
    mapping = map_design(
        verilog,
        top,
        read_library(path),
        log=log,
        recipe=recipe,
        macros=macros,
        timeout_seconds=timeout_seconds,
    )
    keep_bytes("netlist", key, mapping.netlist)
    keep_json("mapping", key, {"report": mapping.report.to_json(), "files": mapping.files})
    return mapping


def synth(
    directory: str | Path,
    *,
    liberty: str | Path | None = None,
    recipe: str = "default",
    memory: str | Path | None = "macro",
    console: Console | None = None,
    timeout_seconds: float = 3600,
) -> AreaReport:
    """Measure the design in a folder: write ``area.json`` and ``timing.json``, print tables.

    They lie in ``reports/`` with the mapped ``netlist.v`` and ``area.ys``, which repeats the run by
    hand. Nothing is written when a step fails, except ``reports/area.log`` when it was Yosys.

    Parameters
    ----------
    directory : path         Written by ``gatesmith lower``.
    liberty : path           Cell library, plain or ``.gz``, or ``generic``; without one, that of
                             ``gatesmith cells``.
    memory : str             What SRAMs are: ``macro``, the path of a ``.toml`` file with figures,
                             or ``flipflop``, cells of the library.
    recipe : str             How it is mapped: ``default``, or ``full-adder``, which is printed
                             beside the default.
    timeout_seconds : float  For each tool, each time.
    """
    directory = Path(directory)
    console = console or Console()
    name = read_design(directory)["name"]
    verilog = (directory / "rtl" / f"{name}.v").read_text(encoding="utf-8")
    reports = directory / "reports"
    model, path = MemoryModel.choose(memory), choose_library(liberty)
    with working(f"Mapping {name}"):
        mappings = {
            one: mapping_of(
                verilog,
                name,
                liberty=path,
                log=reports / "area.log",
                recipe=one,
                macros=model.kinds,
                timeout_seconds=timeout_seconds,
            )
            for one in dict.fromkeys((recipe, "default"))
        }
    mapping = mappings[recipe]
    timing = _timing(directory, mapping, path, timeout_seconds)
    texts = {
        **mapping.files,
        "area.json": json.dumps(area_json(mapping.report, model), indent=1) + "\n",
        "timing.json": json.dumps(timing.to_json(), indent=1) + "\n",
    }
    try:
        reports.mkdir(exist_ok=True)
        for file, text in texts.items():
            write_atomically(reports / file, text)
    except OSError as error:
        raise UserError(f"{reports} must be writable: {error.strerror}") from error
    print_area(mapping.report, model, console)
    if len(mappings) > 1:
        print_recipes(mappings, read_library(path), console)
    print_timing(timing, console)
    if recipe == "default" and model.kinds == MACROS:
        _remember(directory, mapping.report)
    return mapping.report


def _remember(directory: Path, report: AreaReport) -> None:
    """Let later estimates learn from a design that is as it was lowered."""
    design = read_design(directory)
    if report.verilog_sha256 == design["verilog_sha256"] and design["family"] in FAMILIES:
        spec = FAMILIES[design["family"]].spec.load(directory / "spec.safetensors")
        # What no estimate can count yet is measured all the same.
        with suppress(UserError):
            remember(spec, report)


def _timing(
    directory: Path, mapping: Mapping, liberty: Path, timeout_seconds: float
) -> TimingReport:
    """Timing of a mapped design, with OpenSTA's opinion where it is installed."""
    report = mapping.report
    library = read_library(liberty)
    netlist = read_netlist(mapping.netlist, report.name, library)
    labels = part_labels(directory)
    return timing_report(
        analyse(netlist),
        verilog_sha256=report.verilog_sha256,
        yosys=report.yosys,
        library=library.to_json(),
        timed=library.timed,
        label=lambda part: label_of(part, labels),
        second=opensta.opinion(netlist, library, timeout_seconds=timeout_seconds)
        if library.timed
        else None,
    )


def part_labels(directory: Path) -> dict[str, str]:
    """What the family says of the instances of a lowered design; nothing for a foreign folder."""
    entry = FAMILIES.get(str(read_design(directory)["family"]))
    if entry is None:
        return {}
    return entry.models.parts(entry.spec.load(directory / "spec.safetensors"))
