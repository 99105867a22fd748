"""The column engine with its accumulators alone, to be measured without the rest of the chip."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.lstm.accumulators import Accumulators
from gatesmith.hw.lstm.engine import Engine
from gatesmith.models.lstm import LSTMSpec
from gatesmith.models.lstm.layout import passes, sum_width

__all__ = ["ColumnEngine"]


class ColumnEngine(wiring.Component):
    """An Engine of one layer and a head, with sums for two steps of ``x``, for ``h`` and the head.

    The sums are those of the whole chip, but all of them lie in memories of at least two words,
    whatever the number of lanes, and nothing reads them for other stages.

    Members are those of Engine.
    """

    def __init__(self, spec: LSTMSpec) -> None:
        found = passes(spec)
        width, count = sum_width(spec), spec.lanes * spec.batch
        groups: dict[str, int] = {one.branch: max(2, one.groups) for one in found}
        self._sums = {
            name: Accumulators(width=width, sums=count, groups=groups[branch], kind="sram")
            for name, branch in (("x0", "x"), ("x1", "x"), ("h0", "h"), ("head", "head"))
        }
        banks = {"x": (0, 1), "h": (2, 2), "head": (3, 3)}
        self._engine = Engine(spec, list(self._sums.values()), [banks[one.branch] for one in found])
        super().__init__(
            {
                name: (In if member.flow == In else Out)(member.shape)
                for name, member in self._engine.signature.members.items()
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.engine = self._engine
        for name, sums in self._sums.items():
            m.submodules[f"sums_{name}"] = sums
        wiring.connect(m, self._engine, wiring.flipped(self))
        return m
