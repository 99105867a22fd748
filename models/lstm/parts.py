"""The parts of an LSTM chip by the names of their instances, and the work that it does."""

from math import prod

from gatesmith.models.lstm.spec import LSTMSpec

__all__ = ["OPERATION", "operations", "parts"]

OPERATION = "one weight times an element of an input or a state, added, whether skipped or not"


def operations(spec: LSTMSpec) -> int:
    """Products of all columns of the longest frame: what it would take if nothing were skipped.

    A symbol counts as the one column that it names.
    """
    total, head = 0, spec.head.weight.size
    for index, layer in enumerate(spec.layers):
        rows = len(layer.weight_h)
        total += rows * (1 if spec.one_hot and index == 0 else layer.inputs)
        total += prod(layer.weight_h.shape)
    answers = spec.steps if spec.every_step else 1
    return spec.batch * (spec.steps * total + answers * head)


def parts(spec: LSTMSpec) -> dict[str, str]:
    """What each instance below the top module is, in words; the top is the empty path."""
    lanes = f"{spec.lanes} lanes"
    if spec.batch > 1:
        lanes += f" of {spec.batch} sequences"
    cells = f"{spec.elementwise} cell{'s' * (spec.elementwise > 1)} a clock"
    found = {
        "": "AXI4-Stream ports",
        "s_guard": "check of input frames",
        "core": "hand-over between the parts",
        "core.intake": "input frames",
        "core.compute": "order of work",
        "core.compute.engine": f"column engine: {lanes}",
        "core.compute.elementwise": f"gates and cells: {cells}",
        "core.compute.preset": "states and cells at the start of a frame",
        "core.compute.output": "scores, argmax and counters",
    }
    if not spec.one_hot:
        found["core.intake.encoder"] = "entries of the input"
    if spec.loadable:
        found["c_guard"] = "length check of configuration frames"
        found["core.loader"] = "loader of the memories"
    for branch, of in (("x", "inputs"), ("h", "states")):
        for bank in range(1 if branch == "h" and len(spec.layers) == 1 else 2):
            found[f"core.compute.sums_{branch}{bank}"] = f"sums over {of}, bank {bank}"
    found["core.compute.sums_head"] = "sums of the head"
    for index, layer in enumerate(spec.layers):
        name = f"core.compute.states{index}"
        found[name] = f"states of layer {index}: {layer.hidden} cells"
        for lane in range(spec.elementwise):
            found[f"{name}.encoder{lane}"] = f"entries of the states of layer {index}, list {lane}"
    return found
