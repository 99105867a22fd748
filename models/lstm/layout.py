"""How a Spec lies in the memories of its chip: passes of the engine, and words of each memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from gatesmith.models.lstm.layer import GATES, KINDS, WEIGHT_MOST

if TYPE_CHECKING:
    from gatesmith.models.lstm.spec import LSTMSpec

__all__ = [
    "BIAS_BITS",
    "MemoryLayout",
    "Pass",
    "bias_memory",
    "memories",
    "passes",
    "row_bits",
    "row_memory",
    "scale_bits",
    "stream_bases",
    "sum_width",
    "weight_memories",
]

WEIGHT_BITS = {"binary": 1, "ternary": 2, "int8": 8, "int12": 12}
BIAS_BITS = 12
NORM_BITS = 16 + BIAS_BITS
TRITS = 5  # in a byte of the packing 5trits
BLOCK = 1 << 20  # weights packed at once: bounds the memory


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One walk of the engine over the entries of a vector.

    Members
    -------
    branch : str       ``x`` or ``h`` of a layer, or ``head``.
    layer : int        Whose sums they are; of the head, the number of layers.
    source : str       What is walked over: ``symbols``, ``input`` or ``state``.
    layer_read : int   Whose states, for ``state``.
    kind : str         Of the weights.
    columns : int      Elements of the vector, each with a column of weights.
    groups : int       Words of a column.
    base : int         Address of the first word in the memory of this kind.
    """

    branch: Literal["x", "h", "head"]
    layer: int
    source: Literal["symbols", "input", "state"]
    layer_read: int
    kind: str
    columns: int
    groups: int
    base: int


@dataclass(frozen=True, kw_only=True)
class MemoryLayout:
    """A memory: its name, width in bits, depth in words, and what makes its words."""

    name: str
    kind: str
    width: int
    depth: int
    words: Callable[[], list[int]]


def passes(spec: "LSTMSpec") -> list[Pass]:
    """All passes: for each layer its inputs then its states; at last the head."""
    found: list[Pass] = []
    used = dict.fromkeys(KINDS, 0)

    def add(
        branch: str, layer: int, source: str, read: int, kind: str, columns: int, rows: int
    ) -> None:
        groups = -(-rows // spec.lanes)
        found.append(
            Pass(
                branch=branch,  # type: ignore[arg-type]
                layer=layer,
                source=source,  # type: ignore[arg-type]
                layer_read=read,
                kind=kind,
                columns=columns,
                groups=groups,
                base=used[kind],
            )
        )
        used[kind] += columns * groups

    for index, layer in enumerate(spec.layers):
        first = "symbols" if spec.one_hot else "input"
        rows = GATES * layer.hidden
        source = "state" if index else first
        add("x", index, source, index - 1, layer.kind, layer.inputs, rows)
        add("h", index, "state", index, layer.kind, layer.hidden, rows)
    last = len(spec.layers) - 1
    head = spec.head
    add("head", last + 1, "state", last, head.kind, head.inputs, head.classes)
    return found


def sum_width(spec: "LSTMSpec") -> int:
    """Width of every sum, bits, two's complement: no sum of any weights of its kind overflows."""
    most = 0
    for one in passes(spec):
        value = 1 if one.source == "symbols" else 128
        count = 1 if one.source == "symbols" else one.columns
        most = max(most, count * value * WEIGHT_MOST[one.kind])
    return most.bit_length() + 1


def scale_bits(spec: "LSTMSpec") -> int:
    """Width of a row scale: a signed number, or the exponent of a power of two."""
    return spec.scale_bits if spec.layers[0].scale_kind == "integer" else 4


def row_bits(spec: "LSTMSpec") -> int:
    """Width of the constants of a cell: scales and biases of its gates, and its normalisation."""
    norm = any(layer.cell_scale.size for layer in spec.layers)
    return GATES * (2 * scale_bits(spec) + BIAS_BITS) + NORM_BITS * norm


def weight_memories(spec: "LSTMSpec") -> list[MemoryLayout]:
    """A memory for each kind of weights in use."""
    found = []
    for kind in KINDS:
        mine = [one for one in passes(spec) if one.kind == kind]
        if not mine:
            continue
        bits = WEIGHT_BITS[kind] * spec.lanes
        if kind == "ternary" and spec.packing == "5trits":
            bits = 8 * -(-spec.lanes // TRITS)
        found.append(
            MemoryLayout(
                name=f"weights_{kind}",
                kind=kind,
                width=bits,
                depth=sum(one.columns * one.groups for one in mine),
                words=partial(_all_words, spec, mine),
            )
        )
    return found


def _all_words(spec: "LSTMSpec", mine: list[Pass]) -> list[int]:
    return [word for one in mine for word in _weight_words(spec, one)]


def stream_bases(spec: "LSTMSpec") -> dict[str, int]:
    """Where the weights of each kind begin when all lie outside: one kind behind the other."""
    bases, depth = {}, 0
    for one in weight_memories(spec):
        bases[one.kind] = depth
        depth += one.depth
    return bases


def memories(spec: "LSTMSpec") -> list[MemoryLayout]:
    """All memories of constants: weights of each kind, rows, biases of the head."""
    return [*weight_memories(spec), row_memory(spec), bias_memory(spec)]


def _weight_words(spec: "LSTMSpec", one: Pass) -> Iterator[int]:
    """The words of a pass, column after column."""
    if one.branch == "head":
        rows = spec.head.weight
    else:
        layer = spec.layers[one.layer]
        gate_major = layer.weight_x if one.branch == "x" else layer.weight_h
        # All four gates of a cell lie side by side.
        rows = gate_major.reshape(GATES, layer.hidden, -1).transpose(1, 0, 2)
        rows = rows.reshape(GATES * layer.hidden, -1)
    padded = np.zeros((one.groups * spec.lanes, one.columns), dtype=np.int16)
    padded[: len(rows)] = rows
    codes = padded.T.reshape(one.columns * one.groups, spec.lanes)  # [words, lanes]
    block = max(1, BLOCK // spec.lanes)
    for start in range(0, len(codes), block):
        yield from _packed(spec, codes[start : start + block], one.kind)


def _packed(spec: "LSTMSpec", codes: np.ndarray, kind: str) -> Iterator[int]:
    """Memory words of the weights ``[words, lanes]``, lane 0 in the lowest bits."""
    if kind == "ternary" and spec.packing == "5trits":
        short = -spec.lanes % TRITS
        trits = np.pad(codes, ((0, 0), (0, short))) + 1
        codes = trits.reshape(len(codes), -1, TRITS) @ 3 ** np.arange(TRITS)
        width = 8
    else:
        width = WEIGHT_BITS[kind]
        codes = codes > 0 if kind == "binary" else codes
    # Two bytes a code, of which the low bits stay.
    low = np.ascontiguousarray(codes.astype("<i2")).view(np.uint8)
    bits = np.unpackbits(low, axis=1, bitorder="little").reshape(*codes.shape, 16)[:, :, :width]
    packed = np.packbits(bits.reshape(len(codes), -1), axis=1, bitorder="little")
    for row in packed:
        yield int.from_bytes(row.tobytes(), "little")


def row_memory(spec: "LSTMSpec") -> MemoryLayout:
    """Scales and biases, a word for the cells of a clock of the element-wise stage."""
    return MemoryLayout(
        name="rows",
        kind="rows",
        width=row_bits(spec) * spec.elementwise,
        depth=sum(layer.hidden for layer in spec.layers) // spec.elementwise,
        words=lambda: _row_words(spec),
    )


def _row_words(spec: "LSTMSpec") -> list[int]:
    bits, each = scale_bits(spec), row_bits(spec)
    words = []
    for layer in spec.layers:
        for first in range(0, layer.hidden, spec.elementwise):
            word = 0
            for lane in range(spec.elementwise):
                cell = first + lane
                fields = []
                for gate in range(GATES):
                    row = gate * layer.hidden + cell
                    fields += [(int(layer.scale_x[row]), bits), (int(layer.scale_h[row]), bits)]
                    fields.append((int(layer.bias[row]), BIAS_BITS))
                if layer.cell_scale.size:
                    fields.append((int(layer.cell_scale[cell]), 16))
                    fields.append((int(layer.cell_bias[cell]), BIAS_BITS))
                place = lane * each
                for value, width in fields:
                    word |= (value & ((1 << width) - 1)) << place
                    place += width
            words.append(word)
    return words


def bias_memory(spec: "LSTMSpec") -> MemoryLayout:
    """The head's biases, a word a class."""
    width = 31 if spec.loadable else max(int(abs(spec.head.bias).max()).bit_length() + 1, 2)
    return MemoryLayout(
        name="head_bias",
        kind="head_bias",
        width=width,
        depth=spec.head.classes,
        words=lambda: [int(word) & ((1 << width) - 1) for word in spec.head.bias],
    )
