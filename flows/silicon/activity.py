"""What every net of a netlist does in every clock, from a simulation of its flip-flops.

Bits of successive clocks lie side by side in 64-bit words, so that a gate is evaluated for 64
clocks at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from gatesmith.flows.silicon.netlist import Netlist
from gatesmith.models.errors import UserError

__all__ = ["Activity", "Waves", "evaluate", "read_vcd"]

ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True, eq=False)
class Waves:
    """Values of signals after each rising edge of the clock.

    Members
    -------
    values : dict        Name to bits, bool ``[clocks, width]``, bit 0 first; unknown bits are 0.
    unknown : dict       Name to whether a bit was X or Z, of the same shape.
    """

    values: dict[str, np.ndarray]
    unknown: dict[str, np.ndarray]

    @property
    def clocks(self) -> int:
        """Rising edges."""
        return len(next(iter(self.values.values()), ()))


def read_vcd(path: Path, clock: str) -> Waves:
    """Read a VCD of a design without delays: nothing changes but at edges of the clock.

    UserError when it is no VCD, is cut short or has no such clock.
    """
    try:
        with path.open() as stream:
            return _read_vcd(stream, clock)
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise UserError(f"{path} must be a VCD with the clock {clock!r}: {error}") from error


def _read_vcd(stream: Iterator[str], clock: str) -> Waves:
    names: dict[str, list[str]] = {}  # code: names
    widths: dict[str, int] = {}
    for line in stream:
        words = line.split()
        if words[:1] == ["$var"]:
            names.setdefault(words[3], []).append(words[4])
            widths[words[3]] = int(words[2])
        elif words[:1] == ["$enddefinitions"]:
            break
    codes = {name: code for code, entry in names.items() for name in entry}
    tick = codes[clock]
    # Changes of each signal: rising edges until then, and the value.
    changes: dict[str, list[tuple[int, str]]] = {code: [] for code in names}
    edges, level = 0, ""
    now: list[tuple[str, str]] = []  # of one time; a simulator lists them in any order
    for line in chain(stream, "#"):
        mark = line[0]
        if mark in "01xz":
            now.append((line[1:].rstrip(), mark))
        elif mark in "bB":
            value, code = line[1:].split()
            now.append((code, value))
        elif mark == "#":
            levels = [value for code, value in now if code == tick]
            if levels:
                edges += level == "0" and levels[-1] == "1"
                level = levels[-1]
            for code, value in now:
                changes[code].append((edges, value))
            now = []
    if not edges:
        raise ValueError("the clock never rises")
    values, unknown = {}, {}
    for name, code in codes.items():
        bits, doubts = _sampled(changes[code], widths[code], edges)
        values[name], unknown[name] = bits, doubts
    return Waves(values, unknown)


def _sampled(
    changes: Sequence[tuple[int, str]], width: int, edges: int
) -> tuple[np.ndarray, np.ndarray]:
    """Values after each edge, and where they are unknown, bool ``[edges, width]``."""
    last: dict[int, str] = {edge: value for edge, value in changes}  # the last of each time wins
    times = np.array([0, *sorted(last), edges + 1])
    texts = ["x", *(last[edge] for edge in sorted(last))]
    # A short vector is extended by 0, or by X or Z when it begins with one.
    padded = [t.rjust(width, t[0] if t[0] in "xz" else "0")[::-1] for t in texts]
    table = np.array([list(text) for text in padded])
    index = np.repeat(np.arange(len(texts)), np.diff(times))[1:]
    bits = table[index]
    return bits == "1", (bits == "x") | (bits == "z")


@dataclass(frozen=True, eq=False)
class Activity:
    """Values of the nets after each clock edge of a window, packed in time.

    Members
    -------
    bits : uint64 [nets, words]     Bit t of word w is clock 64 w + t of the window.
    before : uint64 [nets, words]   The same one clock earlier.
    clocks : int                    Length of the window.
    used : uint64 [words]           Ones for the clocks of the window.
    """

    bits: np.ndarray
    before: np.ndarray
    clocks: int
    used: np.ndarray

    def count(self, bits: np.ndarray) -> np.ndarray:
        """Clocks of the window in which bits are set, int64 ``[...]`` of ``[..., words]``."""
        return np.bitwise_count(bits & self.used).sum(axis=-1, dtype=np.int64)


def evaluate(netlist: Netlist, states: np.ndarray, begin: int, end: int) -> Activity:
    """Activity of all nets between clock edges.

    Parameters
    ----------
    states : bool [nets, clocks]   Values of the flip-flops', inputs' and blocks' nets; those of
                                   other nets are ignored.
    begin, end : int               The window: clocks begin to end - 1, with begin at least 1.
    """
    clocks = end - begin
    bits = _packed(states[:, begin:end])
    bits[netlist.ZERO], bits[netlist.ONE] = 0, ALL
    before = _packed(states[:, begin - 1 : end - 1])
    before[netlist.ZERO], before[netlist.ONE] = 0, ALL
    for level in netlist.levels:
        for group, index in level:
            for array in (bits, before):
                inputs = {p.name: array[group.pins[p.name][index]] for p in group.cell.inputs}
                for pin in group.cell.outputs:
                    if pin.function is not None:
                        value = pin.function.value(inputs, ALL)
                        array[group.pins[pin.name][index]] = value
    used = _packed(np.ones((1, clocks), dtype=bool))[0]
    return Activity(bits, before, clocks, used)


def _packed(bits: np.ndarray) -> np.ndarray:
    """Bits ``[n, clocks]`` in words, uint64 ``[n, words]``."""
    rows, clocks = bits.shape
    padded = np.zeros((rows, -(-clocks // 64) * 64), dtype=bool)
    padded[:, :clocks] = bits
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)
