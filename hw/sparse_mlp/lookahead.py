"""The look-ahead of the index datapath: a block of mask bits at once."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.lfsr import states_ahead
from gatesmith.models.sparse_mlp import SparseLayer

__all__ = ["LookAhead", "lookahead_name"]


def lookahead_name(prefix: str, layer: SparseLayer) -> str:
    """Name of the module, the same for layers that can share it."""
    taps = "_".join(str(tap) for tap in layer.taps)
    return f"{prefix}_lookahead_t{taps}_l{layer.leap}_b{layer.lookahead}_p{layer.threshold}"


class LookAhead(wiring.Component):
    """Mask bits of the next ``lookahead`` inputs, and the LFSR state after them. Combinational.

    It is by far the largest part of a lane and the same in all lanes of a layer, so the Verilog
    holds it once, as a module that the lanes instantiate by name.

    Members
    -------
    state : In(width)        LFSR state of the block's first input.
    kept : Out(lookahead)    Bit k: input k of the block is kept.
    after : Out(width)       State of the next block's first input.
    """

    state: Signal
    kept: Signal
    after: Signal

    def __init__(self, layer: SparseLayer) -> None:
        self._layer = layer
        width = max(layer.taps)
        super().__init__({"state": In(width), "kept": Out(layer.lookahead), "after": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = self._layer
        *states, after = states_ahead(m, self.state, layer.taps, layer.leap, layer.lookahead + 1)
        m.d.comb += [
            self.kept.eq(Cat(state >= layer.threshold for state in states)),
            self.after.eq(after),
        ]
        return m
