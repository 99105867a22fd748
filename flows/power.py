"""``gatesmith power``: energy of a design's cells while it answers real frames."""

import hashlib
import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console

from gatesmith.families import family
from gatesmith.flows.design import read_design
from gatesmith.flows.folders import make_folder
from gatesmith.flows.progress import working
from gatesmith.flows.silicon import opensta
from gatesmith.flows.silicon.activity import Activity, evaluate
from gatesmith.flows.silicon.energy import KINDS, energy_of
from gatesmith.flows.silicon.gate_level import block_texts, simulate_gates, states_of
from gatesmith.flows.silicon.labels import label_of
from gatesmith.flows.silicon.liberty import Library, read_library
from gatesmith.flows.silicon.mapping import memory_of
from gatesmith.flows.silicon.netlist import Netlist, read_netlist
from gatesmith.flows.silicon.power_report import PartEnergy, PowerReport, print_power
from gatesmith.flows.silicon.timing import Timing, analyse
from gatesmith.flows.synth import mapping_of
from gatesmith.flows.verify import choose_frames, judge, make_vectors
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically
from gatesmith.sim.run import Scenario, simulator_version

__all__ = ["power"]

CHUNK = 1 << 14  # clocks whose bits are in memory at once: 4 kB for each net
DEFAULT_MHZ = 100.0


def power(
    directory: str | Path,
    *,
    liberty: str | Path,
    frames: int = 20,
    clock_mhz: float = DEFAULT_MHZ,
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
    liberty : path           Cell library with delays and energies, plain or ``.gz``.
    frames : int             Frames to measure, at least 1.
    clock_mhz : float        Clock for leakage and power, no faster than static timing allows.
    data_dir : path          Folder with data sets that are files.
    timeout_seconds : float  For Yosys, and for the simulation.

    UserError for a folder that is no design, a library without tables, a clock too fast, a netlist
    that answers wrongly, or a tool that is missing, fails or takes too long.
    """
    if frames < 1:
        raise UserError(f"Frames must be at least 1, not {frames!r}")
    if not 0 < clock_mhz < math.inf:
        raise UserError(f"Clock must be above 0 MHz, not {clock_mhz!r}")
    directory = Path(directory)
    design = read_design(directory)
    entry = family(str(design["family"]))
    spec = entry.spec.load(directory / "spec.safetensors")
    verilog = (directory / "rtl" / f"{spec.name}.v").read_text(encoding="utf-8")
    library = read_library(liberty)
    if not library.timed:
        raise UserError(f"Liberty library {liberty} must have delays and energies, but has none")
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
            liberty=liberty,
            log=reports / "area.log",
            timeout_seconds=timeout_seconds,
        )
    netlist = read_netlist(mapping.netlist, spec.name, library)
    timing = analyse(netlist)
    if timing.period * clock_mhz > 1000:
        fastest = 1000 / timing.period
        raise UserError(f"Clock must be at most {fastest:.1f} MHz, not {clock_mhz:g}")
    words = vectors.inputs.shape[1]
    play = Scenario(name="power", sent=tuple((k, words) for k in range(frames)), stall=0)
    with (
        tempfile.TemporaryDirectory(prefix="gatesmith-") as work,
        working(f"Simulating {frames} frames with {mapping.report.total.mapped_cells:,} cells"),
    ):
        outcome, waves = simulate_gates(
            netlist, block_texts(verilog), vectors, play, Path(work), timeout_seconds
        )
    (verdict,) = judge(vectors, [(play.name, list(range(frames)), True, outcome)])
    if verdict.mismatches or verdict.errors:
        reasons = [*verdict.errors, f"{len(verdict.mismatches)} mismatches"]
        raise UserError(f"The mapped netlist must answer as the golden model does: {reasons[0]}")
    states, unknown = states_of(netlist, waves)
    begin, end = _window(waves.values)
    measured = _measure(netlist, timing, library, states, unknown, begin, end, 1000 / clock_mhz)
    labels = entry.models.parts(spec)
    per_frame = 1e-3 / frames  # from fJ in all to pJ a frame
    report = PowerReport(
        name=spec.name,
        verilog_sha256=hashlib.sha256(verilog.encode()).hexdigest(),
        yosys=mapping.report.yosys,
        simulator=simulator_version("icarus"),
        library=library.to_json(),
        frames=frames,
        clocks=end - begin,
        source=source,
        words=verdict.words,
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
            for part, kinds in sorted(measured.parts.items())
        ),
        clock_switching=measured.clock_switching * per_frame,
        unknown=int(unknown[measured.registers, begin].sum()),
        second=opensta.opinion(
            netlist,
            library,
            activity=measured.activity,
            period=1000 / clock_mhz,
            timeout_seconds=timeout_seconds,
        ),
    )
    write_atomically(reports / "power.json", json.dumps(report.to_json(), indent=1) + "\n")
    print_power(report, console or Console())
    return report


def _window(values: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """Clocks from the one that takes the first input word to the one that gives the last output."""

    def moves(stream: str) -> np.ndarray:
        return np.flatnonzero(values[f"{stream}_tvalid"][:, 0] & values[f"{stream}_tready"][:, 0])

    return int(moves("s_axis")[0]), int(moves("m_axis")[-1]) + 1


class _Measured:
    """Sums over the window, and the activity of all nets in it."""

    def __init__(self, netlist: Netlist) -> None:
        self.parts: dict[str, dict[str, float]] = {}
        self.clock_switching = 0.0
        self.toggles = np.zeros(netlist.nets)
        self.high = np.zeros(netlist.nets)
        self.clocks = 0
        outputs = [
            group.pins[pin.name]
            for group in netlist.groups
            if group.cell.flip_flop
            for pin in group.cell.outputs[:1]
        ]
        self.registers = np.concatenate([*outputs, np.zeros(0, dtype=np.int64)])

    @property
    def activity(self) -> dict[str, np.ndarray]:
        """Toggles a clock, and the part of the time in which a net is high."""
        return {"toggles": self.toggles / self.clocks, "duty": self.high / self.clocks}


def _measure(
    netlist: Netlist,
    timing: Timing,
    library: Library,
    states: np.ndarray,
    unknown: np.ndarray,
    begin: int,
    end: int,
    period: float,
) -> _Measured:
    """Energy (fJ) of the clocks from begin to end - 1, by part and kind."""
    measured = _Measured(netlist)
    for start in range(begin, end, CHUNK):
        stop = min(start + CHUNK, end)
        activity = evaluate(netlist, states, start, stop)
        _check(netlist, activity, unknown[:, start:stop])
        measured.toggles += activity.count(activity.bits ^ activity.before)
        measured.high += activity.count(activity.bits)
        measured.clocks += activity.clocks
        for energy in energy_of(netlist, timing, activity, voltage=library.voltage, period=period):
            names, index = np.unique(energy.group.parts, return_inverse=True)
            for kind, values in energy.kinds.items():
                sums = np.bincount(index, values, minlength=len(names))
                for name, value in zip(names.tolist(), sums.tolist(), strict=True):
                    part = measured.parts.setdefault(name, dict.fromkeys(KINDS, 0.0))
                    part[kind] += value
            measured.clock_switching += float(energy.clock_switching.sum())
    return measured


def _check(netlist: Netlist, activity: Activity, unknown: np.ndarray) -> None:
    """UserError unless every flip-flop took over what its inputs were in the clock before."""
    for group in netlist.groups:
        flip_flop = group.cell.flip_flop
        if flip_flop is None:
            continue
        before = {pin: activity.before[nets] for pin, nets in group.pins.items()}
        for pin in group.cell.outputs:
            assert pin.function is not None
            ones = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
            # The state before, as the output showed it.
            shown = before[pin.name]
            inverted = pin.function.value({flip_flop.state: 0, flip_flop.inverted: 1}, 1) == 1
            state = shown ^ ones if inverted else shown
            names = {**before, flip_flop.state: state, flip_flop.inverted: state ^ ones}
            wanted = flip_flop.next_state.value(names, ones)
            shown = activity.bits[group.pins[pin.name]]
            found = shown ^ ones if inverted else shown
            wrong = np.unpackbits(
                ((wanted ^ found) & activity.used).view(np.uint8), axis=1, bitorder="little"
            )[:, : activity.clocks]
            if (wrong.astype(bool) & ~unknown[group.pins[pin.name]]).any():
                raise UserError(
                    "VCD does not match the netlist: a flip-flop did not do as its inputs"
                )
