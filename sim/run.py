"""Runs the cocotb bench under Icarus or Verilator and judges what it saw."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from cocotb_tools.runner import get_runner

from gatesmith.models.errors import UserError
from gatesmith.sim.process import run_logged
from gatesmith.sim.scenarios import Scenario
from gatesmith.sim.vectors import PAD_BEAT, Outcome, Vectors, beat_counts

__all__ = ["compile_and_run", "run_bench", "simulator_version"]

VERILATOR_SINCE = (5, 36)  # what cocotb's VPI calls need


def run_bench(
    verilog: Path,
    top: str,
    vectors: Vectors,
    plays: list[Scenario],
    folder: Path,
    *,
    simulator: str = "icarus",
    seed: int = 0,
    waves: Path | None = None,
    watched: Sequence[str] = (),
    timeout_seconds: float | None = None,
) -> list[Outcome]:
    """Play scenarios through a design; what came out of each, with the rules it broke.

    ``folder`` takes the compiled simulation, its log and the bench's files. With ``waves`` a VCD
    is written, of all signals or of those that are ``watched``, named from the top module on.
    UserError when the simulator is missing or too old, or refuses the Verilog.
    """
    _require(simulator)
    folder.mkdir(parents=True, exist_ok=True)
    job: dict = {"seed": seed, "config": vectors.config is not None}
    job |= {"weights": vectors.weights is not None, "scenarios": []}
    if vectors.config is not None:
        np.save(folder / "config.npy", vectors.config)
    if vectors.weights is not None:
        np.save(folder / "weights.npy", vectors.weights.words)
        np.save(folder / "bursts.npy", vectors.weights.bursts)
    for number, play in enumerate(plays):
        beats = [one.beats(vectors) for one in play.sent]
        np.save(folder / f"beats{number}.npy", np.concatenate(beats))
        ends = np.cumsum([len(part) for part in beats])
        starts = ends - [len(part) for part in beats]
        job["scenarios"].append({
            "last": ((ends[:-1] if play.cut else ends) - 1).tolist(),
            "first": starts[play.right].tolist(),
            "frames_out": len(play.expected),
            "stop": play.stop,
            "burst": play.burst,
            "reload": play.reload,
            "stall": play.stall,
            "patience": vectors.patience(play.stall),
        })  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    (folder / "seen.json").unlink(missing_ok=True)
    _simulate(verilog, top, folder, simulator, waves, watched, timeout_seconds)
    if not (folder / "seen.json").exists():
        raise UserError(f"The bench did not finish under {simulator}; see {folder / 'bench.log'}")
    seen = json.loads((folder / "seen.json").read_text())
    return [_outcome(play, found, vectors) for play, found in zip(plays, seen, strict=True)]


def _outcome(play: Scenario, found: dict, vectors: Vectors) -> Outcome:
    expected, errors = play.expected, list(found["errors"])
    frames = [] if play.burst else found["frames"]
    beats = sum(len(one.places) for one in play.sent)
    if play.stop is None and not play.burst and found["sent"] != beats:
        errors.append(f"only {found['sent']} of {beats} input beats were taken")
    if len(frames) != len(expected):
        errors.append(f"{len(found['frames'])} frames came out, not {len(expected)}")
    lengths = beat_counts(vectors.expected)[expected].tolist()
    pairs = enumerate(zip(frames, lengths, strict=False))
    ragged = next((k for k, (frame, words) in pairs if len(frame) != words), None)
    if ragged is not None:
        length = len(frames[ragged])
        errors.append(f"output frame {ragged} has {length} words, not {lengths[ragged]}")
    position, wrong_at = 0, None
    for one in play.sent[: -1 if play.cut else None]:
        if one.void_at is not None and wrong_at is None:
            wrong_at = position + one.void_at
        position += len(one.places)
    changes = [tuple(change) for change in found["frame_error"]]
    if play.reload and [value for _, value in changes] != [1]:
        errors.append(f"frame_error must rise once on void configurations, not {changes}")
    if wrong_at is None and changes and not play.reload:
        errors.append(f"frame_error rose after {changes[0][0]} beats of right frames")
    if wrong_at is not None and [value for _, value in changes] != [1]:
        errors.append(f"frame_error must rise once and stay, not {changes}")
    if wrong_at is not None and changes and changes[0][0] != wrong_at:
        errors.append(f"frame_error rose after {changes[0][0]} beats, not {wrong_at}")
    count = min(len(frames), len(expected)) if ragged is None else ragged
    spans = np.array(found["last"][:count], dtype=np.int64) + 1
    starts = np.resize(np.array(found["first"] or [0], dtype=np.int64), count)
    outputs = np.full((count, vectors.expected.shape[1]), PAD_BEAT)
    for row, frame in zip(outputs, frames, strict=False):
        row[: len(frame)] = frame
    return Outcome(
        outputs=outputs, clocks=spans - starts, total_clocks=found["clocks"], errors=errors
    )


def compile_and_run(folder: Path, source: str, top: str, timeout_seconds: float) -> None:
    """Run a Verilog-2005 file that drives itself on Icarus, in its folder.

    UserError of one line when Icarus is missing, fails or takes too long.
    """
    _require("icarus")
    log = folder / "driver.log"
    build = ["iverilog", "-g2005", "-s", top, "-o", "driver.vvp", source]
    for command in (build, ["vvp", "-n", "driver.vvp", "-vcd"]):
        code = run_logged(command, folder, log, tool="Icarus", timeout_seconds=timeout_seconds)
        if code:
            lines = log.read_text(errors="replace").splitlines() or [f"exit status {code}"]
            raise UserError(f"Icarus failed on {source}: {lines[0]}")


def _require(simulator: str) -> None:
    program = {"icarus": "iverilog", "verilator": "verilator"}[simulator]
    if not shutil.which(program):
        raise UserError(f"{program} was not found; apt-get install {program}")
    if simulator == "verilator":
        text = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        found = re.search(r"(\d+)\.(\d+)", text)
        if found and tuple(int(part) for part in found.groups()) < VERILATOR_SINCE:
            raise UserError(
                f"Verilator must be 5.036 or later for cocotb, not {found.group()}; use icarus"
            )


def simulator_version(simulator: str) -> str:
    """Name and version of a simulator, as ``Icarus Verilog version 11.0``."""
    _require(simulator)
    command = {"icarus": ["iverilog", "-V"], "verilator": ["verilator", "--version"]}[simulator]
    text = subprocess.run(command, capture_output=True, text=True).stdout
    return text.splitlines()[0].split("(")[0].strip() if text else simulator


def _simulate(
    verilog: Path,
    top: str,
    folder: Path,
    simulator: str,
    waves: Path | None,
    watched: Sequence[str],
    timeout_seconds: float | None,
) -> None:
    """Build and run; what the tools print goes to ``bench.log``.

    Icarus reads Verilog-2005: as SystemVerilog, which cocotb asks for, combinational processes
    whose inputs never change leave X on their outputs.
    """
    sources, options = [verilog], []
    if simulator == "icarus":
        options = ["-g2005"]
        if waves is not None:
            dump = folder / "dump.v"
            signals = ", ".join(f"{top}.{name}" for name in watched) or top
            dump.write_text(
                "module gatesmith_dump;\n"
                f'  initial begin $dumpfile("{waves.resolve()}"); $dumpvars(0, {signals}); end\n'
                "endmodule\n"
            )
            sources.append(dump)
            options += ["-s", "gatesmith_dump"]
    else:
        options = ["-Wno-fatal", *(["--trace"] if waves is not None else [])]
    runner = get_runner(simulator)
    log = folder / "bench.log"
    log.write_text("")
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        try:
            runner.build(
                sources=sources,
                hdl_toplevel=top,
                build_dir=folder / "build",
                build_args=options,
                timescale=("1ns", "1ps"),
                always=True,
                log_file=folder / "build.log",
            )
            with _command(simulator, waves, timeout_seconds):
                runner.test(
                    test_module="gatesmith.sim.bench",
                    hdl_toplevel=top,
                    build_dir=folder / "build",
                    test_dir=folder,
                    extra_env={"GATESMITH_JOB": str(folder.resolve())},
                    log_file=log,
                )
        except (SystemExit, RuntimeError, subprocess.CalledProcessError) as error:
            if timeout_seconds is not None and re.search(r"\b124$", str(error)):
                raise UserError(
                    f"{simulator} must finish within {timeout_seconds:g} s, and did not; "
                    "--timeout SECONDS raises the limit"
                ) from error
            raise UserError(
                f"{simulator} failed on {verilog} ({error}); see {folder}/build.log and bench.log"
            ) from error


@contextlib.contextmanager
def _command(simulator: str, waves: Path | None, timeout_seconds: float | None) -> Iterator[None]:
    """Let Icarus write a VCD: cocotb tells it to write none, and vvp heeds the last word.

    A limit of time is kept by the program ``timeout``, which cocotb can put before its own.
    """
    wanted = {}
    if simulator == "icarus" and waves is not None:
        wanted["SIM_CMD_SUFFIX"] = f"{os.environ.get('SIM_CMD_SUFFIX', '')} -vcd"
    if timeout_seconds is not None and shutil.which("timeout"):
        before = os.environ.get("SIM_CMD_PREFIX", "")
        wanted["SIM_CMD_PREFIX"] = f"{before} timeout {timeout_seconds:g}"
    old = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in old.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
