"""Wires and the registers between them, written as Verilog."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = ["Netlist", "Wire", "stage_map"]


class Wire(NamedTuple):
    """A signed wire: an expression of earlier wires, named ``{0}``, ``{1}`` in it."""

    width: int
    level: int  # adders on the longest way from an input
    operands: tuple[int, ...]
    expression: str


def stage_map(depth: int, *, every: int = 0, stages: int | None = None) -> Callable[[int], int]:
    """How many registers lie before the adders of a level, 1 to ``depth``; none before level 0.

    Either a register after ``every`` levels (0: none), or ``stages`` registers at equal distances;
    where there are fewer levels than that, the rest comes after the last.
    """

    def stage(level: int) -> int:
        above = max(level - 1, 0)
        if stages is None:
            return above // every if every else 0
        return above * (stages + 1) // max(depth, 1)

    return stage


class Netlist:
    """Wires in the order of definition; what crosses a register is delayed as often as it must."""

    def __init__(self, prefix: str) -> None:
        self.wires: list[Wire] = []
        self._prefix = prefix

    def add(self, width: int, level: int, operands: tuple[int, ...], expression: str) -> int:
        """Number of a new wire."""
        self.wires.append(Wire(width, level, operands, expression))
        return len(self.wires) - 1

    def lines(
        self, outputs: Sequence[tuple[tuple[int, ...], str]], stage: Callable[[int], int], last: int
    ) -> tuple[list[str], list[str]]:
        """Lines of all wires and registers, and the outputs' expressions after ``last`` registers.

        An output is, like a wire, operands and an expression of them.
        """
        stages = [stage(wire.level) for wire in self.wires]
        delays = [0] * len(self.wires)
        for wire, place in zip(self.wires, stages, strict=True):
            for operand in wire.operands:
                delays[operand] = max(delays[operand], place - stages[operand])
        for operands, _ in outputs:
            for operand in operands:
                delays[operand] = last - stages[operand]

        def names(operands: tuple[int, ...], place: int) -> list[str]:
            found = []
            for operand in operands:
                late = place - stages[operand]
                found.append(f"{self._prefix}{operand}" + (f"_q{late}" if late else ""))
            return found

        lines = []
        for number, wire in enumerate(self.wires):
            name = f"{self._prefix}{number}"
            shape = f"signed [{wire.width - 1}:0] "
            value = wire.expression.format(*names(wire.operands, stages[number]))
            lines.append(f"  wire {shape}{name} = {value};")
            for late in range(1, delays[number] + 1):
                before = f"{name}_q{late - 1}" if late > 1 else name
                lines.append(
                    f"  reg {shape}{name}_q{late}; "
                    f"always @(posedge clk) {name}_q{late} <= {before};"
                )
        return lines, [text.format(*names(operands, last)) for operands, text in outputs]
