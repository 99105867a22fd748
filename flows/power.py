"""``gatesmith power``: energy of a design's cells while it answers real frames."""

import hashlib
import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from gatesmith.flows.design import read_spec
from gatesmith.flows.folders import make_folder
from gatesmith.flows.progress import working
from gatesmith.flows.silicon import opensta
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.silicon.cells import choose_library
from gatesmith.flows.silicon.gate_level import accesses, block_texts, gate_verilog, simulate_gates
from gatesmith.flows.silicon.labels import label_of
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY, Library, read_library
from gatesmith.flows.silicon.mapping import memory_of
from gatesmith.flows.silicon.memory import MemoryModel
from gatesmith.flows.silicon.metering import meter
from gatesmith.flows.silicon.netlist import Netlist, read_netlist
from gatesmith.flows.silicon.power_report import MacroEnergy, PartEnergy, PowerReport, print_power
from gatesmith.flows.silicon.timing import Timing, analyse
from gatesmith.flows.synth import mapping_of
from gatesmith.flows.verify import choose_frames, judge, make_vectors
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically
from gatesmith.sim.cache import cached_json, keep_json
from gatesmith.sim.run import simulator_version
from gatesmith.sim.scenarios import Scenario, whole
from gatesmith.sim.vectors import Vectors

__all__ = ["power"]

CACHE_VERSION = 2
DEFAULT_MHZ = 100.0


def power(
    directory: str | Path,
    *,
    liberty: str | Path | None = None,
    frames: int = 20,
    clock_mhz: float | None = None,
    memory: str | Path | None = "macro",
    data_dir: str | Path | None = None,
    console: Console | None = None,
    timeout_seconds: float = 3600,
) -> PowerReport:
    """Measure the energy of the design in a folder, write ``reports/power.json``, print a table.

    The mapped netlist is simulated on Icarus through the bench that verifies the design, with the
    first frames of the data set that the model was trained for; every answer must be the golden
    model's. What each net did then meets the library's tables.

    Parameters
    ----------
    directory : path         Written by ``gatesmith lower``.
    liberty : path           Cell library with delays and energies, plain or ``.gz``; without one,
                             that of ``gatesmith cells``.
    frames : int             Frames to measure, at least 1.
    clock_mhz : float        Clock for leakage and power, no faster than static timing allows; None:
                             100, or the fastest that it allows, in whole MHz.
    memory : str             What SRAMs are, as in ``synth``.
    data_dir : path          Folder with data sets that are files.
    timeout_seconds : float  For Yosys, and for the simulation.

    UserError for a folder that is no design, a library without tables, a clock too fast, a netlist
    that answers wrongly, or a tool that is missing, fails or takes too long.
    """
    if frames < 1:
        raise UserError(f"Frames must be at least 1, not {frames!r}")
    if clock_mhz is not None and not 0 < clock_mhz < math.inf:
        raise UserError(f"Clock must be above 0 MHz, not {clock_mhz!r}")
    directory = Path(directory)
    design, entry, spec = read_spec(directory)
    if spec.weight_port is not None:
        raise UserError(
            f"{directory}: memory=stream: weights lie outside; lower with memory=rom or "
            "memory=sram to measure energy"
        )
    verilog = (directory / "rtl" / f"{spec.name}.v").read_text(encoding="utf-8")
    path, model = choose_library(liberty), MemoryModel.choose(memory)
    if path == GENERIC_LIBRARY:
        raise UserError("Energy needs a cell library: --liberty LIB (see 'gatesmith cells')")
    library = read_library(path)
    if not library.timed:
        raise UserError(f"Liberty library {path} must have delays and energies, but has none")
    reports = directory / "reports"
    make_folder(reports)
    chosen, source = choose_frames(
        entry, spec, design.get("data"), frames, 0, data_dir, odd_frames=0
    )
    vectors = make_vectors(entry, spec, chosen)
    with working(f"Mapping {spec.name} to {library.name}"):
        mapping = mapping_of(
            verilog,
            spec.name,
            liberty=path,
            log=reports / "area.log",
            macros=model.kinds,
            timeout_seconds=timeout_seconds,
        )
    netlist = read_netlist(mapping.netlist, spec.name, library)
    timing = analyse(netlist)
    fastest = 1000 / timing.period
    if clock_mhz is None:
        clock_mhz = min(DEFAULT_MHZ, math.floor(fastest) or fastest)
    elif clock_mhz > fastest:
        raise UserError(f"Clock must be at most {fastest:.1f} MHz, not {clock_mhz:g}")
    blocks = block_texts(verilog)
    found = _measured(netlist, timing, library, blocks, vectors, clock_mhz, timeout_seconds)
    labels = entry.models.parts(spec)
    per_frame = 1e-3 / frames  # from fJ in all to pJ a frame
    report = PowerReport(
        name=spec.name,
        verilog_sha256=hashlib.sha256(verilog.encode()).hexdigest(),
        yosys=mapping.report.yosys,
        simulator=found["simulator"],
        library=library.to_json(),
        frames=frames,
        clocks=found["clocks"],
        source=source,
        words=found["words"],
        clock_mhz=clock_mhz,
        max_mhz=1000 / timing.period,
        operations=entry.models.operations(spec),
        operation=entry.models.OPERATION,
        parts=tuple(
            PartEnergy(
                instance=part,
                label=label_of(part, labels),
                memory=memory_of(part) is not None,
                kinds={kind: energy * per_frame for kind, energy in kinds.items()},
            )
            for part, kinds in sorted(found["parts"].items())
        ),
        macros=_macros(mapping.report, model, found, frames, clock_mhz),
        memory_model=model.to_json(),
        clock_switching=found["clock_switching"] * per_frame,
        unknown=found["unknown"],
        second=found["opensta"],
    )
    text = json.dumps(report.to_json(), indent=1) + "\n"
    try:
        write_atomically(reports / "power.json", text)
    except OSError as error:
        raise UserError(f"{reports} must be writable: {error.strerror}") from error
    print_power(report, console or Console())
    return report


def _measured(
    netlist: Netlist,
    timing: Timing,
    library: Library,
    blocks: dict[str, str],
    vectors: Vectors,
    clock_mhz: float,
    timeout_seconds: float,
) -> dict[str, Any]:
    """What the simulation and the tables say, as plain values; from the cache when it is there."""
    key = [CACHE_VERSION, clock_mhz, library.sha256, simulator_version("icarus")]
    key += [opensta.available(), hashlib.sha256(gate_verilog(netlist, blocks).encode()).hexdigest()]
    for array in (vectors.inputs, vectors.expected, vectors.clocks, vectors.config):
        key.append(None if array is None else hashlib.sha256(array.tobytes()).hexdigest())
    found = cached_json("power", key)
    if found:
        return found
    frames = len(vectors.inputs)
    play = Scenario(name="power", sent=whole(vectors, range(frames)), stall=0)
    cells = sum(len(group) for group in netlist.groups)
    with (
        tempfile.TemporaryDirectory(prefix="gatesmith-") as work,
        working(f"Simulating {frames} frames with {cells:,} cells"),
    ):
        outcome, waves = simulate_gates(netlist, blocks, vectors, play, Path(work), timeout_seconds)
    (verdict,) = judge(vectors, [(play.name, list(range(frames)), True, outcome)])
    if verdict.mismatches or verdict.errors:
        reasons = [*verdict.errors, f"{len(verdict.mismatches)} mismatches"]
        raise UserError(f"The mapped netlist must answer as the golden model does: {reasons[0]}")
    begin, end = _window(waves.values)
    metered = meter(netlist, timing, library, waves, begin, end, 1000 / clock_mhz)
    found = {
        "simulator": simulator_version("icarus"),
        "clocks": end - begin,
        "words": verdict.words,
        "parts": metered.parts,
        "clock_switching": metered.clock_switching,
        "unknown": metered.unknown,
        "accesses": {
            block.name: access
            for block, access in zip(
                netlist.blocks, accesses(netlist, waves, begin, end), strict=True
            )
        },
        "opensta": opensta.opinion(
            netlist,
            library,
            activity=metered.activity,
            period=1000 / clock_mhz,
            timeout_seconds=timeout_seconds,
        ),
    }
    keep_json("power", key, found)
    return found


def _macros(
    report: AreaReport, model: MemoryModel, found: dict[str, Any], frames: int, clock_mhz: float
) -> tuple[MacroEnergy, ...]:
    """Energy of the memories that are macros, by what was read and written; pJ a frame."""
    macros = []
    for memory in report.memories:
        for path, depth, width in memory.words:
            if path in found["accesses"]:
                reads, writes = found["accesses"][path]
                access = model.read_fj(reads * width, memory.kind)
                access += model.write_fj(writes * width, memory.kind)
                # A nanowatt for a microsecond is a femtojoule.
                leakage = model.leakage_nw(depth * width, memory.kind) * found["clocks"] / clock_mhz
                macros.append(
                    MacroEnergy(
                        instance=path,
                        group=f"{memory.instance}.{memory.name}".lstrip("."),
                        bits=depth * width,
                        reads=reads / frames,
                        writes=writes / frames,
                        access=access * 1e-3 / frames,
                        leakage=leakage * 1e-3 / frames,
                    )
                )
    return tuple(macros)


def _window(values: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """Clocks from the one that takes the first input word to the one that gives the last output."""

    def moves(stream: str) -> np.ndarray:
        return np.flatnonzero(values[f"{stream}_tvalid"][:, 0] & values[f"{stream}_tready"][:, 0])

    return int(moves("s_axis")[0]), int(moves("m_axis")[-1]) + 1
