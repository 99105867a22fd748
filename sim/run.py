"""Runs the cocotb bench under Icarus or Verilator and judges what it saw."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cocotb_tools.runner import get_runner

from gatesmith.models.errors import UserError
from gatesmith.sim.process import run_logged
from gatesmith.sim.vectors import Outcome, Vectors

__all__ = ["Scenario", "compile_and_run", "run_bench", "scenarios", "simulator_version"]

VERILATOR_SINCE = (5, 36)  # what cocotb's VPI calls need


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Beats to play after a reset.

    Members
    -------
    name : str
    sent : tuple of (int, int)   Index of a frame and how many beats of it, in order: fewer than
                              the frame has, or more, which repeat it. The last carries tlast.
    cut : bool                The last frame stops short of its end, without tlast.
    stop : int or None        The scenario ends after so many words of the first answer.
    reload : bool             Void configurations, and the right one again, come with the frames.
    stall : float             Part of the clocks in which each stream stalls.
    """

    name: str
    sent: tuple[tuple[int, int], ...]
    stall: float
    cut: bool = False
    stop: int | None = None
    reload: bool = False

    def expected(self, words: int) -> list[int]:
        """Frames that must come out whole: those sent at their right length."""
        if self.stop is not None:
            return []
        return [frame for frame, length in self.sent if length == words]


def scenarios(vectors: Vectors, *, stall: float, seed: int) -> list[Scenario]:
    """What every verification plays, one after the other, each after a reset.

    Frames of wrong lengths between right ones; an answer and a frame that the next reset cuts;
    configurations of wrong lengths and a right one while frames are inside, if there are any;
    then all frames without stalls, which must find nothing left over; all frames again with the
    wanted stalls; and a few with many.
    """
    frames, words = vectors.inputs.shape
    rng = np.random.default_rng(seed)
    few = rng.permutation(frames)[:3].tolist()
    whole = tuple((k, words) for k in few)
    every = tuple((k, words) for k in range(frames))
    # One beat too few or too many; one beat alone; a tlast where a second frame would end.
    lengths = (max(1, words - 1), words + 1, 1, words, 2 * words, 3 * words - 1, words)
    wrong = tuple((int(rng.choice(few)), length) for length in lengths)
    plays = [Scenario(name="wrong lengths", sent=wrong, stall=0.2)]
    if vectors.expected.shape[1] > 1:  # an answer of one word has no middle
        plays.append(Scenario(name="answer cut by reset", sent=whole, stall=0, stop=1))
    if words > 1:
        part = ((few[0], words // 2),)
        plays.append(Scenario(name="frame cut by reset", sent=part, stall=0, cut=True))
    if vectors.config is not None:
        plays.append(Scenario(name="configured again", sent=whole, stall=0.2, reload=True))
    plays.append(Scenario(name="all frames", sent=every, stall=0))
    if stall:
        plays.append(Scenario(name="all frames, stalled", sent=every, stall=stall))
    return [*plays, Scenario(name="a few, much stalled", sent=whole, stall=0.5)]


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
    words = vectors.inputs.shape[1]
    folder.mkdir(parents=True, exist_ok=True)
    job: dict = {"seed": seed, "patience": vectors.patience, "config": vectors.config is not None}
    job["scenarios"] = []
    if vectors.config is not None:
        np.save(folder / "config.npy", vectors.config)
    for number, play in enumerate(plays):
        beats = [np.resize(vectors.inputs[k], length) for k, length in play.sent]
        np.save(folder / f"beats{number}.npy", np.concatenate(beats))
        ends = np.cumsum([len(part) for part in beats])
        firsts = [int(end) - len(part) for end, part in zip(ends, beats, strict=True)]
        right = [f for f, (_, length) in zip(firsts, play.sent, strict=True) if length == words]
        job["scenarios"].append({
            "last": ((ends[:-1] if play.cut else ends) - 1).tolist(),
            "first": right,
            "frames_out": len(play.expected(words)),
            "stop": play.stop,
            "reload": play.reload,
            "stall": play.stall,
        })  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    (folder / "seen.json").unlink(missing_ok=True)
    _simulate(verilog, top, folder, simulator, waves, watched, timeout_seconds)
    if not (folder / "seen.json").exists():
        raise UserError(f"The bench did not finish under {simulator}; see {folder / 'bench.log'}")
    seen = json.loads((folder / "seen.json").read_text())
    return [_outcome(play, found, vectors) for play, found in zip(plays, seen, strict=True)]


def _outcome(play: Scenario, found: dict, vectors: Vectors) -> Outcome:
    words_in, words_out = vectors.inputs.shape[1], vectors.expected.shape[1]
    expected, errors = play.expected(words_in), list(found["errors"])
    beats = sum(length for _, length in play.sent)
    if play.stop is None and found["sent"] != beats:
        errors.append(f"only {found['sent']} of {beats} input beats were taken")
    if len(found["frames"]) != len(expected):
        errors.append(f"{len(found['frames'])} frames came out, not {len(expected)}")
    ragged = [k for k, frame in enumerate(found["frames"]) if len(frame) != words_out]
    if ragged:
        length = len(found["frames"][ragged[0]])
        errors.append(f"output frame {ragged[0]} has {length} words, not {words_out}")
    position, wrong_at = 0, None
    for _, length in play.sent[: -1 if play.cut else None]:
        if length != words_in and wrong_at is None:
            wrong_at = position + min(length, words_in)  # beats taken when the fault shows
        position += length
    changes = [tuple(change) for change in found["frame_error"]]
    if play.reload and [value for _, value in changes] != [1]:
        errors.append(f"frame_error must rise once on void configurations, not {changes}")
    if wrong_at is None and changes and not play.reload:
        errors.append(f"frame_error rose after {changes[0][0]} beats of right frames")
    if wrong_at is not None and [value for _, value in changes] != [1]:
        errors.append(f"frame_error must rise once and stay, not {changes}")
    if wrong_at is not None and changes and changes[0][0] != wrong_at:
        errors.append(f"frame_error rose after {changes[0][0]} beats, not {wrong_at}")
    count = next(iter(ragged), len(found["frames"]))
    spans = np.array(found["last"][:count], dtype=np.int64) + 1
    starts = np.resize(np.array(found["first"] or [0], dtype=np.int64), count)
    return Outcome(
        outputs=np.array(found["frames"][:count], dtype=np.uint64).reshape(count, words_out),
        clocks=spans - starts,
        total_clocks=found["clocks"],
        errors=errors,
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
