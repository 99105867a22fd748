"""Memory words read back bit by bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_designs import random_spec

from gatesmith.models.lstm.layer import KINDS
from gatesmith.models.lstm.layout import (
    bias_memory,
    memories,
    passes,
    row_memory,
    sum_width,
    weight_memories,
)

WIDTHS = {"binary": 1, "ternary": 2, "int8": 8, "int12": 12}


def _signed(value, bits):
    value &= (1 << bits) - 1
    return value - (value >> bits - 1 << bits)


def _weight(word, lane, kind, packing):
    """The weight of a lane in a word of memory."""
    if kind == "binary":
        return 1 if word >> lane & 1 else -1
    if kind == "ternary" and packing == "5trits":
        byte = word >> 8 * (lane // 5) & 255
        return byte // 3 ** (lane % 5) % 3 - 1
    return _signed(word >> lane * WIDTHS[kind], WIDTHS[kind])


@settings(max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(KINDS),
    st.sampled_from(KINDS),
    st.sampled_from([4, 8, 12, 20]),
    st.booleans(),
)
def test_weights_lie_where_the_engine_reads(seed, kind, head_kind, lanes, packed):
    packing = "5trits" if packed and "ternary" in (kind, head_kind) else "plain"
    sizes = (5, 6, 3, 7)
    spec = random_spec(
        seed, sizes, kind=kind, head_kind=head_kind, lanes=lanes, elementwise=1, packing=packing
    )
    words = {memory.kind: memory.words() for memory in weight_memories(spec)}
    assert list(words) == [one for one in KINDS if one in (kind, head_kind)]
    for one in passes(spec):
        matrix = spec.head.weight
        if one.branch != "head":
            matrix = getattr(spec.layers[one.layer], f"weight_{one.branch}")
        for row in range(len(matrix)):
            at = row  # of the engine: all gates of a cell side by side
            if one.branch != "head":
                gate, cell = divmod(row, spec.layers[one.layer].hidden)
                at = 4 * cell + gate
            group, lane = divmod(at, lanes)
            for column in range(matrix.shape[1]):
                word = words[one.kind][one.base + column * one.groups + group]
                assert _weight(word, lane, one.kind, packing) == matrix[row, column]


@pytest.mark.parametrize("packing", ["plain", "5trits"])
@pytest.mark.parametrize("kind", KINDS)
def test_missing_rows_weigh_nothing(kind, packing):
    """Rows behind the last one hold the code of 0; binary weights have none, theirs is -1."""
    if packing == "5trits" and kind != "ternary":
        return
    spec = random_spec(1, (3, 1, 5), kind=kind, lanes=8, elementwise=1, packing=packing)
    (memory,) = weight_memories(spec)
    for word in memory.words()[:4]:  # columns of x and of h: 4 rows in 8 lanes
        found = [_weight(word, lane, kind, packing) for lane in range(4, 8)]
        assert found == [-1 if kind == "binary" else 0] * 4
    assert all(word < 1 << memory.width for word in memory.words())


def test_words_do_not_depend_on_how_many_are_packed_at_once(monkeypatch):
    spec = random_spec(1, (5, 6, 3), kind="int12")
    before = [memory.words() for memory in memories(spec)]
    monkeypatch.setattr("gatesmith.models.lstm.layout.BLOCK", 16)
    assert before == [memory.words() for memory in memories(spec)]


def test_passes_fill_each_memory():
    spec = random_spec(1, (5, 6, 3, 7), kind="ternary", head_kind="int8", lanes=4, elementwise=1)
    found = passes(spec)
    named = [(one.layer, one.branch, one.source, one.columns, one.groups) for one in found]
    assert named == [
        (0, "x", "input", 5, 6),
        (0, "h", "state", 6, 6),
        (1, "x", "state", 6, 3),
        (1, "h", "state", 3, 3),
        (2, "head", "state", 3, 2),
    ]
    assert [one.layer_read for one in found[1:]] == [0, 0, 1, 1]
    assert [one.base for one in found] == [0, 30, 66, 84, 0]
    assert [memory.depth for memory in weight_memories(spec)] == [93, 6]
    symbols = passes(random_spec(1, (5, 6, 3), one_hot=True))
    assert [one.source for one in symbols] == ["symbols", "state", "state"]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(("scale_kind", "bits"), [("integer", 12), ("integer", 15), ("power", 4)])
def test_rows_hold_the_constants_of_their_cells(scale_kind, bits, norm):
    options = {"scale_bits": bits} if scale_kind == "integer" else {}
    spec = random_spec(1, (5, 6, 4, 3), scale_kind=scale_kind, norm=norm, **options)
    memory = row_memory(spec)
    each = 4 * (2 * bits + 12) + 28 * norm
    assert (memory.width, memory.depth) == (2 * each, 5)
    words = iter(memory.words())
    for layer in spec.layers:
        for first in range(0, layer.hidden, 2):
            word = next(words)
            for cell in (first, first + 1):
                fields = [
                    (getattr(layer, name)[gate * layer.hidden + cell], width)
                    for gate in range(4)
                    for name, width in (("scale_x", bits), ("scale_h", bits), ("bias", 12))
                ]
                if norm:
                    fields += [(layer.cell_scale[cell], 16), (layer.cell_bias[cell], 12)]
                for value, width in fields:
                    code, word = word & ((1 << width) - 1), word >> width
                    assert code == int(value) & ((1 << width) - 1)
            assert word == 0


@pytest.mark.parametrize("kind", KINDS)
def test_sums_fit_their_width(kind):
    """The largest sum of any weights of the kind needs every bit but no more."""
    spec = random_spec(1, (37, 4, 3), kind=kind)
    most = {"binary": 1, "ternary": 1, "int8": 127, "int12": 2047}[kind]
    bound = 37 * 128 * most
    assert -(1 << sum_width(spec) - 1) <= -bound and bound < 1 << sum_width(spec) - 1
    assert bound >= 1 << sum_width(spec) - 2
    symbols = random_spec(1, (37, 4, 3), kind=kind, one_hot=True)
    assert sum_width(symbols) < sum_width(spec), "a symbol is one column, and that is counted once"


def test_biases_of_the_head():
    spec = random_spec(1, (5, 6, 3))
    memory = bias_memory(spec)
    assert memory.depth == 3
    assert [_signed(word, memory.width) for word in memory.words()] == spec.head.bias.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_configuration_holds_all_memories(kind):
    spec = random_spec(1, (5, 6, 3), kind=kind, head_kind="int8", memory="sram")
    words = spec.config_words()
    assert spec.config_format.check(words).shape == (1, spec.config_format.words)
    rest = iter(words[0].tolist())
    for memory in memories(spec):
        for wanted in memory.words():
            count = -(-memory.width // 32)
            assert sum(next(rest) << 32 * k for k in range(count)) == wanted
    assert next(rest, None) is None
    assert random_spec(1).config_words() is None is random_spec(1).config_format


def test_weights_outside_follow_each_other():
    spec = random_spec(1, (5, 6, 3, 7), head_kind="int8", lanes=4, elementwise=1, memory="stream")
    port, words, bursts = spec.weight_port, spec.weight_words(), spec.weight_bursts()
    found = weight_memories(spec)
    assert (port.width, port.depth) == (max(one.width for one in found), len(words))
    assert words == [word for one in found for word in one.words()]
    covered = [first + k for first, length in sorted(bursts.items()) for k in range(length)]
    assert covered == list(range(port.depth)), "every word belongs to one burst"
    assert random_spec(1).weight_port is None


def test_wide_sums_are_exact():
    """The width of scores holds the largest sum and bias together."""
    spec = random_spec(1, (4096, 4, 2), kind="int12", memory="sram")
    score = spec.output_format.fields[0]
    assert score.high >= 4096 * 128 * 2047 + (1 << 30) and score.width == 32
    assert np.iinfo(np.int64).max > 4096 * 128 * 2047 * 32_767 * 2
