"""A flattened netlist of library cells, as arrays by type of cell."""

import gzip
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gatesmith.flows.silicon.liberty import Library
from gatesmith.flows.silicon.tables import Cell, read_cell
from gatesmith.models.errors import UserError

__all__ = ["Block", "CellGroup", "Netlist", "Port", "read_netlist"]

ANONYMOUS = re.compile(r"(?:^|\.)_\d+_$|\$")  # what Yosys called a net that has no name


@dataclass(frozen=True)
class Port:
    """A port of the design: its nets, bit 0 first."""

    name: str
    output: bool
    nets: np.ndarray


@dataclass(frozen=True, eq=False)
class CellGroup:
    """All instances of one cell.

    Members
    -------
    cell : Cell
    names : list of str   Path of each instance from the top.
    pins : dict           Pin to its net in each instance, int ``[instances]``.
    """

    cell: Cell
    names: list[str]
    pins: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def parts(self) -> list[str]:
        """Path of the module that each instance stands in; empty for the top."""
        return [name.rpartition(".")[0] for name in self.names]


@dataclass(frozen=True)
class Block:
    """An instance that is no cell: a memory kept as a macro. Ports to nets, bit 0 first."""

    name: str
    module: str
    ports: dict[str, np.ndarray]


@dataclass(eq=False)
class Netlist:
    """Cells and nets of a design. Nets are numbered; ``ZERO`` and ``ONE`` are the constants.

    Members
    -------
    top : str
    ports : list of Port
    groups : list of CellGroup
    blocks : list of Block
    net_names : list of str   The shortest name of each net that a person gave it, or one of
                              Yosys'.
    """

    ZERO = 0
    ONE = 1

    top: str
    ports: list[Port]
    groups: list[CellGroup]
    blocks: list[Block]
    net_names: list[str] = field(repr=False)

    @property
    def nets(self) -> int:
        """Number of nets, with the two constants."""
        return len(self.net_names)

    @cached_property
    def clock(self) -> int:
        """Net of the clock; UserError unless all flip-flops have the one port as their clock."""
        clocks = {
            int(net)
            for group in self.groups
            if group.cell.flip_flop
            for net in np.unique(group.pins[group.cell.clock])
        }
        inputs = {int(p.nets[0]) for p in self.ports if not p.output and len(p.nets) == 1}
        if len(clocks) != 1 or not clocks <= inputs:
            names = ", ".join(self.net_names[net] for net in sorted(clocks)[:3])
            raise UserError(f"Flip-flops must have one input as their clock, not {names or 'none'}")
        return clocks.pop()

    @cached_property
    def loads(self) -> np.ndarray:
        """Input pins on each net, fF ``[2, nets]``: for its rise and its fall; no wires."""
        loads = np.zeros((2, self.nets))
        for group in self.groups:
            for pin in group.cell.inputs:
                for edge, capacitance in enumerate(pin.capacitances):
                    np.add.at(loads[edge], group.pins[pin.name], capacitance)
        return loads

    @cached_property
    def levels(self) -> list[list[tuple[CellGroup, np.ndarray]]]:
        """Combinational cells in an order in which inputs come first.

        A list of levels; each has groups of equal cells and the instances that are in the level.
        UserError when there is a loop.
        """
        driver = np.full(self.nets, -1, dtype=np.int64)  # combinational cell that drives a net
        logic = [group for group in self.groups if not group.cell.flip_flop]
        offsets = np.cumsum([0, *(len(group) for group in logic)])
        for group, offset in zip(logic, offsets[:-1], strict=True):
            for pin in group.cell.outputs:
                driver[group.pins[pin.name]] = np.arange(offset, offset + len(group))
        driver[[self.ZERO, self.ONE]] = -1
        sources, targets = [], []
        for group, offset in zip(logic, offsets[:-1], strict=True):
            for pin in group.cell.inputs:
                source = driver[group.pins[pin.name]]
                keep = source >= 0
                sources.append(source[keep])
                targets.append(np.flatnonzero(keep) + offset)
        source = np.concatenate(sources or [np.zeros(0, dtype=np.int64)])
        target = np.concatenate(targets or [np.zeros(0, dtype=np.int64)])
        level = _levels(int(offsets[-1]), source, target)
        if level is None:
            raise UserError(f"Netlist of {self.top} must have no loop of gates, but has one")
        found: list[list[tuple[CellGroup, np.ndarray]]] = [
            [] for _ in range(int(level.max(initial=-1)) + 1)
        ]
        for group, begin, end in zip(logic, offsets[:-1], offsets[1:], strict=True):
            mine = level[begin:end]
            for number in np.unique(mine):
                found[number].append((group, np.flatnonzero(mine == number)))
        return found


def _levels(count: int, source: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """Longest way to each node of a graph, or None when it has a loop."""
    order = np.argsort(source, kind="stable")
    target = target[order]
    starts = np.searchsorted(source[order], np.arange(count + 1))
    waiting = np.bincount(target, minlength=count)
    level = np.zeros(count, dtype=np.int64)
    ready = np.flatnonzero(waiting == 0)
    done, depth = 0, 0
    while ready.size:
        level[ready] = depth
        done, depth = done + ready.size, depth + 1
        sizes = starts[ready + 1] - starts[ready]
        index = np.repeat(starts[ready] - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        after = target[index + np.arange(index.size)]
        np.subtract.at(waiting, after, 1)
        after = np.unique(after)
        ready = after[waiting[after] == 0]
    return level if done == count else None


def read_netlist(packed: bytes, top: str, library: Library) -> Netlist:
    """Read what Yosys' ``write_json`` said of a flattened netlist, packed by gzip."""
    module = json.loads(gzip.decompress(packed))["modules"][top]
    bits = {"0": Netlist.ZERO, "1": Netlist.ONE, "x": Netlist.ZERO, "z": Netlist.ZERO}
    names = ["0", "1"]

    def nets(found: list[Any]) -> list[int]:
        for bit in found:
            if bit not in bits:
                bits[bit] = len(names)
                names.append("")
        return [bits[bit] for bit in found]

    ports = [
        Port(name, entry["direction"] == "output", np.array(nets(entry["bits"])))
        for name, entry in module["ports"].items()
    ]
    gathered: dict[str, tuple[list[str], list[list[int]], list[str]]] = {}
    blocks = []
    for name, entry in module["cells"].items():
        kind, connections = entry["type"], entry["connections"]
        if kind not in library.areas:
            wired = {port: np.array(nets(found)) for port, found in connections.items()}
            blocks.append(Block(name, kind, wired))
            continue
        if kind not in gathered:
            gathered[kind] = ([], [], list(read_cell(library, kind).pins))
        instances, rows, pins = gathered[kind]
        instances.append(name)
        # An output that nobody reads has no net: it gets one of its own.
        rows.append([nets(connections.get(pin) or [(name, pin)])[0] for pin in pins])
    groups = []
    for kind, (instances, rows, pins) in sorted(gathered.items()):
        table = np.array(rows).T
        wired = dict(zip(pins, table, strict=True))
        groups.append(CellGroup(read_cell(library, kind), instances, wired))
    for name, entry in module["netnames"].items():
        wide = len(entry["bits"]) > 1 or entry.get("offset")
        anonymous = bool(ANONYMOUS.search(name))
        for place, net in enumerate(nets(entry["bits"])):
            full = f"{name}[{place + entry.get('offset', 0)}]" if wide else name
            rank = (anonymous, len(full), full)
            before = names[net]
            if net > Netlist.ONE and (
                not before or rank < (bool(ANONYMOUS.search(before)), len(before), before)
            ):
                names[net] = full
    return Netlist(top, ports, groups, blocks, names)
