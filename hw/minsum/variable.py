"""What a variable does with its messages: their sum, and the sum without each."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import add_signed_unit, saturate

__all__ = ["VariableNode", "add", "posterior_width", "to_check"]

FEW = 4  # messages of a variable up to which the plainer adders are smaller


def posterior_width(bits: int, degree: int) -> int:
    """Bits of a sum of an LLR and ``degree`` messages of so many bits, two's complement."""
    return bits + degree.bit_length()


def to_check(m: Module, total: Value, bits: int) -> tuple[Value, Value]:
    """Sign, and magnitude of ``bits`` - 1 bits, of a signed value that is clamped to +-M."""
    sign, low, high = total[-1], total[: bits - 1], total[bits - 1 : -1]
    negated = Signal(bits, name="negated")
    magnitude = Signal(bits - 1, name="magnitude")
    m.d.comb += negated.eq((low ^ sign.replicate(bits - 1)) + sign)
    beyond = negated[-1]
    if len(high):
        beyond = beyond | (high ^ sign.replicate(len(high))).any()
    m.d.comb += magnitude.eq(negated[:-1] | beyond.replicate(bits - 1))
    return sign, magnitude


def add(
    m: Module, base: Value, message: tuple[Value, Value], width: int, *, subtract: bool = False
) -> Value:
    """base plus or minus a message of sign and magnitude, in ``width`` bits that hold it."""
    sign, magnitude = message
    wide = Signal(signed(max(len(base), width)), name="wide")
    m.d.comb += wide.eq(base)
    found = Signal(signed(width), name="sum")
    m.d.comb += found.eq(add_signed_unit(m, wide, magnitude, ~sign if subtract else sign))
    return found


class VariableNode(wiring.Component):
    """P = l + sum of the messages from the checks, and to each check P without its message.

    Combinational.

    Parameters
    ----------
    bits : int      Of a message.
    degree : int    Checks.

    Members
    -------
    llr : In(signed(bits))               The channel's.
    signs, magnitudes : In               Messages from the checks, the first check lowest.
    to_signs, to_magnitudes : Out        Likewise to the checks, clamped to what a message holds.
    posterior : Out(signed(...))         P, of :func:`posterior_width`.
    """

    llr: Signal
    signs: Signal
    magnitudes: Signal
    to_signs: Signal
    to_magnitudes: Signal
    posterior: Signal

    def __init__(self, bits: int, degree: int) -> None:
        self._bits, self._degree = bits, degree
        super().__init__(
            {
                "llr": In(signed(bits)),
                "signs": In(degree),
                "magnitudes": In(degree * (bits - 1)),
                "to_signs": Out(degree),
                "to_magnitudes": Out(degree * (bits - 1)),
                "posterior": Out(signed(posterior_width(bits, degree))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, degree = self._bits, self._degree
        messages = [
            (self.signs[k], self.magnitudes.word_select(k, bits - 1)) for k in range(degree)
        ]
        total = self._total(m, messages)
        m.d.comb += self.posterior.eq(total)
        found = self._without_each(m, total, messages)
        m.d.comb += [
            self.to_signs.eq(Cat(sign for sign, _ in found)),
            self.to_magnitudes.eq(Cat(magnitude for _, magnitude in found)),
        ]
        return m

    def _total(self, m: Module, messages: Sequence[tuple[Value, Value]]) -> Value:
        """P; of few messages from a chain, of more from a tree of narrower adders.

        In the tree a negative message is its magnitude inverted; the 1 that this lacks is the
        carry into some adder.
        """
        total: Value = self.llr
        if self._degree <= FEW:
            for k, message in enumerate(messages):
                total = add(m, total, message, posterior_width(self._bits, k + 1))
            return total
        carries = [sign for sign, _ in messages]
        level: list[tuple[int, Value]] = [(1, self.llr)]  # how many operands, and their sum
        for sign, magnitude in messages:
            inverted = Cat(magnitude ^ sign.replicate(len(magnitude)), sign)
            level.append((1, inverted.as_signed()))
        while len(level) > 1:
            level.sort(key=lambda one: one[0])
            (left, first), (right, second) = level[:2]
            found = Signal(signed(posterior_width(self._bits, left + right - 1)), name="partial")
            carry = carries.pop()
            total = Cat(carry, first).as_signed() + Cat(carry, second).as_signed()
            m.d.comb += found.eq(total[1:].as_signed())
            level = [*level[2:], (left + right, found)]
        return level[0][1]

    def _without_each(
        self, m: Module, total: Value, messages: Sequence[tuple[Value, Value]]
    ) -> list[tuple[Value, Value]]:
        """To each check; of one or two messages the sums without one need no subtraction.

        A posterior beyond +-2 M gives +-M without any message: of many, what is more is cut off.
        """
        bits = self._bits
        width = posterior_width(bits, self._degree - 1)
        if self._degree == 1:
            sums: list[Value] = [self.llr]
        elif self._degree == 2:
            sums = [add(m, self.llr, other, width) for other in reversed(messages)]
        else:
            if self._degree > FEW:
                cut = Signal(signed(bits + 1), name="cut")
                m.d.comb += cut.eq(saturate(total, bits + 1))
                total, width = cut, bits + 2
            sums = [add(m, total, one, width, subtract=True) for one in messages]
        return [to_check(m, one, bits) for one in sums]
