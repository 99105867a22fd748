"""What a check does with its messages: the least two magnitudes, and from these each answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from gatesmith.hw.arith import times
from gatesmith.models.minsum import MinSumSpec

__all__ = ["Found", "Update", "answers", "check_layout", "compress", "least_two"]


@dataclass(frozen=True, kw_only=True)
class Update:
    """What becomes of a least magnitude: f(a) of the Spec.

    Parameters
    ----------
    kind : str         ``plain``, ``offset`` or ``normalised``.
    bits : int         Of a magnitude.
    scale_bits : int   Of ``normalised``.
    """

    kind: str
    bits: int
    scale_bits: int

    @classmethod
    def of(cls, spec: MinSumSpec) -> "Update":
        """That of a Spec; one that subtracts nothing is plain."""
        plain = spec.update == "offset" and not spec.parameters.any()
        kind = "plain" if plain else spec.update
        return cls(kind=kind, bits=spec.message_bits - 1, scale_bits=spec.scale_bits)

    def __call__(self, m: Module, magnitude: Value, parameter: Value | int) -> Value:
        """f(a), as many bits as ``a`` has, in the same clock."""
        bits = self.bits
        if self.kind == "plain":
            return magnitude
        found = Signal(bits, name="updated")
        if self.kind == "offset":
            rest = Signal(bits + 1, name="rest")
            # No multiplexer: before a register it would become the reset of a part of a word.
            below = rest[bits].replicate(bits)
            m.d.comb += [rest.eq(magnitude - parameter), found.eq(rest[:bits] & ~below)]
            return found
        scaled = Signal(bits + self.scale_bits + 1, name="scaled")
        product = times(magnitude, parameter) if isinstance(parameter, int) else (
            magnitude * parameter
        )  # fmt: skip
        m.d.comb += scaled.eq(product + (1 << self.scale_bits - 1))
        beyond = scaled[self.scale_bits + bits]
        m.d.comb += found.eq(scaled[self.scale_bits :][:bits] | beyond.replicate(bits))
        return found


@dataclass(frozen=True, kw_only=True)
class Found:
    """The least magnitude of a check, the next, and where the least is.

    Equal magnitudes: ``second`` equals ``first``, so that either place may be the index.
    """

    first: Value
    second: Value | None
    index: tuple[Value, ...]  # bits, the lowest first


def least_two(m: Module, magnitudes: Sequence[Value]) -> Found:
    """A tree of nodes that each merge the least two of two halves."""
    level = [Found(first=one, second=None, index=()) for one in magnitudes]
    while len(level) > 1:
        pairs = [_merged(m, *level[k : k + 2]) for k in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            odd = level[-1]
            index = (*odd.index, Const(0, 1))
            pairs.append(Found(first=odd.first, second=odd.second, index=index))
        level = pairs
    return level[0]


def _merged(m: Module, left: Found, right: Found) -> Found:
    bits = len(left.first)
    less = Signal(name="less")
    first, loser = Signal(bits, name="first"), Signal(bits, name="loser")
    m.d.comb += [
        less.eq(right.first < left.first),
        first.eq(Mux(less, right.first, left.first)),
        loser.eq(Mux(less, left.first, right.first)),
    ]
    second: Value = loser
    if left.second is not None:  # the left half is never the shorter one
        kept, second = Signal(bits, name="kept"), Signal(bits, name="second")
        other = right.second if right.second is not None else Const((1 << bits) - 1, bits)
        m.d.comb += [
            kept.eq(Mux(less, other, left.second)),
            second.eq(Mux(kept < loser, kept, loser)),
        ]
    index = []
    for of_left, of_right in zip(left.index, right.index, strict=True):
        bit = Signal(name="index")
        m.d.comb += bit.eq(Mux(less, of_right, of_left))
        index.append(bit)
    return Found(first=first, second=second, index=(*index, less))


def check_layout(degree: int, bits: int) -> data.StructLayout:
    """The messages of a check, compressed.

    ``signs`` are those of the messages, an edge each. The edge at ``index`` has the magnitude
    ``second``, all others ``first``; of two edges the latter has ``second``, of one that one.
    """
    fields: dict[str, int] = {"signs": degree, "second": bits}
    if degree > 1:
        fields["first"] = bits
    if degree > 2:
        fields["index"] = (degree - 1).bit_length()
    return data.StructLayout(fields)


def compress(m: Module, signs: Value, magnitudes: Sequence[Value]) -> dict[str, Value]:
    """The fields of :func:`check_layout` that answer these messages, before f."""
    degree, bits = len(magnitudes), len(magnitudes[0])
    total = Signal(name="total")
    m.d.comb += total.eq(signs.xor())
    fields = {"signs": signs ^ total.replicate(degree)}
    if degree == 1:
        return fields | {"second": Const((1 << bits) - 1, bits)}
    if degree == 2:
        return fields | {"first": magnitudes[1], "second": magnitudes[0]}
    found = least_two(m, magnitudes)
    assert found.second is not None
    return fields | {"first": found.first, "second": found.second, "index": Cat(*found.index)}


def answers(fields: dict[str, Value], degree: int) -> list[Value]:
    """Magnitude of each edge's message, from the fields of :func:`check_layout`."""
    if degree == 1:
        return [fields["second"]]
    if degree == 2:
        return [fields["first"], fields["second"]]
    return [
        Mux(fields["index"] == place, fields["second"], fields["first"]) for place in range(degree)
    ]
