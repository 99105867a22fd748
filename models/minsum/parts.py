"""The parts of a decoder by the names of their instances, and the work that it does."""

from gatesmith.models.minsum.layout import block_rows
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["OPERATION", "operations", "parts"]

OPERATION = "one edge in one iteration: a message to a check and the one that comes back"


def operations(spec: MinSumSpec) -> int:
    """Edges times iterations, of a frame that does all of them."""
    return spec.edges * spec.iterations


def parts(spec: MinSumSpec) -> dict[str, str]:
    """What each instance below the top module is, in words; the top is the empty path.

    Check and variable nodes, many of one kind, go by the names of their instances in the decoder.
    """
    if spec.schedule == "flooding":
        decoder = f"flooding decoder: {spec.checks} checks and {spec.variables} variables at once"
    else:
        rows = f"{spec.rows_per_clock} row{'s' * (spec.rows_per_clock > 1)}"
        decoder = f"layered decoder: {rows} of {spec.checks} a clock"
        if spec.memory == "sram":
            blocks = len(block_rows(spec))
            decoder = f"layered decoder: order of its blocks in {blocks} rows, and the decision"
    found = {
        "": "AXI4-Stream ports",
        "s_guard": "length check of input frames",
        "core": "order of iterations",
        "core.intake": "LLRs of the next frame",
        "core.decoder": decoder,
        "core.syndrome": "syndrome of the decision",
        "core.output": "bits and posteriors on their way out",
    }
    if spec.memory == "sram":
        found["core.decoder.rotator"] = f"rotator of {spec.lifting} posteriors"
        found["core.decoder.lanes"] = f"{spec.lifting} serial check nodes"
    return found
