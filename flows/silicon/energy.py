"""Energy of a netlist's cells from what its nets did and the library's tables.

* Switching: half of C V² for each edge of a net that a cell drives; C is the pins on it.
* Internal: the library's energy of the edge, at the slew that static timing found and the load
  that is driven. An output's edge is shared equally by the related pins that changed in that
  clock; conditions (``when``) are looked up in the very clock. Edges that no condition covers cost
  the mean of the pin's arcs at an output, and nothing at an input.
* Leakage: by the states that a cell was in, for as long as it was in them.
* Clock: the flip-flops' clock pins rise and fall once a clock; the tree above them is not there.

Energies are in fJ over the window of the activity, capacitances in fF, so that C V² is in fJ too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gatesmith.flows.silicon.activity import ALL, Activity
from gatesmith.flows.silicon.netlist import CellGroup, Netlist
from gatesmith.flows.silicon.tables import Pin, PowerArc, Table
from gatesmith.flows.silicon.timing import FALL, RISE, Timing

__all__ = ["KINDS", "Energy", "energy_of"]

KINDS = ("clock", "flip_flop", "logic", "switching", "leakage")
NOTHING = np.uint64(0)


@dataclass(frozen=True)
class Energy:
    """Energy (fJ) of each instance of a group, float ``[instances]``, by kind.

    ``clock`` is that of flip-flops' clock pins, internal and C V²; ``flip_flop`` and ``logic`` the
    other internal energy of flip-flops and of gates.
    """

    group: CellGroup
    kinds: dict[str, np.ndarray]
    clock_switching: np.ndarray  # the C V² part of clock


def energy_of(
    netlist: Netlist, timing: Timing, activity: Activity, *, voltage: float, period: float
) -> list[Energy]:
    """Energy of all cells in the window of an activity, at a clock period in ns."""
    return [
        _Group(group, netlist, timing, activity, voltage, period).energy()
        for group in netlist.groups
    ]


class _Group:
    """All instances of a cell, with what their pins did."""

    def __init__(
        self,
        group: CellGroup,
        netlist: Netlist,
        timing: Timing,
        activity: Activity,
        voltage: float,
        period: float,
    ) -> None:
        self.group, self.cell = group, group.cell
        self.netlist, self.timing, self.activity = netlist, timing, activity
        self.voltage, self.period = voltage, period
        self.bits = {pin: activity.bits[nets] for pin, nets in group.pins.items()}
        self.before = {pin: activity.before[nets] for pin, nets in group.pins.items()}
        self.clock = self.cell.clock

    def energy(self) -> Energy:
        """Sum over pins."""
        count, clocks = len(self.group), self.activity.clocks
        square = self.voltage**2
        kinds = {kind: np.zeros(count) for kind in KINDS}
        internal = kinds["flip_flop" if self.clock else "logic"]
        for pin in self.cell.outputs:
            nets = self.group.pins[pin.name]
            rises, falls = self._edges(pin.name)
            for edge, edges in ((RISE, rises), (FALL, falls)):
                loads = self.netlist.loads[edge, nets]
                kinds["switching"] += self.activity.count(edges) * loads * square / 2
                internal += self._output(pin, edge, edges, loads)
        clock_switching = np.zeros(count)
        for pin in self.cell.inputs:
            if pin.name == self.clock:
                everywhere = np.broadcast_to(ALL, self.bits[pin.name].shape)
                # The clock rises on what the inputs were, and falls on what they have become.
                kinds["clock"] += self._input(pin, RISE, everywhere, self.before)
                kinds["clock"] += self._input(pin, FALL, everywhere, self.bits)
                clock_switching += clocks * sum(pin.capacitances) * square / 2
                kinds["clock"] += clock_switching
            else:
                states = self.bits
                if self.clock:
                    # Whether the clock is still high when the pin changes.
                    arrived = self.timing.arrivals[:, self.group.pins[pin.name]].max(axis=0)
                    high = np.where(arrived <= self.period / 2, ALL, NOTHING)[:, None]
                    states = {
                        **self.bits,
                        self.clock: np.broadcast_to(high, self.bits[pin.name].shape),
                    }
                for edge, edges in enumerate(self._edges(pin.name)):
                    internal += self._input(pin, edge, edges, states)
        # A nanowatt for a nanosecond is a thousandth of a femtojoule.
        kinds["leakage"] += self._leakage() * self.period * clocks * 1e-3
        return Energy(self.group, kinds, clock_switching)

    def _edges(self, pin: str) -> tuple[np.ndarray, np.ndarray]:
        """Clocks in which a pin rose, and in which it fell."""
        bits, before = self.bits[pin], self.before[pin]
        return bits & ~before, before & ~bits

    def _output(self, pin: Pin, edge: int, edges: np.ndarray, loads: np.ndarray) -> np.ndarray:
        """Internal energy of an output's edges."""
        by_related: dict[str, list[PowerArc]] = {}
        for arc in pin.powers:
            if arc.energies[edge]:
                by_related.setdefault(arc.related, []).append(arc)
        total = np.zeros(len(self.group))
        if not by_related:
            return total
        causes = [related for related in by_related if related and related != self.clock]
        shares = self._shares(causes, edges)
        for related, arcs in by_related.items():
            slews = self._slews(pin, related, edge)
            energies = [_sum(arc.energies[edge], slews, loads) for arc in arcs]
            parts = shares[related] if related in causes else [(1.0, edges)]
            for share, mask in parts:
                total += share * self._covered(arcs, energies, mask, self.bits, mean=True)
        return total

    def _shares(
        self, causes: Sequence[str], edges: np.ndarray
    ) -> dict[str, list[tuple[float, np.ndarray]]]:
        """For each related pin: clocks in which it shares an edge, by the size of the share.

        Edges that no related pin explains are shared by all of them.
        """
        changed = {pin: self.bits[pin] ^ self.before[pin] for pin in causes}
        # exactly[k]: clocks in which k of the pins changed.
        exactly = [np.broadcast_to(ALL, edges.shape)]
        for change in changed.values():
            grown = [*exactly, np.zeros_like(edges)]
            shifted = [np.zeros_like(edges), *exactly]
            exactly = [(g & ~change) | (s & change) for g, s in zip(grown, shifted, strict=True)]
        found: dict[str, list[tuple[float, np.ndarray]]] = {}
        for pin, change in changed.items():
            found[pin] = [(1 / k, edges & exactly[k] & change) for k in range(1, len(exactly))]
            found[pin].append((1 / len(causes), edges & exactly[0]))
        return found

    def _slews(self, pin: Pin, related: str, edge: int) -> np.ndarray:
        """Slew of the related pin's edge that causes an edge of the output; ideal for a clock."""
        if not related or related == self.clock:
            return np.zeros(len(self.group))
        both = self.timing.slews[:, self.group.pins[related]]
        senses = {arc.sense for arc in pin.delays if arc.related == related}
        if senses == {"positive_unate"}:
            return both[edge]
        if senses == {"negative_unate"}:
            return both[1 - edge]
        return both.mean(axis=0)

    def _input(
        self, pin: Pin, edge: int, edges: np.ndarray, states: dict[str, np.ndarray]
    ) -> np.ndarray:
        """Internal energy of an input's edges."""
        arcs = [arc for arc in pin.powers if arc.energies[edge]]
        if not arcs:
            return np.zeros(len(self.group))
        slews = np.zeros(len(self.group))
        if pin.name != self.clock:
            slews = self.timing.slews[edge, self.group.pins[pin.name]]
        energies = [_sum(arc.energies[edge], slews, 0.0) for arc in arcs]
        return self._covered(arcs, energies, edges, states, mean=False)

    def _covered(
        self,
        arcs: Sequence[PowerArc],
        energies: Sequence[np.ndarray],
        edges: np.ndarray,
        states: dict[str, np.ndarray],
        *,
        mean: bool,
    ) -> np.ndarray:
        """Energy of edges: each by the arc whose condition holds, the rest by those without one."""
        total, rest = np.zeros(len(self.group)), edges
        for arc, energy in zip(arcs, energies, strict=True):
            if arc.when is not None and set(arc.when.pins) <= set(states):
                holds = arc.when.value(states, ALL)
                total += self.activity.count(rest & holds) * energy
                rest = rest & ~holds
        free = [e for arc, e in zip(arcs, energies, strict=True) if arc.when is None]
        left = free or (energies if mean else [])
        if left:
            total += self.activity.count(rest) * np.mean(left, axis=0)
        return total

    def _leakage(self) -> np.ndarray:
        """Mean leakage in nW, by the states; a clock is high half of the time."""
        clocks = self.activity.clocks
        total = np.zeros(len(self.group))
        levels = (ALL, NOTHING) if self.clock else (NOTHING,)
        for level in levels:
            states = dict(self.bits)
            if self.clock:
                states[self.clock] = np.broadcast_to(level, self.bits[self.clock].shape)
            rest = np.broadcast_to(ALL, next(iter(self.bits.values())).shape)
            for when, leakage in self.cell.states:
                if set(when.pins) <= set(states):
                    holds = when.value(states, ALL)
                    total += self.activity.count(rest & holds) * leakage / len(levels)
                    rest = rest & ~holds
            total += self.activity.count(rest) * self.cell.leakage / len(levels)
        return total / clocks


def _sum(tables: Sequence[Table], slews: np.ndarray, loads: np.ndarray | float) -> np.ndarray:
    """Energies of all supply pins together."""
    return np.sum([table(slews, loads) for table in tables], axis=0)
