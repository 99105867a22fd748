"""The Verilog of each contestant for a task."""

import hashlib
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tasks import Task

from gatesmith.hw.matvec import matvec_verilog
from gatesmith.hw.sparse_mlp.network import network_verilog

__all__ = ["CONTESTANTS", "Field", "Made", "versions"]

BUILD = Path("build/peers")
PYTHON = BUILD / "venv" / "bin" / "python"
GENERATE = Path(__file__).parent / "generate.py"
PEERS = ("da4ml", "alkaid")

Field = tuple[int, bool]  # width and whether it is signed


@dataclass(frozen=True, kw_only=True)
class Made:
    """A design. Inputs and outputs are fields of one bus each, number 0 in the lowest bits.

    ``seconds`` is CPU time of its generation, without imports. ``clock`` is empty when there are
    no registers.
    """

    text: str
    top: str
    ports: tuple[str, str]
    clock: str
    inputs: list[Field]
    outputs: list[Field]
    seconds: float


def flat(task: Task) -> Made:
    """One signed sum an output, as one would write it; sharing is left to Yosys."""
    begin = time.process_time()
    product = _product(task, "flat")
    return _matrix(task, product, begin)


def ours(task: Task) -> Made:
    """Gatesmith's adder graphs and counters."""
    begin = time.process_time()
    return _matrix(task, _product(task, "auto"), begin)


def _product(task: Task, style: Any) -> Any:
    (layer,) = task.layers
    matrix = np.array(layer.weights).T
    return matvec_verilog("product", matrix, input_bits=task.bits, signed=task.signed, style=style)


def _matrix(task: Task, product: Any, begin: float) -> Made:
    (layer,) = task.layers
    return Made(
        text=product.text,
        top="product",
        ports=("i", "o"),
        clock="",
        inputs=[(task.bits, task.signed)] * len(layer.weights),
        outputs=[(product.width, True)] * len(layer.bias),
        seconds=time.process_time() - begin,
    )


def network(spec: Any, pipeline: int) -> Made:
    """Gatesmith's unrolled network, between registers as the peers put them."""
    begin = time.process_time()
    spec = spec.with_options(datapath="unrolled", pipeline=pipeline)
    made = network_verilog(spec, "network")
    first, last = spec.layers[0], spec.layers[-1]
    wide, out = first.inputs * first.input_bits, last.outputs * made.width
    text = f"""{made.text}
module registered(input clk, input [{wide - 1}:0] i, output reg [{out - 1}:0] o);
  reg [{wide - 1}:0] held;
  wire [{out - 1}:0] scores;
  network network(.clk(clk), .i(held), .o(scores));
  always @(posedge clk) begin held <= i; o <= scores; end
endmodule
"""
    return Made(
        text=text,
        top="registered",
        ports=("i", "o"),
        clock="clk",
        inputs=[(first.input_bits, False)] * first.inputs,
        outputs=[(made.width, True)] * last.outputs,
        seconds=time.process_time() - begin,
    )


def _peer(name: str, *, plain: bool = False) -> Callable[[Task], Made]:
    def make(task: Task) -> Made:
        order = json.dumps({**task.to_json(), "plain": plain})
        key = "\n".join([name, versions()[name], order, GENERATE.read_text()])
        folder = BUILD / "made" / hashlib.sha256(key.encode()).hexdigest()[:16]
        if not (folder / "made.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "task.json").write_text(order)
            command = [str(PYTHON), str(GENERATE), name, str(folder / "task.json"), str(folder)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"error: {name} failed on {task.name}: {done.stderr.strip()}")
        made = json.loads((folder / "made.json").read_text())
        return Made(
            text=(folder / "design.v").read_text(),
            top="model",
            ports=("model_inp", "model_out"),
            clock="clk" if task.pipelined else "",
            inputs=[(width, signed) for width, signed in made["inputs"]],
            outputs=[(width, signed) for width, signed in made["outputs"]],
            seconds=made["seconds"],
        )

    return make


def versions() -> dict[str, str]:
    """Versions of the peers in their virtual environment."""
    script = "import importlib.metadata as m; print(*map(m.version, {peers}))"
    command = [str(PYTHON), "-c", script.format(peers=PEERS)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return dict(zip(PEERS, found, strict=True))


CONTESTANTS: dict[str, Callable[[Task], Made]] = {
    "ours": ours,
    "da4ml": _peer("da4ml"),
    "alkaid": _peer("alkaid"),
    # Without what pays on FPGAs only: look-up tables of input bits, adders of three operands.
    "alkaid, plain": _peer("alkaid", plain=True),
    "flat sum": flat,
}
