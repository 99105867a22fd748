"""What a Spec will cost, as counts of hardware that follow from it without elaborating it."""

from math import log2

from gatesmith.models.lstm.layer import GATES
from gatesmith.models.lstm.layout import (
    BIAS_BITS,
    NORM_BITS,
    TRITS,
    WEIGHT_BITS,
    memories,
    passes,
    scale_bits,
    sum_width,
    weight_memories,
)
from gatesmith.models.lstm.spec import CHUNK, COUNTER_BITS, COUNTERS, LSTMSpec

__all__ = ["FEATURES_VERSION", "features", "kind", "memory_bits"]

FEATURES_VERSION = 1  # raise it when a count changes its meaning: old measurements then drop out
STAGES = 8  # registers between what the element-wise stage reads and writes
TABLES = 3 * 9 + 2 * 8  # bits of a word of all tables of a cell: three sigmoids, two tanhs
ENTRIES = 1024


def kind(spec: LSTMSpec) -> str:
    """What estimates of designs have in common: where the weights are."""
    return spec.memory


def memory_bits(spec: LSTMSpec) -> dict[str, int]:
    """Bits by kind of memory: ``rom``, ``flipflop``, ``sram``, ``table`` (sigmoid and tanh)."""
    found = dict.fromkeys(("rom", "flipflop", "sram", "table"), 0)
    found["sram" if spec.loadable else "rom"] += sum(w * d for w, d in _constants(spec))
    written = sum(width * depth for width, depth in _written(spec))
    found["flipflop" if spec.memory == "rom" else "sram"] += written
    found["table"] += spec.elementwise * TABLES * ENTRIES
    if _packed(spec):
        found["table"] += -(-spec.lanes // TRITS) * 2 * TRITS * 256
    return found


def _packed(spec: LSTMSpec) -> bool:
    return spec.packing == "5trits"


def _constants(spec: LSTMSpec) -> list[tuple[int, int]]:
    """Width and depth of the memories of constants inside; each of two words or more."""
    found = memories(spec)
    if spec.memory == "stream":
        found = found[len(weight_memories(spec)) :]
    return [(one.width, max(2, one.depth)) for one in found]


def _banks(spec: LSTMSpec) -> list[int]:
    """Groups of rows in each bank of sums: of x, of h, and the head's."""
    groups = max(-(-GATES * layer.hidden // spec.lanes) for layer in spec.layers)
    return [groups] * (3 if len(spec.layers) == 1 else 4) + [-(-spec.head.classes // spec.lanes)]


def _step_words(spec: LSTMSpec) -> tuple[int, int]:
    """Width and number of the stored entries of a step's input."""
    if spec.one_hot:
        return _counter(spec.layers[0].inputs) + 2, spec.batch
    return 8 * spec.batch + spec.offset_bits + 2, spec.layers[0].inputs


def _written(spec: LSTMSpec) -> list[tuple[int, int]]:
    """Width and depth of the memories that a frame is worked on in; each of two words or more."""
    cells, positions = spec.elementwise, [layer.hidden // spec.elementwise for layer in spec.layers]
    width, count = _step_words(spec)
    found = [(width, 2 * spec.steps * count)]
    found += [(16, sum(positions) * spec.batch)] * cells
    entry = 8 * spec.batch + spec.offset_bits + 1
    found += [(entry, depth) for depth in positions for _ in range(cells)]
    sums = spec.lanes * spec.batch * sum_width(spec)
    found += [(sums, groups) for groups in _banks(spec) if groups > 1]
    if spec.state:
        found.append((16, 2 * sum(2 * depth * cells * spec.batch for depth in positions)))
        found.append((8 * spec.batch * cells, sum(positions)))
    return [(width, max(2, depth)) for width, depth in found]


def features(spec: LSTMSpec) -> dict[str, float]:
    """Counts to which the area of a design is proportional, each at some price.

    Members of the result
    ---------------------
    constant : 1            What every design has.
    register_bits           Outside memories, with the read registers of memories.
    adder_bits              Of sums, roundings, addresses and counters.
    select_bits             Two-input muxes: operand, base, bank, sequence, way out.
    shift_bits              Two-input muxes of the shifters of power-of-two scales.
    product_bits            Partial products of weights with values.
    scale_bits              Partial products of row scales with sums.
    cell_bits               Partial products of gates, cells and their norm.
    clamp_bits              Of saturations.
    table_cells             Cells a clock, each with its sigmoids and tanhs.
    trit_bytes              Of the packing, unpacked in a clock.
    rom_terms               Bits of constant memories over the logarithm of their depth.
    memory_bits             Stored in flip-flops.
    read_bits               Bits that the read ports of those memories choose from.
    macro_bits              Address and data bits at ports of SRAM.
    """
    found = dict.fromkeys(
        "constant register_bits adder_bits select_bits shift_bits product_bits scale_bits"
        " cell_bits clamp_bits table_cells trit_bytes rom_terms memory_bits read_bits"
        " macro_bits".split(),
        0.0,
    )
    found["constant"] = 1.0
    _memories(found, spec)
    _engine(found, spec)
    _elementwise(found, spec)
    _around(found, spec)
    return found


def _counter(count: int) -> int:
    """Bits of a counter of so many values."""
    return max(1, (count - 1).bit_length())


def _memories(found: dict[str, float], spec: LSTMSpec) -> None:
    for width, depth in _constants(spec):
        if spec.loadable:
            found["macro_bits"] += 2 * width + _counter(depth)
        else:
            found["register_bits"] += width
            found["rom_terms"] += width * depth / max(1.0, log2(depth))
    for width, depth in _written(spec):
        if spec.memory == "rom":
            found["register_bits"] += width
            found["memory_bits"] += width * depth
            found["read_bits"] += width * depth
        else:
            found["macro_bits"] += 2 * width + 2 * _counter(depth)


def _engine(found: dict[str, float], spec: LSTMSpec) -> None:
    """Accumulating lanes, the banks that they choose from, and the walk over the entries."""
    width, sums = sum_width(spec), spec.lanes * spec.batch * sum_width(spec)
    kinds = set(spec.kinds)
    banks = _banks(spec)
    found["adder_bits"] += sums
    found["select_bits"] += sums * len(banks)  # the bank's, and 0 for a fresh sum
    found["register_bits"] += sums * sum(groups == 1 for groups in banks)
    found["select_bits"] += sums * sum(groups == 1 for groups in banks)
    if kinds & {"binary", "ternary"}:
        found["select_bits"] += 2 * spec.lanes * spec.batch * (8 if kinds <= {"ternary"} else 9)
    widest = max((WEIGHT_BITS[one] for one in kinds if WEIGHT_BITS[one] > 2), default=0)
    found["product_bits"] += spec.lanes * spec.batch * 8 * widest
    if widest and kinds & {"binary", "ternary"}:
        found["select_bits"] += spec.lanes * spec.batch * width
    if _packed(spec):
        found["trit_bytes"] += -(-spec.lanes // TRITS)
    all_passes = passes(spec)
    columns = _counter(max(one.columns for one in all_passes))
    address = _counter(sum(memory.depth for memory in weight_memories(spec)))
    found["register_bits"] += columns + 2 * address + 9 * spec.batch + 2 * len(banks)
    found["adder_bits"] += columns + 2 * address
    found["select_bits"] += len(all_passes) * address


def _elementwise(found: dict[str, float], spec: LSTMSpec) -> None:
    """Scales, tables and cells of the lanes of the element-wise stage."""
    cells, width, bits = spec.elementwise, sum_width(spec), scale_bits(spec)
    wide = width + 7 * spec.one_hot + 17
    parts = spec.lanes // GATES // cells * spec.batch
    found["table_cells"] += cells
    found["select_bits"] += cells * GATES * 2 * width * max(1, parts)
    if spec.layers[0].scale_kind == "integer":
        found["scale_bits"] += cells * GATES * 2 * width * bits
    else:
        found["shift_bits"] += cells * GATES * 2 * (width + 15) * bits
    shifts = len({layer.shift for layer in spec.layers})
    found["adder_bits"] += cells * GATES * (2 * wide + BIAS_BITS)
    found["select_bits"] += cells * GATES * wide * (shifts - 1)
    found["clamp_bits"] += cells * (GATES * wide + 28 + 16)
    found["register_bits"] += cells * (GATES * (wide + BIAS_BITS + 10) + 35 + 16 + 10 + 8 + 27 + 8)
    found["cell_bits"] += cells * 9 * (8 + 16 + 8)
    found["adder_bits"] += cells * (28 + 18 + 10)
    if any(layer.cell_scale.size for layer in spec.layers):
        found["cell_bits"] += cells * 16 * 16
        found["register_bits"] += cells * 4 * NORM_BITS
        found["adder_bits"] += cells * 33
        found["clamp_bits"] += cells * 34
    found["register_bits"] += cells * 8 * (spec.batch - 1)
    positions = _counter(sum(layer.hidden for layer in spec.layers) // cells)
    control = 4 + 2 * positions + 2 * _counter(spec.batch) + _counter(max(1, parts))
    found["register_bits"] += STAGES * control


def _around(found: dict[str, float], spec: LSTMSpec) -> None:
    """Lists of states, frames in and out, counters, and the loader."""
    width = sum_width(spec)
    for layer in spec.layers:
        place = _counter(layer.hidden // spec.elementwise)
        each = spec.offset_bits + place + 8 * spec.batch
        found["register_bits"] += spec.elementwise * (spec.offset_bits + place) + 2 * place
        found["adder_bits"] += spec.elementwise * (spec.offset_bits + place) + 2 * place
        found["select_bits"] += spec.elementwise * each
    entry, count = _step_words(spec)
    depth = _counter(2 * spec.steps * count)
    found["register_bits"] += 3 * depth + spec.offset_bits + 8 * spec.batch
    found["adder_bits"] += 3 * depth + entry
    found["select_bits"] += spec.lanes * spec.batch * width  # way out
    found["register_bits"] += 3 * spec.score_width + spec.output_format.data_width
    found["adder_bits"] += 2 * spec.score_width
    found["register_bits"] += 2 * len(COUNTERS) * COUNTER_BITS
    found["adder_bits"] += len(COUNTERS) * COUNTER_BITS
    formats = (spec.input_format, spec.config_format)
    words = sum(_counter(layout.words) for layout in formats if layout)
    found["register_bits"] += words
    found["adder_bits"] += words
    if spec.loadable:
        widest = max(memory.width for memory in memories(spec))
        found["register_bits"] += widest - CHUNK if widest > CHUNK else 0
        found["adder_bits"] += 16
