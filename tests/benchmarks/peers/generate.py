"""Verilog of one task by a peer: run by the Python of the peer's own virtual environment.

``python generate.py da4ml|alkaid TASK.json FOLDER`` writes ``FOLDER/design.v`` (top ``model``) and
``FOLDER/made.json``. Nothing of Gatesmith is imported here, and no peer by Gatesmith.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

UNLIMITED = -1  # depth: as many adders in a row as the smallest graph has


def main(peer: str, task_file: str, folder: str) -> None:
    """Trace the task's layers, solve and write them; CPU seconds do not count the imports."""
    task = json.loads(Path(task_file).read_text())
    if peer == "da4ml":
        from da4ml.codegen import RTLModel
        from da4ml.trace import FixedVariableArrayInput as Array
        from da4ml.trace import comb_trace as trace

        hardware = (1, -1, -1)
    else:
        from alkaid.codegen import RTLModel
        from alkaid.trace import FVArrayInput as Array
        from alkaid.trace import trace

        hardware = (1, -1, -1)
    options = {"hard_dc": UNLIMITED}
    if peer == "alkaid" and task["plain"]:
        options["binary_lut"] = False
    path = Path(folder)
    begin = time.process_time()
    matrices = [np.array(layer["weights"]) for layer in task["layers"]]
    inputs = Array(len(matrices[0]), hardware, options)
    signed = int(task["signed"])
    x = inputs.quantize(signed, task["bits"] - signed, 0)
    for layer, weights in zip(task["layers"], matrices, strict=True):
        x = x @ weights.astype(np.float64)
        if any(layer["bias"]):
            x = x + np.array(layer["bias"], dtype=np.float64)
        if layer["output_bits"]:
            # relu(x / 2**shift) in output_bits, saturated: drop bits, then clamp.
            x = (x * 2.0 ** -layer["shift"]).quantize(
                0, layer["output_bits"], 0, overflow_mode="SAT", round_mode="TRN"
            )
    logic = trace(inputs, x)
    cutoff = task["latency_cutoff"]
    if peer == "da4ml":
        model = RTLModel(logic, "model", path / "project", latency_cutoff=cutoff)
    else:
        model = RTLModel(
            logic,
            path / "project",
            "model",
            latency_cutoff=cutoff,
            ternary_fuse=not task["plain"],
        )
    model.write()
    seconds = time.process_time() - begin
    files = sorted((path / "project" / "src").rglob("*.v"))
    text = "\n".join(file.read_text() for file in files if "wrapper" not in file.name)
    (path / "design.v").write_text(text)
    made = {"seconds": seconds, "inputs": fields(logic.inp_qint), "outputs": fields(logic.out_qint)}
    (path / "made.json").write_text(json.dumps(made))


def fields(intervals: list) -> list[tuple[int, int]]:
    """Width and whether it is signed, of each number: fields of a bus, number 0 lowest."""
    found = []
    for low, high, _ in intervals:
        signed = low < 0
        width = max(int(high).bit_length(), int(-low - 1).bit_length() if signed else 0)
        found.append((width + signed, signed))
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
