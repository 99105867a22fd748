"""The parts of a decoder by the names of their instances, and the work that it does."""

from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["OPERATION", "operations", "parts"]

OPERATION = "one edge in one iteration: a message to a check and the one that comes back"


def operations(spec: MinSumSpec) -> int:
    """Edges times iterations, of a frame that does all of them."""
    return spec.edges * spec.iterations


def parts(spec: MinSumSpec) -> dict[str, str]:
    """What each instance below the top module is, in words; the top is the empty path."""
    return {
        "": "AXI4-Stream ports",
        "s_guard": "length check of input frames",
        "core": f"decoder, {spec.schedule}",
    }
