"""Energy of a netlist by part, from a simulation's waves."""

import numpy as np

from gatesmith.flows.silicon.activity import ALL, Activity, Waves, evaluate
from gatesmith.flows.silicon.energy import KINDS, energy_of
from gatesmith.flows.silicon.gate_level import states_of
from gatesmith.flows.silicon.liberty import Library
from gatesmith.flows.silicon.netlist import Netlist
from gatesmith.flows.silicon.timing import Timing
from gatesmith.models.errors import UserError

__all__ = ["Metered", "meter"]

CHUNK = 1 << 14  # clocks whose bits are in memory at once: 4 kB for each net


class Metered:
    """Sums over a window of clocks.

    Members
    -------
    parts : dict              Energy (fJ) by kind of each part, by the path of its instance.
    clock_switching : float   The part of the energy (fJ) that charges clock pins.
    unknown : int             Flip-flops without a known value at the start.
    clocks : int              Length of the window.
    """

    def __init__(self, netlist: Netlist) -> None:
        self.parts: dict[str, dict[str, float]] = {}
        self.clock_switching = 0.0
        self.unknown = 0
        self.toggles = np.zeros(netlist.nets)
        self.high = np.zeros(netlist.nets)
        self.clocks = 0

    @property
    def activity(self) -> dict[str, np.ndarray]:
        """Toggles a clock, and the part of the time in which a net is high."""
        return {"toggles": self.toggles / self.clocks, "duty": self.high / self.clocks}


def meter(
    netlist: Netlist,
    timing: Timing,
    library: Library,
    waves: Waves,
    begin: int,
    end: int,
    period: float,
) -> Metered:
    """Energy of the clocks from begin (at least 1) to end - 1, at a clock period in ns.

    UserError when the waves do not match the netlist.
    """
    states, unknown = states_of(netlist, waves)
    metered = Metered(netlist)
    registers = [g.pins[g.cell.outputs[0].name] for g in netlist.groups if g.cell.flip_flop]
    metered.unknown = sum(int(unknown[nets, begin].sum()) for nets in registers)
    for start in range(begin, end, CHUNK):
        stop = min(start + CHUNK, end)
        activity = evaluate(netlist, states, start, stop)
        _check(netlist, activity, unknown[:, start:stop])
        metered.toggles += activity.count(activity.bits ^ activity.before)
        metered.high += activity.count(activity.bits)
        metered.clocks += activity.clocks
        for energy in energy_of(netlist, timing, activity, voltage=library.voltage, period=period):
            names, index = np.unique(energy.group.parts, return_inverse=True)
            for kind, values in energy.kinds.items():
                sums = np.bincount(index, values, minlength=len(names))
                for name, value in zip(names.tolist(), sums.tolist(), strict=True):
                    part = metered.parts.setdefault(name, dict.fromkeys(KINDS, 0.0))
                    part[kind] += value
            metered.clock_switching += float(energy.clock_switching.sum())
    return metered


def _check(netlist: Netlist, activity: Activity, unknown: np.ndarray) -> None:
    """UserError unless every flip-flop took over what its inputs were in the clock before."""
    for group in netlist.groups:
        flip_flop = group.cell.flip_flop
        if flip_flop is None:
            continue
        before = {pin: activity.before[nets] for pin, nets in group.pins.items()}
        for pin in group.cell.outputs:
            assert pin.function is not None
            nets = group.pins[pin.name]
            # Of an inverted output, the state is the opposite.
            turn = pin.function.value({flip_flop.state: ALL ^ ALL, flip_flop.inverted: ALL}, ALL)
            state = before[pin.name] ^ turn
            names = {**before, flip_flop.state: state, flip_flop.inverted: state ^ ALL}
            wanted = flip_flop.next_state.value(names, ALL) ^ turn
            differs = (wanted ^ activity.bits[nets]) & activity.used
            wrong = np.unpackbits(differs.view(np.uint8), axis=1, bitorder="little")
            if (wrong[:, : activity.clocks].astype(bool) & ~unknown[nets]).any():
                raise UserError("VCD must match the netlist, but a flip-flop ignored its inputs")
