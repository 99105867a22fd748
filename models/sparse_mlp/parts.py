"""The parts of a sparse MLP chip by the names of their instances, and the work that it does."""

from gatesmith.models.sparse_mlp.spec import SparseMLPSpec

__all__ = ["OPERATION", "operations", "parts"]

OPERATION = "one kept connection: a weight times an activation, added"


def operations(spec: SparseMLPSpec) -> int:
    """Kept connections, each used once a frame."""
    return sum(int(layer.fan_in.sum()) for layer in spec.layers)


def parts(spec: SparseMLPSpec) -> dict[str, str]:
    """What each instance below the top module is, in words; the top is the empty path."""
    found = {
        "": "AXI4-Stream ports",
        "s_guard": "length check of input frames",
        "c_guard": "length check of configuration frames",
        "core": "hand-over between the layers",
        "core.tail": "argmax",
        "core.loader": "loader of the memories",
    }
    if spec.datapath == "unrolled":
        return found | {"core.unrolled": "all layers at once"}
    for index, layer in enumerate(spec.layers):
        shape = f"{layer.inputs} to {layer.outputs}"
        lanes = f"{layer.lanes} lane{'s' * (layer.lanes > 1)}"
        found[f"core.layer{index}"] = f"layer {index}: {shape}, {lanes}"
    return found
