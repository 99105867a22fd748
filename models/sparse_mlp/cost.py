"""What a Spec will cost, as counts of hardware that follow from it without elaborating it."""

from collections.abc import Callable
from math import log2

import numpy as np

from gatesmith.models.sparse_mlp.adders import count_full_adders, count_sums
from gatesmith.models.sparse_mlp.layer import SparseLayer
from gatesmith.models.sparse_mlp.schedule import is_buffered
from gatesmith.models.sparse_mlp.spec import SparseMLPSpec

__all__ = ["FEATURES_VERSION", "features", "kind", "memory_bits"]

FEATURES_VERSION = 1  # raise it when a count changes its meaning: old measurements then drop out


def kind(spec: SparseMLPSpec) -> str:
    """What estimates of designs have in common: ``gate, rom`` and the like."""
    return f"{spec.datapath}, {spec.memory}"


def memory_bits(spec: SparseMLPSpec) -> dict[str, int]:
    """Bits by kind of memory: ``rom``, ``flipflop``, ``sram``, ``table`` (seeds of LFSRs)."""
    found = dict.fromkeys(("rom", "flipflop", "sram", "table"), 0)
    if spec.datapath == "unrolled":  # weights are adders
        return found
    for layer in spec.layers:
        # A memory has at least two words.
        found[spec.memory] += layer.lanes * max(2, layer.depth) * layer.weight_bits
        biased = _bias_words(spec, layer) // layer.groups
        found[spec.memory] += biased * max(2, layer.groups) * layer.bias_width(spec.loadable)
        found["sram" if spec.memory == "sram" else "flipflop"] += _frame_bits(spec, layer)
        found["table"] += _seed_bits(layer)
    return found


def features(spec: SparseMLPSpec) -> dict[str, float]:
    """Counts to which the area of a design is proportional, each at some price.

    Members of the result
    ---------------------
    constant : 1            What every design of lanes has.
    register_bits           Outside memories, with the read registers of memories.
    adder_bits              Of accumulators and counters.
    select_bits             Two-input muxes: base, operand, seed, way out of the results.
    clamp_bits              Of requantisers.
    compare_bits            Of thresholds of LFSRs, and of the argmax.
    xors                    Of LFSRs that step ahead.
    product_bits            Partial products of int8 weights.
    pick_bits               Of the choice of the lowest set bit.
    table_terms, rom_terms  Bits of constant memories over the logarithm of their depth.
    memory_bits             Stored in flip-flops.
    read_bits               Bits that the read ports of those memories choose from.
    macro_bits              Address and data bits at ports of SRAM.

    Of the unrolled datapath, which has only these:

    frame_bits              Registers that gather, hold and send a frame, and counters.
    stage_bits              Registers between and inside layers, which load in every clock.
    sum_bits                Of adders of words, once shared; of counters and the argmax.
    full_adders             Of layers of narrow inputs, once shared.
    """
    found = dict.fromkeys(
        "constant register_bits adder_bits select_bits clamp_bits compare_bits xors product_bits"
        " pick_bits table_terms rom_terms memory_bits read_bits macro_bits"
        " frame_bits stage_bits sum_bits full_adders".split(),
        0.0,
    )
    last = spec.layers[-1].acc_width(spec.loadable)
    words = _counter(spec.layers[-1].outputs)
    frame = sum(_counter(f.words) for f in (spec.input_format, spec.config_format) if f)
    registers, adders = last + 2 * words + frame + 4, words + frame
    if spec.datapath == "unrolled":
        _unrolled(found, spec)
        # Of its own, so that these designs and those with lanes do not move each other's prices.
        found["frame_bits"] += registers
        found["sum_bits"] += adders + last
        return found
    found["constant"] = 1.0
    for layer in spec.layers:
        _shared(found, spec, layer)
        DATAPATHS[spec.datapath](found, layer)
    found["register_bits"] += registers
    found["adder_bits"] += adders
    found["compare_bits"] += last
    return found


def _counter(count: int) -> int:
    """Bits of a counter of so many values."""
    return max(1, (count - 1).bit_length())


def _bias_words(spec: SparseMLPSpec, layer: SparseLayer) -> int:
    """Words of the bias memories of all lanes; a constant bias needs none."""
    if spec.loadable:
        return layer.lanes * layer.groups
    return layer.groups * sum(len(set(row)) > 1 for row in layer.by_lane(layer.bias).tolist())


def _frame_bits(spec: SparseMLPSpec, layer: SparseLayer) -> int:
    """Bits of the two-bank frame buffer, 0 without one."""
    if not is_buffered(spec, layer):
        return 0
    block = layer.lookahead if spec.datapath == "index" else 1
    return 2 * -(-layer.inputs // block) * block * layer.input_bits


def _seed_bits(layer: SparseLayer) -> int:
    if not layer.threshold or layer.groups == 1:
        return 0
    return layer.lanes * layer.groups * max(layer.taps)


def _constant_terms(bits: float, depth: int) -> float:
    """Logic of a constant memory grows with its bits and shrinks with the sharing between them."""
    return bits / max(1.0, log2(depth)) if depth > 1 else 0.0


def _shared(found: dict[str, float], spec: SparseMLPSpec, layer: SparseLayer) -> None:
    """What lanes, memories and the way out cost in any datapath."""
    lanes, width = layer.lanes, max(layer.taps, default=0)
    acc, bias = layer.acc_width(spec.loadable), layer.bias_width(spec.loadable)
    result = layer.output_bits or acc
    address = _counter(layer.depth)
    bias_words = _bias_words(spec, layer)
    biased = bias_words // layer.groups  # lanes with a bias memory
    reads = lanes * layer.weight_bits + biased * bias
    found["register_bits"] += lanes * (acc + address + width + result + 1)
    found["register_bits"] += _counter(lanes + 1) + _counter(layer.groups) + layer.input_bits + 8
    found["adder_bits"] += lanes * (acc + address) + _counter(lanes + 1)
    found["select_bits"] += lanes * (acc + width + result)
    if layer.weight_kind == "int8":
        found["product_bits"] += lanes * 8 * layer.input_bits
    else:
        found["select_bits"] += lanes * 2 * layer.input_bits
    if layer.output_bits:
        found["clamp_bits"] += lanes * max(layer.output_bits, acc - 1 - layer.shift)
    found["table_terms"] += _constant_terms(_seed_bits(layer), layer.groups)
    weights = lanes * layer.depth * layer.weight_bits
    stored = weights + bias_words * bias
    if spec.memory == "rom":
        found["register_bits"] += reads
        found["rom_terms"] += _constant_terms(weights, layer.depth)
        found["rom_terms"] += _constant_terms(bias_words * bias, layer.groups)
    elif spec.memory == "flipflop":
        found["register_bits"] += reads
        found["memory_bits"] += stored
        found["read_bits"] += stored
    else:
        found["macro_bits"] += reads + lanes * address
    frames = _frame_bits(spec, layer)
    if frames:
        ports = lanes if spec.datapath == "index" else 1
        places = _counter(2 * layer.inputs)
        found["register_bits"] += places + _counter(layer.inputs) + 6
        found["adder_bits"] += places + _counter(layer.inputs)
        if spec.memory == "sram":
            found["macro_bits"] += ports * (layer.input_bits + places)
        else:
            found["register_bits"] += ports * layer.input_bits
            found["memory_bits"] += frames
            found["read_bits"] += ports * frames


def _lookahead(found: dict[str, float], layer: SparseLayer, count: int) -> None:
    """LFSR and comparators of ``count`` mask bits; the XORs as ``hw`` writes them."""
    if not layer.threshold:
        return
    width, length = max(layer.taps), layer.leap * count
    # A comparison looks at no bit below the lowest 1 of the threshold, and what nobody looks at
    # is not built: of each state so many bits, and the whole state after the last.
    seen = width - ((layer.threshold & -layer.threshold).bit_length() - 1)
    built = min(1.0, (count * min(layer.leap, seen) + width) / length)
    low = length
    while low:
        scale = 1
        while 2 * scale * width <= width + length - low:
            scale *= 2
        fresh = min(scale * min(layer.taps), low)
        found["xors"] += built * layer.lanes * fresh * (len(layer.taps) - 1)
        low -= fresh
    found["compare_bits"] += layer.lanes * count * seen


def _gate(found: dict[str, float], layer: SparseLayer) -> None:
    """One input a clock: a counter of inputs, one mask bit a lane."""
    _lookahead(found, layer, 1)
    if layer.groups > 1:
        replay = _counter(2 * layer.inputs) + _counter(layer.groups) + layer.input_bits
        found["register_bits"] += replay + _counter(layer.inputs) + 1
        found["adder_bits"] += replay
    found["register_bits"] += _counter(layer.inputs)
    found["adder_bits"] += _counter(layer.inputs)


def _index(found: dict[str, float], layer: SparseLayer) -> None:
    """One kept input a clock: a block of mask bits, and the choice of the lowest, in each lane."""
    _lookahead(found, layer, layer.lookahead)
    blocks = -(-layer.inputs // layer.lookahead)
    place = _counter(2 * blocks) + _counter(blocks)
    found["register_bits"] += layer.lanes * (layer.lookahead + place + 1)
    found["adder_bits"] += layer.lanes * (place + layer.lookahead)
    found["pick_bits"] += layer.lanes * layer.lookahead * max(1.0, log2(layer.lookahead))


NARROW = 2  # bits of an input up to which single bits are counted instead of words added


def _unrolled(found: dict[str, float], spec: SparseMLPSpec) -> None:
    """Adders of whole layers, without what no score depends on."""
    first, last = spec.layers[0], spec.layers[-1]
    latency = len(spec.layers) * (1 + spec.pipeline) - 1
    found["frame_bits"] += _counter(first.inputs) + _counter(latency + 1) + 2
    found["sum_bits"] += _counter(first.inputs) + _counter(latency + 1)
    used: np.ndarray = np.ones(last.outputs, dtype=bool)
    for layer in reversed(spec.layers):
        most, top = (1 << layer.input_bits) - 1, (1 << layer.output_bits) - 1
        low = layer.bias + most * np.minimum(layer.dense, 0).sum(axis=1)
        high = layer.bias + most * np.maximum(layer.dense, 0).sum(axis=1)
        if layer.output_bits:  # an activation may be constant
            used &= (high >> layer.shift > 0) & (low >> layer.shift < top)
        matrix = layer.dense[used]
        widths = np.ceil(np.log2(np.maximum(high + 1, -low)[used].clip(1))) + 1
        if matrix.any():
            if layer.input_bits <= NARROW:
                count = count_full_adders(matrix, layer.input_bits)
                found["full_adders"] += count.bits
            else:
                count = count_sums(matrix, layer.input_bits, layer.bias[used])
                found["sum_bits"] += count.bits
            # A register inside the layer cuts somewhere between its terms and its sums.
            found["stage_bits"] += spec.pipeline * (count.terms + float(widths.sum())) / 2
        if layer.output_bits:
            shifted = np.maximum(widths - 1 - layer.shift, 0)
            found["stage_bits"] += float(np.minimum(shifted, layer.output_bits).sum())
        used = matrix.any(axis=0)
    found["frame_bits"] += (first.inputs + int(used.sum())) * first.input_bits
    found["frame_bits"] += last.outputs * last.acc_width(False)


# A new datapath of lanes adds its own counts here; what it shares with these is in _shared.
DATAPATHS: dict[str, Callable[[dict[str, float], SparseLayer], None]] = {
    "gate": _gate,
    "index": _index,
}
