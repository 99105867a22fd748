"""Verifies and measures Verilog: Icarus against the reference, then Yosys and static timing."""

import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from contestants import Field, Made
from tasks import Task, inputs_of

from gatesmith.flows.silicon.liberty import Library
from gatesmith.flows.silicon.netlist import Netlist, read_netlist
from gatesmith.flows.silicon.recipes import RECIPES
from gatesmith.flows.silicon.timing import analyse
from gatesmith.flows.synth import mapping_of
from gatesmith.sim.cache import cached_json, keep_json
from gatesmith.sim.yosys import tool_version, yosys

__all__ = ["Cost", "flattened", "mapped", "verify"]

LONGEST = 64  # clocks that are tried as a latency


class Mismatch(Exception):
    """A design that does not compute its task."""


def verify(task: Task, made: Made, name: str) -> tuple[int, int]:
    """Vectors that a design answered rightly, and its latency in clocks; Mismatch if any is wrong.

    A new vector goes in at every clock: an interval above 1 would be a mismatch.
    """
    inputs = inputs_of(task)
    wanted = task.outputs(inputs)
    key = [made.text, made.ports, made.inputs, made.outputs, inputs.tolist(), wanted.tolist()]
    found = cached_json("peers-verified", key)
    if not found:
        words = _simulate(made, inputs)
        for latency in range(LONGEST if made.clock else 1):
            answers = words[latency : latency + len(inputs)]
            if None not in answers:
                right = np.array([_split(word, made.outputs) for word in answers])  # type: ignore[arg-type]
                if np.array_equal(right, wanted):
                    break
        else:
            raise Mismatch(f"{name} does not compute {task.name}")
        found = [len(inputs), latency]
        keep_json("peers-verified", key, found)
    return found[0], found[1]


def _simulate(made: Made, inputs: np.ndarray) -> list[int | None]:
    """The output bus before each clock edge, or for each vector; None where bits are unknown."""
    wide = [sum(width for width, _ in fields) for fields in (made.inputs, made.outputs)]
    count = len(inputs)
    total = count + (LONGEST if made.clock else 0)
    clock = f".{made.clock}(clk), " if made.clock else ""
    bench = f"""
module bench;
  reg clk = 0;
  reg [{wide[0] - 1}:0] vectors [0:{count - 1}];
  reg [{wide[0] - 1}:0] i;
  wire [{wide[1] - 1}:0] o;
  integer k;
  {made.top} dut({clock}.{made.ports[0]}(i), .{made.ports[1]}(o));
  initial begin
    $readmemh("vectors.hex", vectors);
    for (k = 0; k < {total}; k = k + 1) begin
      i = vectors[k < {count} ? k : {count - 1}];
      #1 $display("%h", o);
      clk = 1;
      #1 clk = 0;
    end
    $finish;
  end
endmodule
"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.v").write_text(made.text)
        (folder / "bench.v").write_text(bench)
        joined = [_join(row, made.inputs) for row in inputs.tolist()]
        (folder / "vectors.hex").write_text("".join(f"{word:x}\n" for word in joined))
        for command in (
            ["iverilog", "-g2012", "-s", "bench", "-o", "bench", "bench.v", "design.v"],
            ["vvp", "-n", "bench"],
        ):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if done.returncode:
                raise Mismatch(f"Icarus refuses {made.top}: {(done.stdout + done.stderr)[:300]}")
    lines = done.stdout.split()
    assert len(lines) >= total
    return [None if set(line) & set("xzXZ") else int(line, 16) for line in lines[:total]]


def _join(values: list[int], fields: list[Field]) -> int:
    word, place = 0, 0
    for value, (width, _) in zip(values, fields, strict=True):
        word |= (value & ((1 << width) - 1)) << place
        place += width
    return word


def _split(word: int, fields: list[Field]) -> list[int]:
    values, place = [], 0
    for width, signed in fields:
        value = word >> place & ((1 << width) - 1)
        values.append(value - (1 << width) if signed and value >> (width - 1) else value)
        place += width
    return values


def flattened(made: Made) -> str:
    """Verilog of one module: a border inside would keep Yosys from optimising across it."""
    key = [tool_version(), made.text, made.top]
    found = cached_json("peers-flattened", key)
    if not found:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "design.v").write_text(made.text)
            lines = ["read_verilog -sv -defer design.v", f"hierarchy -check -top {made.top}"]
            lines += ["proc", "flatten -noscopeinfo", "opt_clean", "write_verilog -noattr flat.v"]
            yosys(lines, folder)
            found = (folder / "flat.v").read_text()
        keep_json("peers-flattened", key, found)
    return found


@dataclass(frozen=True, kw_only=True)
class Cost:
    """A design in cells. ``period`` is in ns, None for a library without delays.

    ``levels`` is the number of cells in the longest row of gates.
    """

    area: float
    gate_equivalents: float
    flip_flops: int
    levels: int
    period: float | None


def mapped(text: str, top: str, library: Library, task: Task, made: Made | None) -> dict[str, Cost]:
    """What a design costs by each recipe.

    Mismatch when the cells do not compute the task; a design with streams (``made`` is None) is
    not asked.
    """
    costs = {}
    for recipe in RECIPES:
        log = Path("build/peers") / "yosys.log"
        mapping = mapping_of(text, top, liberty=library.path, log=log, recipe=recipe)
        key = [hashlib.sha256(mapping.netlist).hexdigest(), library.sha256, task.to_json()]
        found: Any = cached_json("peers-timing", key)
        if not found:
            netlist = read_netlist(mapping.netlist, top, library)
            if made and not _cells_compute(netlist, made, task):
                raise Mismatch(f"{top}, mapped by {recipe}, does not compute {task.name}")
            found = [len(netlist.levels), analyse(netlist).period if library.timed else None]
            keep_json("peers-timing", key, found)
        total = mapping.report.total
        costs[recipe] = Cost(
            area=total.area,
            gate_equivalents=mapping.report.gate_equivalents(total.area),
            flip_flops=total.flip_flops,
            levels=found[0],
            period=found[1],
        )
    return costs


def _cells_compute(netlist: Netlist, made: Made, task: Task) -> bool:
    """Whether the cells answer all vectors, each held until it has come through all registers."""
    inputs = inputs_of(task)
    ports = {port.name: port.nets for port in netlist.ports}
    values = np.zeros((netlist.nets, len(inputs)), dtype=bool)
    values[Netlist.ONE] = True
    words = [_join(row, made.inputs) for row in inputs.tolist()]
    for place, net in enumerate(ports[made.ports[0]].tolist()):
        values[net] = [word >> place & 1 for word in words]
    flops = [group for group in netlist.groups if group.cell.flip_flop]
    for _ in range(LONGEST if flops else 1):
        before = values.copy()
        for level in netlist.levels:
            for group, index in level:
                pins = {pin: values[nets[index]] for pin, nets in group.pins.items()}
                for pin in group.cell.outputs:
                    if pin.function:
                        values[group.pins[pin.name][index]] = pin.function.value(pins, True)
        clocked = []
        for group in flops:
            flop = group.cell.flip_flop
            assert flop
            pins = {pin: values[nets] for pin, nets in group.pins.items()}
            state = flop.next_state.value(pins, True)
            clocked.append((group, {flop.state: state, flop.inverted: ~state}))
        for group, states in clocked:
            for pin in group.cell.outputs:
                if pin.function:
                    values[group.pins[pin.name]] = pin.function.value(states, True)
        if np.array_equal(values, before):
            break
    bits = values[ports[made.ports[1]]]
    answers = [
        _split(sum(1 << place for place in np.flatnonzero(column).tolist()), made.outputs)
        for column in bits.T
    ]
    return np.array_equal(np.array(answers), task.outputs(inputs))
