import re
from dataclasses import replace

import numpy as np
import pytest
from designs import random_layer, random_spec

from gatesmith.models.errors import UserError
from gatesmith.models.sparse_mlp import SparseMLPSpec

LAYER = random_layer(np.random.default_rng(1), inputs=9, outputs=5)
SCORES = random_layer(np.random.default_rng(2), inputs=5, outputs=3, output_bits=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": 0}, "Inputs must be at least 1, not 0"),
        ({"outputs": 0}, "Outputs must be at least 1, not 0"),
        ({"input_bits": 9}, "Input bits must be between 1 and 8, not 9"),
        ({"output_bits": 9}, "Output bits must be between 0 and 8, not 9"),
        ({"weight_kind": "int4"}, "Weight kind must be one of ['binary',"),
        ({"shift": -1}, "Shift must be between 0 and 62, not -1"),
        ({"leap": 0}, "Leap must be at least 1, not 0"),
        ({"lanes": 0}, "Lanes must be between 1 and 5, not 0"),
        ({"lanes": 6}, "Lanes must be between 1 and 5, not 6"),
        ({"lookahead": 3}, "Lookahead must be a power of two, 2 to 64, not 3"),
        ({"threshold": 256}, "Threshold must be between 1 and 255, not 256"),
        ({"taps": ()}, "Taps must be given for a sparse layer, not ()"),
        ({"seeds": np.ones(4, int)}, "Seeds must be of shape (5,), not (4,)"),
        ({"seeds": np.zeros(5, int)}, "Seeds must be a vector of values between 1 and 255"),
        ({"bias": np.zeros(5)}, "Bias must be integers, not 'float64'"),
        ({"bias": np.full(5, 1 << 40)}, f"Bias must be below 2**40 in magnitude, not {1 << 40}"),
        ({"weights": LAYER.weights[:-1]}, "Weights must be of shape"),
        ({"weights": LAYER.weights * 0 + 2}, "Weights must be ternary, not"),
    ],
)  # fmt: skip
def test_rejects_layer(change, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        replace(LAYER, **change)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((), "Layers must be at least 1"),
        ((SCORES, SCORES), "Output bits of layer 0 must be 0 for the last layer and 1 to 8"),
        ((LAYER,), "Output bits of layer 0 must be 0 for the last layer and 1 to 8"),
        ((LAYER, replace(SCORES, input_bits=3)), "Inputs and input bits of a layer must be"),
    ],
)
def test_rejects_chain(layers, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        SparseMLPSpec(layers=layers)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lanes": "many"}, "Lanes must be a number, a number for each layer, or 'all',"),
        ({"lanes": [1, 2, 3]}, "Lanes must be one number or 2, one a layer, not (1, 2, 3)"),
        ({"lanes": 0}, "Lanes must be between 1 and 5, not 0"),
        ({"datapath": "fast"}, "Datapath must be one of ('gate', 'index', 'unrolled'), not"),
        ({"memory": "dram"}, "Memory must be one of ('rom', 'flipflop', 'sram'), not 'dram'"),
        ({"depth": -1}, "Depth must be a number from 0 on, or 'unlimited', not -1"),
        ({"depth": "deep"}, "Depth must be a number from 0 on, or 'unlimited', not 'deep'"),
        ({"pipeline": -1}, "Pipeline must be between 0 and 64, not -1"),
        ({"pipeline": 65}, "Pipeline must be between 0 and 64, not 65"),
        (
            {"datapath": "unrolled", "memory": "sram"},
            "Memory must be 'rom' for the unrolled datapath, not 'sram'",
        ),
        ({"name": "3x"}, "Name must be a Verilog identifier, no keyword and not tb or "),
            ({"name": "wire"}, "Name must be a Verilog identifier, no keyword and not tb or "),
    ],
)  # fmt: skip
def test_rejects_options(options, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        SparseMLPSpec(layers=(LAYER, SCORES)).with_options(**options)


def test_rejects_an_unrolled_layer_that_is_too_large():
    spec = random_spec(1, [257, 256, 2], sparsity=0)
    message = "Kept weights of layer 0 must be at most 65536 for the unrolled datapath, not 65792"
    with pytest.raises(UserError, match=f"^{message}$"):
        spec.with_options(datapath="unrolled")


def test_depth_and_pipeline_are_kept(tmp_path):
    spec = random_spec(3, [9, 4], datapath="unrolled").with_options(depth=2, pipeline=3)
    spec.save(tmp_path / "spec")
    again = SparseMLPSpec.load(tmp_path / "spec")
    assert (again.datapath, again.depth, again.pipeline) == ("unrolled", 2, 3)
    assert again.with_options(lanes=2).depth == 2
    assert again.with_options(depth="unlimited").depth is None


def test_load_reads_specs_without_depth_and_pipeline(tmp_path):
    from gatesmith.models.store import read_store, write_store

    random_spec(3, [9, 4]).save(tmp_path / "new")
    meta, arrays = read_store(tmp_path / "new", "gatesmith-spec")
    old = {key: value for key, value in meta.items() if key not in ("depth", "pipeline")}
    write_store(tmp_path / "old", "gatesmith-spec", old, arrays)
    spec = SparseMLPSpec.load(tmp_path / "old")
    assert (spec.depth, spec.pipeline) == (None, 0)


@pytest.mark.parametrize("memory", ["rom", "sram"])
@pytest.mark.parametrize("kind", ["binary", "ternary", "int8"])
def test_load_undoes_save(tmp_path, kind, memory):
    spec = random_spec(3, [9, 6, 4], weight_kind=kind, memory=memory, lanes=4)
    spec.save(tmp_path / "spec")
    again = SparseMLPSpec.load(tmp_path / "spec")
    again.save(tmp_path / "again")
    assert (tmp_path / "spec").read_bytes() == (tmp_path / "again").read_bytes()
    assert np.array_equal(again.layers[0].dense, spec.layers[0].dense)


def test_load_rejects_another_family(tmp_path):
    from gatesmith.models.store import write_store

    write_store(tmp_path / "x", "gatesmith-spec", {"layers": [{"size": 3}]}, {})
    with pytest.raises(UserError, match="not the Spec of a sparse MLP"):
        SparseMLPSpec.load(tmp_path / "x")


def test_lane_memories_hold_every_kept_weight_in_order():
    layer = random_layer(np.random.default_rng(4), inputs=13, outputs=7, lanes=3)
    memory = layer.lane_weights
    for lane in range(3):
        read = iter(memory[lane])
        for neuron in range(lane, 7, 3):
            for weight in layer.dense[neuron][layer.mask[neuron]]:
                assert next(read) == weight
        assert not any(read)


@pytest.mark.parametrize("kind", ["binary", "ternary", "int8"])
def test_accumulator_holds_every_partial_sum_and_no_bit_more(kind):
    layer = random_layer(np.random.default_rng(5), inputs=20, outputs=6, weight_kind=kind)
    terms = layer.dense * 15
    lowest = (layer.bias + np.minimum(terms, 0).sum(axis=1)).min()
    highest = (layer.bias + np.maximum(terms, 0).sum(axis=1)).max()
    half = 1 << (layer.acc_width(False) - 1)
    assert -half <= lowest and highest < half
    assert lowest < -(half // 2) or highest >= half // 2


def test_config_words_fit_their_format():
    spec = random_spec(6, [9, 6, 4], weight_kind="binary", memory="flipflop", lanes=4)
    words = spec.config_words()
    assert spec.config_format.check(words).shape == (1, spec.config_format.words)
    assert random_spec(6, [9, 4]).config_format is None
