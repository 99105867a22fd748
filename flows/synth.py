"""``gatesmith synth``: area and timing of a lowered design."""

import hashlib
import json
from pathlib import Path

from rich.console import Console

from gatesmith.flows.design import read_design
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.silicon.area_report import area_json, print_area
from gatesmith.flows.silicon.full_adder import RECIPES, print_recipes
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY, read_library
from gatesmith.flows.silicon.mapping import MACROS, SCRIPTS, Mapping, map_design
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically
from gatesmith.sim.cache import cached_bytes, cached_json, keep_bytes, keep_json
from gatesmith.sim.yosys import tool_version

__all__ = ["mapping_of", "synth"]

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

    The library is our generic one when none is given.
    """
    if recipe not in RECIPES:
        raise UserError(f"Recipe must be one of {', '.join(RECIPES)}, not {recipe!r}")
    path = Path(liberty) if liberty is not None else GENERIC_LIBRARY
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
    console: Console | None = None,
    timeout_seconds: float = 3600,
) -> AreaReport:
    """Measure the design in a folder, write its ``reports/area.json`` and print a table.

    ``reports/area.ys`` repeats the run by hand. Nothing is written when a step fails, except
    ``reports/area.log`` when it was Yosys.

    Parameters
    ----------
    directory : path         Written by ``gatesmith lower``.
    liberty : path           Cell library, plain or ``.gz``; without one, our generic library.
    recipe : str             How it is mapped: ``default``, or ``full-adder``, which is printed
                             beside the default.
    timeout_seconds : float  For Yosys, each time.
    """
    directory = Path(directory)
    name = read_design(directory)["name"]
    verilog = (directory / "rtl" / f"{name}.v").read_text(encoding="utf-8")
    reports = directory / "reports"
    mappings = {
        one: mapping_of(
            verilog,
            name,
            liberty=liberty,
            log=reports / "area.log",
            recipe=one,
            timeout_seconds=timeout_seconds,
        )
        for one in dict.fromkeys((recipe, "default"))
    }
    mapping = mappings[recipe]
    try:
        reports.mkdir(exist_ok=True)
        for file, text in mapping.files.items():
            write_atomically(reports / file, text)
        text = json.dumps(area_json(mapping.report), indent=1) + "\n"
        write_atomically(reports / "area.json", text)
    except OSError as error:
        raise UserError(f"{reports} must be writable: {error.strerror}") from error
    print_area(mapping.report, console or Console())
    if len(mappings) > 1:
        print_recipes(mappings, read_library(liberty or GENERIC_LIBRARY), console or Console())
    return mapping.report
