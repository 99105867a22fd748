"""Faults planted on purpose: does ``verify`` see every one?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.flows.verify import Seen, judge, make_vectors, simulate
from gatesmith.sim.vectors import Vectors, Weights, beat_counts

__all__ = ["plant_faults"]

SOUND = "nothing spoilt, which passes"
MANY, WORDS = 256, 200_000  # frames among which one that shows a fault is sought; words of them
FRAMES = 6  # of a design with a planted fault, chosen so that the fault shows


def plant_faults(
    entry: Any,
    spec: Any,
    vectors: Vectors,
    seen: Seen,
    verilog: Path,
    simulator: str,
    seed: int,
    work: Path,
) -> dict[str, bool]:
    """Planted fault to whether it was seen.

    In the golden vectors: a word, the order of frames, a missing frame, the clocks. In the
    Verilog: the Spec's own ``faults``, each written as Verilog and held against the true golden
    model, and a shell that spoils the design's ports. Beside them the sound design, written again
    and in a shell that spoils nothing, which must pass.
    """
    caught = {}
    few = vectors.take(slice(FRAMES))

    def differs(text: str, chosen: Vectors, stall: float, brief: bool) -> bool:
        path = work / "fault.v"
        path.write_text(text)
        return _differs(
            chosen,
            simulate(
                path,
                spec.name,
                chosen,
                simulator,
                stall,
                seed,
                work / "fault",
                brief=brief,
                keep=False,
            ),
        )

    caught["control: the sound design, which passes"] = not differs(
        entry.verilog(spec), few, 0.0, True
    )
    for name, changed in _vector_faults(vectors):
        caught[f"vectors: {name}"] = _differs(changed, seen)
    shows = 0
    for name, faulty in entry.models.faults(spec).items():
        shown = _showing(entry, spec, faulty, vectors)
        if shown is None:
            continue  # no frame at hand tells the two apart: the fault changes nothing here
        shows += 1
        config = faulty.config_words()
        if config is not None:  # loadable weights are wrong where they are loaded from
            shown = replace(shown, config=faulty.config_format.pack(config)[0])
        shown = replace(shown, weights=Weights.of(faulty))  # and so are those that lie outside
        text = entry.verilog(replace(faulty, name=spec.name))
        caught[f"design: {name}"] = differs(text, shown, 0.0, True)
    if not shows:
        caught["design: any fault that a frame shows"] = False
    for name, text in _port_faults(verilog.read_text(), spec, simulator):
        found = differs(text, few, 0.3, False)
        caught[f"ports: {name}"] = found if name != SOUND else not found
    return caught


def _differs(vectors: Vectors, seen: Seen) -> bool:
    return any(play.mismatches or play.errors for play in judge(vectors, seen))


def _vector_faults(vectors: Vectors) -> Iterator[tuple[str, Vectors]]:
    middle = len(vectors.expected) // 2
    expected = vectors.expected.copy()
    expected[middle, beat_counts(expected)[middle] // 2] ^= np.uint64(1)
    yield "lowest bit of one word", replace(vectors, expected=expected)
    yield "last frame missing", vectors.take(slice(len(vectors.expected) - 1))
    for step in (1, -1):
        clocks = vectors.clocks.copy()
        clocks[0] += step  # of the frames that every scenario without stalls begins with
        yield f"clocks of one frame {step:+d}", replace(vectors, clocks=clocks)
    different = np.flatnonzero((vectors.expected != vectors.expected[0]).any(axis=1))
    if different.size:
        order = np.arange(len(vectors.expected))
        order[[0, different[0]]] = order[[different[0], 0]]
        yield "two frames swapped", replace(vectors, expected=vectors.expected[order])


def _showing(entry: Any, spec: Any, faulty: Any, vectors: Vectors) -> Vectors | None:
    """A few of the frames, led by one on which the faulty design answers wrong."""
    frames = spec.input_format.unpack(vectors.inputs)
    count = max(FRAMES, min(MANY, WORDS // frames.shape[1]))
    random = spec.input_format.random(np.random.default_rng(0), count)
    frames = np.concatenate([frames[:count], random])
    right, wrong = (entry.models.golden(s, frames).outputs for s in (spec, faulty))
    shows = np.flatnonzero((right != wrong).any(axis=1))
    if not shows.size:
        return None
    chosen = frames[[shows[0], *range(FRAMES - 1)]]
    return make_vectors(entry, spec, chosen)


def _port_faults(verilog: str, spec: Any, simulator: str) -> Iterator[tuple[str, str]]:
    """The Verilog with its top module in a shell that spoils one thing."""
    width_in, width_out = spec.input_format.data_width, spec.output_format.data_width
    head = f"module {spec.name}("
    assert verilog.count(head) == 1
    inner = verilog.replace(head, f"module {spec.name}_sound(")
    ports = ["clk", "rst"]
    sizes = {"s_axis_tdata": width_in, "m_axis_tdata": width_out}
    inputs = ["s_axis_tdata", "s_axis_tvalid", "s_axis_tlast", "m_axis_tready"]
    outputs = ["s_axis_tready", "m_axis_tdata", "m_axis_tvalid", "m_axis_tlast", "frame_error"]
    if spec.config_format is not None:
        sizes["c_axis_tdata"] = spec.config_format.data_width
        inputs += ["c_axis_tdata", "c_axis_tvalid", "c_axis_tlast"]
        outputs.append("c_axis_tready")
    if spec.weight_port is not None:
        sizes |= {
            "r_axis_tdata": spec.weight_port.request_width,
            "w_axis_tdata": spec.weight_port.data_width,
        }
        inputs += ["r_axis_tready", "w_axis_tdata", "w_axis_tvalid", "w_axis_tlast"]
        outputs += ["r_axis_tdata", "r_axis_tvalid", "w_axis_tready"]
    ports += inputs + outputs
    spoils: dict[str, dict[str, str]] = {
        SOUND: {},
        "tdata bit inverted": {"m_axis_tdata": "{D} ^ 1'b1"},
        "tlast never": {"m_axis_tlast": "1'b0"},
        "tlast always": {"m_axis_tlast": "1'b1"},
        "nothing ever comes": {"m_axis_tvalid": "1'b0"},
    }
    if simulator != "cxxrtl":
        spoils |= {
            "tvalid withdrawn": {"m_axis_tvalid": "{D} & (m_axis_tready | toggle)"},
            "frame_error never": {"frame_error": "1'b0"},
            "frame_error not kept": {"frame_error": "{D} & toggle"},
        }
    if spec.weight_port is not None:
        spoils |= {
            "weights never asked for": {"r_axis_tvalid": "1'b0"},
            "weights never taken": {"w_axis_tready": "1'b0"},
        }
        if simulator != "cxxrtl":
            spoils["request withdrawn"] = {"r_axis_tvalid": "{D} & (r_axis_tready | toggle)"}
    if simulator == "icarus":  # the others know no X
        unknown = {"m_axis_tdata": "m_axis_tvalid ? {D} : 1'bx"}
        spoils["tdata unknown between frames"] = unknown
    for name, changed in spoils.items():
        lines = [f"module {spec.name}({', '.join(ports)});", "  input clk, rst;"]
        for direction, names in (("input", inputs), ("output", outputs)):
            for port in names:
                lines.append(f"  {direction} [{sizes.get(port, 1) - 1}:0] {port};")
        lines.append("  reg toggle = 1'b0; always @(posedge clk) toggle <= ~toggle;")
        links = [f".{port}({port})" for port in ("clk", "rst", *inputs)]
        for port in outputs:
            lines.append(f"  wire [{sizes.get(port, 1) - 1}:0] sound_{port};")
            value = changed.get(port, "{D}").replace("{D}", f"sound_{port}")
            lines.append(f"  assign {port} = {value};")
            links.append(f".{port}(sound_{port})")
        lines.append(f"  {spec.name}_sound sound({', '.join(links)});")
        yield name, inner + "\n" + "\n".join(lines) + "\nendmodule\n"
