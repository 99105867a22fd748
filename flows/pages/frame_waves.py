"""What the ports of a design do during one frame, simulated once and kept."""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.flows.pages.svg import Drawing
from gatesmith.flows.pages.waveform import numbers, waveform, windows
from gatesmith.flows.progress import working
from gatesmith.flows.silicon.activity import read_vcd
from gatesmith.flows.verify import choose_frames, make_vectors
from gatesmith.models.errors import UserError
from gatesmith.sim.cache import cached_json, keep_json
from gatesmith.sim.run import run_bench, simulator_version
from gatesmith.sim.scenarios import Scenario, whole

__all__ = ["frame_waveform"]

CACHE_VERSION = 1
LIMIT_SECONDS = 300


def frame_waveform(entry: Any, spec: Any, verilog: Path, ports: list[Mapping[str, Any]]) -> Drawing:
    """Waveform of the streams during one frame that nothing stalls, simulated on Icarus.

    UserError when Icarus is missing, or cannot simulate the Verilog in five minutes.
    """
    frames, _ = choose_frames(entry, spec, None, 1, 0, None)
    streams = [
        (str(port["name"]), int(port["width"]))
        for port in ports
        if str(port["name"]).startswith(("s_axis_", "m_axis_"))
    ]
    digest = hashlib.sha256(verilog.read_bytes()).hexdigest()
    key = [CACHE_VERSION, digest, simulator_version("icarus"), frames.tolist(), streams]
    traces: dict[str, list[int | None]] | None = cached_json("waveform", key)
    if not traces:
        traces = _simulate(entry, spec, verilog, frames, [name for name, _ in streams])
        keep_json("waveform", key, traces)
    given = _moves(traces, "s_axis")
    taken = _moves(traces, "m_axis")
    if not given or not taken:
        raise UserError(f"{verilog}: no frame passes in the simulation")
    clocks = len(traces[streams[0][0]])
    # Both ends of what goes in, and of what comes out.
    moments = [*given[:3], *given[-2:], *taken[:3], *taken[-2:]]
    return waveform(
        "One frame on the stream ports",
        {name: (width, traces[name]) for name, width in streams},
        windows(moments, clocks, after=1),
        given[0],
    )


def _moves(traces: Mapping[str, list[int | None]], stream: str) -> list[int]:
    """Clocks in which a word passes."""
    both = zip(traces[f"{stream}_tvalid"], traces[f"{stream}_tready"], strict=True)
    return [clock for clock, (valid, ready) in enumerate(both) if valid and ready]


def _simulate(
    entry: Any, spec: Any, verilog: Path, frames: np.ndarray, names: list[str]
) -> dict[str, list[int | None]]:
    vectors = make_vectors(entry, spec, frames)
    play = Scenario(name="one frame", sent=whole(vectors, [0]), stall=0)
    with (
        tempfile.TemporaryDirectory(prefix="gatesmith-") as work,
        working("Simulating a frame"),
    ):
        target = Path(work, "frame.vcd")
        run_bench(
            verilog,
            spec.name,
            vectors,
            [play],
            Path(work),
            waves=target,
            watched=["clk", *names],
            timeout_seconds=LIMIT_SECONDS,
        )
        waves = read_vcd(target, "clk")
    return {name: numbers(waves.values[name], waves.unknown[name]) for name in names}
