"""``gatesmith verify``: the Verilog of a design folder against the golden model."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.flows.design import read_spec, sha256
from gatesmith.flows.folders import check_writable, make_folder
from gatesmith.flows.verify_report import PlayReport, VerifyReport
from gatesmith.models import data
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically
from gatesmith.sim.vectors import Mismatch, Outcome, Vectors, Weights, beat_counts, compare

__all__ = [
    "ODD_FRAMES",
    "SIMULATORS",
    "choose_frames",
    "judge",
    "make_vectors",
    "simulate",
    "verify",
]

SIMULATORS = ("icarus", "verilator", "cxxrtl")
ODD_FRAMES = 16  # extreme or random, at most, beside those of a test set


def verify(
    directory: str | Path,
    *,
    frames: int = 20,
    simulator: str = "icarus",
    stall: float = 0.0,
    seed: int = 0,
    data_dir: str | Path | None = None,
    self_test: bool = False,
    junit: str | Path | None = None,
) -> VerifyReport:
    """Simulate a design folder's Verilog and compare every word and clock with the golden model.

    Writes ``reports/verify.json`` and the same as ``reports/verify-SIMULATOR.json``, which a run
    of another simulator leaves alone; on a difference also ``reports/mismatch.vcd``.

    Parameters
    ----------
    directory : path    Design folder.
    frames : int        Frames to send, at least 1; twice, when there are stalls.
    simulator : str     ``icarus`` or ``verilator`` (the cocotb bench with all its scenarios), or
                        ``cxxrtl`` (whole test sets; no X, no resets, no wrong frames).
    stall : float       Part of the clocks in which each stream stalls, 0 to 0.95. The frames are
                        sent without stalls first, where their clocks are checked too.
    seed : int          Of the random frames and stalls.
    data_dir : path     Folder with data sets that are files.
    self_test : bool    Also plant faults in vectors and Verilog: every one must be seen.
    junit : path        Also write the report as JUnit XML, for a CI server.

    UserError for a folder that is no design, an impossible option or a missing tool.
    """
    if frames < 1:
        raise UserError(f"Frames must be at least 1, not {frames!r}")
    if simulator not in SIMULATORS:
        raise UserError(f"Simulator must be one of {', '.join(SIMULATORS)}, not {simulator!r}")
    if seed < 0:
        raise UserError(f"Seed must not be negative, not {seed!r}")
    if not 0 <= stall <= 0.95:
        raise UserError(f"Stall must be between 0 and 0.95, not {stall!r}")
    if junit is not None:
        check_writable(junit)
        if Path(junit).is_dir():
            raise UserError(f"{junit}: is a folder; name a file for the JUnit XML")
    directory = Path(directory)
    design, entry, spec = read_spec(directory)
    verilog = directory / "rtl" / f"{spec.name}.v"
    chosen, source = choose_frames(entry, spec, design.get("data"), frames, seed, data_dir)
    vectors = make_vectors(entry, spec, chosen)
    reports = directory / "reports"
    make_folder(reports)
    waveform, caught = None, {}
    with tempfile.TemporaryDirectory(prefix="gatesmith-") as work:
        begin = time.monotonic()
        seen = simulate(verilog, spec.name, vectors, simulator, stall, seed, Path(work))
        seconds = time.monotonic() - begin
        plays = judge(vectors, seen)
        if any(play.mismatches or play.errors for play in plays):
            waveform = _waves(
                verilog,
                spec.name,
                vectors,
                plays,
                stall,
                seed,
                reports / "mismatch.vcd",
                Path(work) / "waves",
            )
        if self_test:
            from gatesmith.flows.self_test import plant_faults

            caught = plant_faults(entry, spec, vectors, seen, verilog, simulator, seed, Path(work))
    digest = sha256(verilog)
    report = VerifyReport(
        directory=str(directory),
        name=spec.name,
        verilog_sha256=digest,
        changed=digest != design["verilog_sha256"],
        simulator=simulator,
        tool=_tool(simulator),
        frames=frames,
        stall=stall,
        seed=seed,
        source=source,
        plays=plays,
        seconds=seconds,
        waveform=waveform,
        faults=caught,
    )
    text = json.dumps(report.to_json(), indent=2) + "\n"
    for file in (f"verify-{simulator}.json", "verify.json"):
        write_atomically(reports / file, text)
    if junit is not None:
        from gatesmith.flows.junit import write_junit

        write_junit(report, junit)
    return report


def _tool(simulator: str) -> str:
    """Name and version of what simulates."""
    if simulator == "cxxrtl":
        from gatesmith.sim.yosys import tool_version

        return f"CXXRTL of {tool_version()}"
    from gatesmith.sim.run import simulator_version

    return simulator_version(simulator)


def choose_frames(
    entry: Any,
    spec: Any,
    name: str | None,
    count: int,
    seed: int,
    data_dir: str | Path | None,
    *,
    odd_frames: int = ODD_FRAMES,
) -> tuple[np.ndarray, str]:
    """Frames to verify with, int64 ``[count, words]``, and where they come from.

    A quarter, but no more than ``odd_frames``, is extreme or random; the others are the first of
    the test set that the model was trained for, or random where there is none, or where the family
    makes no frames of it. A family whose data is made, not read, brings ``made_frames`` instead.
    Where lengths vary, those of random frames do, and the shortest and the longest are among them.
    """
    layout, rng = spec.input_format, np.random.default_rng(seed)
    odd = min(count // 4, odd_frames)
    frames, real, used = layout.random(rng, count), None, 0
    source = "random, not real data"
    to_frames = getattr(entry.models, "dataset_frames", None)
    make_frames = getattr(entry.models, "made_frames", None)
    if make_frames is not None:
        used = count - odd
        real, what = make_frames(spec, used, seed)
        rest = f", {odd} random or extreme" if odd else ""
        source = f"{used} {what}{rest}"
    elif name and to_frames is not None:
        try:
            real = to_frames(spec, data.load(name, data_dir))
        except UserError as error:
            if data_dir is not None:
                raise
            source = f"random, not from a data set: {error}"
        else:
            used = min(count - odd, len(real))
            rest = f", {count - used} random or extreme" if used < count else ""
            source = f"{used} of the {name} test set{rest}"
    if layout.repeated:  # the first two random ones are the shortest and the longest
        frames[used:] = frames[: count - used].copy()
    if real is not None:
        frames[:used] = real[:used]
    fields = (*layout.fields, *layout.repeated * layout.repeats)
    for position, limit in ((count - 1, "low"), (count - 2, "high")):
        if count - position <= odd:
            values = [np.full(f.count, getattr(f, limit)) for f in fields]
            frames[position] = np.concatenate(values)
    return frames, source


def make_vectors(entry: Any, spec: Any, frames: np.ndarray) -> Vectors:
    """Beats of the frames, and the golden model's answers to them."""
    run = entry.models.golden(spec, frames)
    config = spec.config_words()
    return Vectors(
        inputs=spec.input_format.pack(frames),
        expected=spec.output_format.pack(run.outputs),
        clocks=run.clocks,
        config=None if config is None else spec.config_format.pack(config)[0],
        layout=spec.input_format,
        weights=Weights.of(spec),
    )


Seen = list[tuple[str, list[int], bool, Outcome]]  # name, frames expected, clocks count, outcome


def simulate(
    verilog: Path,
    top: str,
    vectors: Vectors,
    simulator: str,
    stall: float,
    seed: int,
    work: Path,
    *,
    brief: bool = False,
    keep: bool = True,
) -> Seen:
    """Play all scenarios of the simulator, or only all frames without stalls.

    ``work`` takes what the simulator writes; with ``keep`` a compiled model goes to the cache.
    """
    every = list(range(len(vectors.inputs)))
    if simulator == "cxxrtl":
        from gatesmith.sim.cxxrtl import run_cxxrtl

        seen: Seen = []
        for level in dict.fromkeys((0.0,) if brief else (0.0, stall)):
            outcome = run_cxxrtl(
                verilog, top, vectors, stall=level, seed=seed, folder=None if keep else work
            )
            name = "all frames, stalled" if level else "all frames"
            seen.append((name, every, level == 0, outcome))
        return seen
    from gatesmith.sim.run import run_bench
    from gatesmith.sim.scenarios import scenarios

    plays = scenarios(vectors, stall=stall, seed=seed)
    if brief:
        plays = [play for play in plays if play.name == "all frames"]
    outcomes = run_bench(verilog, top, vectors, plays, work, simulator=simulator, seed=seed)
    return [
        (play.name, play.expected, play.stall == 0, outcome)
        for play, outcome in zip(plays, outcomes, strict=True)
    ]


def judge(vectors: Vectors, seen: Seen) -> list[PlayReport]:
    """Compare what came out with the vectors; frames that did not come are errors."""
    reports = []
    for name, wanted, timed, outcome in seen:
        wanted = [frame for frame in wanted if frame < len(vectors.expected)]
        # Clocks depend on what came before: they are compared where all frames come in order.
        part = replace(vectors.take(wanted), clocks=vectors.clocks[: len(wanted)])
        errors = list(outcome.errors)
        if len(outcome.outputs) != len(wanted):
            errors.append(f"{len(outcome.outputs)} frames were compared, not {len(wanted)}")
        found = compare(part, outcome, clocks=timed)
        mismatches = [
            Mismatch(frame=wanted[m.frame], word=m.word, expected=m.expected, got=m.got)
            for m in found
        ]
        done = min(len(outcome.outputs), len(wanted))
        reports.append(
            PlayReport(
                name=name,
                frames=done,
                words=int(beat_counts(part.expected[:done]).sum()),
                clocks=outcome.total_clocks,
                clocks_checked=done if timed else 0,
                mismatches=mismatches,
                errors=list(dict.fromkeys(errors)),
            )
        )
    return reports


def _waves(
    verilog: Path,
    top: str,
    vectors: Vectors,
    plays: Sequence[PlayReport],
    stall: float,
    seed: int,
    target: Path,
    work: Path,
) -> str | None:
    """VCD of the first difference under Icarus; None without Icarus, or when it shows none there.

    Of the frame that differs and the one before it when that is enough to see the difference,
    else of the whole scenario.
    """
    from gatesmith.sim.run import run_bench
    from gatesmith.sim.scenarios import Scenario, scenarios, whole

    bad = next(play for play in plays if play.mismatches or play.errors)
    known = {play.name: play for play in scenarios(vectors, stall=stall, seed=seed)}
    full = known.get(bad.name, known["all frames"])
    tries = [full]
    if bad.mismatches:
        frame = bad.mismatches[0].frame
        sent = whole(vectors, range(max(0, frame - 1), frame + 1))
        tries.insert(0, Scenario(name="waves", sent=sent, stall=full.stall))
    for play in tries:
        target.unlink(missing_ok=True)
        try:
            (outcome,) = run_bench(verilog, top, vectors, [play], work, seed=seed, waves=target)
        except UserError:
            break
        # Clocks depend on the frames before: only the whole scenario can show that they differ.
        timed = play is full and play.stall == 0
        (report,) = judge(vectors, [(play.name, play.expected, timed, outcome)])
        if report.mismatches or report.errors:
            return str(target)
    target.unlink(missing_ok=True)
    return None
