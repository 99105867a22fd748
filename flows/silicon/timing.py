"""Static timing of a netlist from the library's tables: an ideal clock, no wires.

The latest arrival and the largest slew of each edge of each net, level by level, all cells of a
type at once. It is what a sign-off tool computes before placement; the slews serve energy as well.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gatesmith.flows.silicon.netlist import CellGroup, Netlist
from gatesmith.flows.silicon.tables import DelayArc, Pin

__all__ = ["Path", "Step", "Timing", "analyse"]

RISE, FALL = 0, 1
EDGES = ("rise", "fall")
NEVER = -np.inf


@dataclass(frozen=True, kw_only=True)
class Step:
    """One point of a path: an output of a cell, or the port or clock where the path starts.

    ``arrival``, ``delay`` and ``slew`` are in ns, ``load`` in fF.
    """

    instance: str
    cell: str
    pin: str
    net: str
    edge: str
    delay: float
    arrival: float
    slew: float
    load: float
    fanout: int


@dataclass(frozen=True, kw_only=True)
class Path:
    """A path and where it ends. ``setup`` and ``period`` are in ns.

    ``kind`` is ``register to register``, or with ``input`` or ``output`` in place of either.
    """

    kind: str
    end: str
    part: str
    setup: float
    period: float
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False)
class _Ends:
    """Ends of paths: nets and edges, with the time that each needs after its arrival."""

    nets: np.ndarray
    edges: np.ndarray
    setups: np.ndarray
    names: list[str]
    parts: list[str]
    register: bool


@dataclass(eq=False)
class Timing:
    """Arrivals (ns) and slews (ns), ``[2, nets]``, of rise and fall; -inf where nothing arrives.

    ``starts`` is whether the latest path to an edge of a net starts at a register, by
    :func:`Timing.path`.
    """

    netlist: Netlist
    arrivals: np.ndarray
    slews: np.ndarray

    @cached_property
    def _drivers(self) -> dict[int, tuple[CellGroup, int, Pin]]:
        return {
            int(net): (group, index, pin)
            for group in self.netlist.groups
            for pin in group.cell.outputs
            for index, net in enumerate(group.pins[pin.name])
        }

    @cached_property
    def _fanouts(self) -> np.ndarray:
        counts = np.zeros(self.netlist.nets, dtype=np.int64)
        for group in self.netlist.groups:
            for pin in group.cell.inputs:
                np.add.at(counts, group.pins[pin.name], 1)
        return counts

    @cached_property
    def _ends(self) -> list[_Ends]:
        found = []
        for group in self.netlist.groups:
            for pin in group.cell.inputs:
                for setup in pin.setups:
                    for edge, table in enumerate(setup.times):
                        nets = group.pins[pin.name]
                        if table is not None:
                            times = table(0.0, self.slews[edge, nets])
                            names = [f"{name}/{pin.name}" for name in group.names]
                            edges = np.full(len(nets), edge)
                            found.append(_Ends(nets, edges, times, names, group.parts, True))
        for port in self.netlist.ports:
            if port.output:
                for edge in (RISE, FALL):
                    names = [port.name] * len(port.nets)
                    zeros = np.zeros(len(port.nets))
                    edges = np.full(len(port.nets), edge)
                    found.append(_Ends(port.nets, edges, zeros, names, [""] * len(names), False))
        return found

    @cached_property
    def period(self) -> float:
        """Shortest clock period in ns: no delay outside is counted."""
        return max(self.parts.values(), default=0.0)

    @cached_property
    def parts(self) -> dict[str, float]:
        """Shortest period (ns) of the paths that end in each module, by its path."""
        found: dict[str, float] = {}
        for ends in self._ends:
            times = self.arrivals[ends.edges, ends.nets] + ends.setups
            for part, time in zip(ends.parts, times.tolist(), strict=True):
                if time > found.get(part, NEVER):
                    found[part] = time
        return {part: time for part, time in sorted(found.items()) if time > NEVER}

    def path(self) -> Path | None:
        """The path that sets the period; None when nothing arrives anywhere."""
        worst, where = NEVER, None
        for ends in self._ends:
            times = self.arrivals[ends.edges, ends.nets] + ends.setups
            index = int(times.argmax())
            if times[index] > worst:
                worst, where = float(times[index]), (ends, index)
        if where is None:
            return None
        ends, index = where
        steps = self._trace(int(ends.nets[index]), int(ends.edges[index]))
        begin = "register" if steps[0].pin else "input"
        return Path(
            kind=f"{begin} to {'register' if ends.register else 'output'}",
            end=ends.names[index],
            part=ends.parts[index],
            setup=float(ends.setups[index]),
            period=worst,
            steps=tuple(steps),
        )

    def _trace(self, net: int, edge: int) -> list[Step]:
        """The latest path to an edge of a net, its start first."""
        steps: list[Step] = []
        while True:
            driver = self._drivers.get(net)
            arrival = float(self.arrivals[edge, net])
            before, source = 0.0, None
            if driver:
                group, index, pin = driver
                for arc, start, delay, _ in _candidates(self, group, np.array([index]), pin, edge):
                    origin = int(group.pins[arc.related][index])
                    total = float(self.arrivals[start, origin] + delay[0])
                    if source is None or total > source[0]:
                        before = float(self.arrivals[start, origin])
                        source = (total, origin, start, bool(arc.edge))
            steps.append(
                Step(
                    instance=group.names[index] if driver else "",
                    cell=group.cell.name if driver else "",
                    pin=pin.name if driver else "",
                    net=self.netlist.net_names[net],
                    edge=EDGES[edge],
                    delay=arrival - before,
                    arrival=arrival,
                    slew=float(self.slews[edge, net]),
                    load=float(self.netlist.loads[edge, net]),
                    fanout=int(self._fanouts[net]),
                )
            )
            if source is None or source[3]:
                return steps[::-1]
            net, edge = source[1], source[2]


def _candidates(timing: Timing, group: CellGroup, index: np.ndarray, pin: Pin, edge: int):
    """What may cause an edge of an output: arc, edge of its input, delays and slews."""
    load = timing.netlist.loads[edge, group.pins[pin.name][index]]
    for arc in pin.delays:
        delay, slew = arc.delays[edge], arc.slews[edge]
        if delay is None:
            continue
        nets = group.pins[arc.related][index]
        for start in _sources(arc, edge):
            at = timing.slews[start, nets]
            yield arc, start, delay(at, load), slew(at, load) if slew else np.zeros(len(index))


def _sources(arc: DelayArc, edge: int) -> tuple[int, ...]:
    """Edges of the related pin that cause an edge of the output."""
    if arc.edge:
        return (RISE if arc.edge == "rising" else FALL,)
    return {"positive_unate": (edge,), "negative_unate": (1 - edge,)}.get(arc.sense, (RISE, FALL))


def analyse(netlist: Netlist) -> Timing:
    """Arrivals and slews of a netlist: inputs and clock switch at once, at time 0.

    UserError when the gates have a loop or the flip-flops several clocks.
    """
    arrivals = np.full((2, netlist.nets), NEVER)
    timing = Timing(netlist, arrivals, np.zeros((2, netlist.nets)))
    for port in netlist.ports:
        if not port.output:
            arrivals[:, port.nets] = 0.0
    arrivals[:, [netlist.ZERO, netlist.ONE]] = NEVER
    for block in netlist.blocks:
        for nets in block.ports.values():
            arrivals[:, nets] = np.maximum(arrivals[:, nets], 0.0)  # a macro: not timed
    if any(group.cell.flip_flop for group in netlist.groups):
        arrivals[:, netlist.clock] = 0.0
    for group in netlist.groups:
        if group.cell.flip_flop:
            _settle(timing, group, np.arange(len(group)))
    for level in netlist.levels:
        for group, index in level:
            _settle(timing, group, index)
    return timing


def _settle(timing: Timing, group: CellGroup, index: np.ndarray) -> None:
    """Arrivals and slews of the outputs of cells whose inputs are known."""
    for pin in group.cell.outputs:
        nets = group.pins[pin.name][index]
        for edge in (RISE, FALL):
            latest, largest = np.full(len(index), NEVER), np.zeros(len(index))
            for arc, start, delay, slew in _candidates(timing, group, index, pin, edge):
                arrived = timing.arrivals[start, group.pins[arc.related][index]]
                latest = np.maximum(latest, arrived + delay)
                largest = np.where(arrived > NEVER, np.maximum(largest, slew), largest)
            timing.arrivals[edge, nets] = latest
            timing.slews[edge, nets] = largest
