import re
from dataclasses import replace

import numpy as np
import pytest
from lstm_designs import random_spec

from gatesmith.models.errors import UserError
from gatesmith.models.frames import Field
from gatesmith.models.lstm import LSTMSpec, golden
from gatesmith.models.store import read_store, write_store

SPEC = random_spec(1, (5, 6, 3), norm=True)
LAYER, HEAD = SPEC.layers[0], SPEC.head
POWER = random_spec(1, (5, 6, 3), scale_kind="power").layers[0]
BINARY = random_spec(1, (5, 6, 3), kind="binary").layers[0]
ROWS = np.zeros(24, dtype=int)


@pytest.mark.parametrize(
    ("layer", "change", "message"),
    [
        (LAYER, {"inputs": 0}, "Inputs must be between 1 and 4096, not 0"),
        (LAYER, {"inputs": True}, "Inputs must be between 1 and 4096, not True"),
        (LAYER, {"inputs": 4}, "Weights of x must be of shape (24, 4), not (24, 5)"),
        (LAYER, {"hidden": 5000}, "Hidden must be between 1 and 4096, not 5000"),
        (LAYER, {"hidden": 5}, "Weights of x must be of shape (20, 5), not (24, 5)"),
        (LAYER, {"kind": "int4"}, "Weights must be one of binary, ternary, int8, int12, not"),
        (LAYER, {"weight_h": LAYER.weight_x}, "Weights of h must be of shape (24, 6), not (24, 5)"),
        (LAYER, {"weight_x": LAYER.weight_x * 2}, "Weights of x must be between -1 and 1, not ["),
        (LAYER, {"weight_h": LAYER.weight_h * 1.0}, "Weights of h must be integers, not 'float64'"),
        (BINARY, {"weight_h": BINARY.weight_h * 0}, "Weights of h must be -1 or 1 where binary"),
        (LAYER, {"scale_kind": "log"}, "Scale kind must be one of integer, power, not 'log'"),
        (LAYER, {"scale_x": ROWS + 40_000}, "Scales of x must be between -32767 and 32767, not ["),
        (LAYER, {"scale_h": ROWS[:-1]}, "Scales of h must be of shape (24,), not (23,)"),
        (POWER, {"scale_h": ROWS + 16}, "Scales of h must be between 0 and 15, not [16]"),
        (POWER, {"scale_x": ROWS - 1}, "Scales of x must be between 0 and 15, not [-1]"),
        (LAYER, {"shift": 41}, "Shift must be between 0 and 40, not 41"),
        (LAYER, {"bias": ROWS - 2048}, "Bias must be between -2047 and 2047, not [-2048]"),
        (LAYER, {"threshold": 128}, "Threshold must be between 0 and 127, not 128"),
        (LAYER, {"threshold": 0.1}, "Threshold must be between 0 and 127, not 0.1"),
        (LAYER, {"cell_shift": -1}, "Cell shift must be between 0 and 40, not -1"),
        (LAYER, {"cell_scale": ROWS}, "Cell scales must be of shape (6,), not (24,)"),
        (LAYER, {"cell_scale": ROWS[:0]}, "Cell biases must be of shape (0,), not (6,)"),
        (LAYER, {"cell_scale": ROWS[:6] - 32_768}, "Cell scales must be between -32767 and 32767"),
        (LAYER, {"cell_bias": ROWS[:6] + 2048}, "Cell biases must be between -2047 and 2047, not"),
    ],
)  # fmt: skip
def test_rejects_layer(layer, change, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        replace(layer, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": 0}, "Inputs of the head must be between 1 and 4096, not 0"),
        ({"classes": 4097}, "Classes must be between 1 and 4096, not 4097"),
        ({"kind": "float"}, "Weights of the head must be one of binary, ternary, int8, int12, not"),
        ({"classes": 4}, "Weights of the head must be of shape (4, 6), not (3, 6)"),
        ({"weight": HEAD.weight + 3}, "Weights of the head must be between -1 and 1, not ["),
        ({"bias": HEAD.bias[:2]}, "Bias of the head must be of shape (3,), not (2,)"),
        ({"bias": HEAD.bias + (1 << 30)}, "Bias of the head must be between -1073741823 and 1073"),
        ({"fraction": 21}, "Fraction must be between 0 and 20, not 21"),
    ],
)
def test_rejects_head(change, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        replace(HEAD, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": ()}, "Layers must be at least 1, not 0"),
        ({"layers": (LAYER, LAYER)}, "Inputs of a layer must be the 6 cells of the layer before"),
        (
            {"layers": (LAYER, random_spec(1, (6, 6, 3), scale_kind="power").layers[0])},
            "Scale kinds must be the same in all layers, not ['integer', 'power']",
        ),
        ({"head": random_spec(1, (5, 4, 3)).head}, "Inputs of the head must be the 6 cells, not 4"),
        ({"steps": 0}, "Steps must be between 1 and 65536, not 0"),
        ({"steps": 1.5}, "Steps must be between 1 and 65536, not 1.5"),
        ({"batch": 17}, "Batch must be between 1 and 16, not 17"),
        ({"lanes": 0}, "Lanes must be between 4 and 4096, not 0"),
        ({"lanes": 10}, "Lanes must be a multiple of 4, as 8, not 10"),
        ({"elementwise": 0}, "Elementwise must be between 1 and 1024, not 0"),
        (
            {"lanes": 24, "elementwise": 4},
            "Elementwise must be a divisor of lanes / 4 and of every layer's cells, as 3, not 4",
        ),
        (
            {"lanes": 20, "elementwise": 5},
            "Elementwise must be a divisor of lanes / 4 and of every layer's cells, as 1, not 5",
        ),
        ({"offset_bits": 9}, "Offset bits must be between 1 and 8, not 9"),
        ({"scale_bits": 3}, "Scale bits must be between 4 and 16, not 3"),
        ({"scale_bits": 4}, "Scales must be at most 7 with 4 bits, not "),
        ({"outputs": "logits"}, "Outputs must be one of scores, argmax, not 'logits'"),
        ({"packing": "zip"}, "Packing must be one of plain, 5trits, not 'zip'"),
        ({"memory": "dram"}, "Memory must be one of rom, sram, stream, not 'dram'"),
        ({"one_hot": 1}, "One hot must be yes or no, not 1"),
        ({"every_step": "no"}, "Every step must be yes or no, not 'no'"),
        ({"state": None}, "State must be yes or no, not None"),
        ({"name": "module"}, "Name must be a Verilog identifier"),
    ],
)  # fmt: skip
def test_rejects_spec(change, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        replace(SPEC, **change)


def test_rejects_packing_without_ternary_weights():
    message = "^Packing must be plain without ternary weights, not '5trits'$"
    with pytest.raises(UserError, match=message):
        random_spec(1, kind="int8", packing="5trits")
    assert random_spec(1, kind="int8", head_kind="ternary", packing="5trits").packing == "5trits"


def test_arrays_are_kept_as_they_were():
    weights = LAYER.weight_x.copy().astype(np.int64)
    layer = replace(LAYER, weight_x=weights)
    weights[:] = 0
    assert layer.weight_x.dtype == np.int16 and np.array_equal(layer.weight_x, LAYER.weight_x)
    with pytest.raises(ValueError, match="read-only"):
        layer.bias[0] = 1


def test_options_change_how_it_is_built():
    built = SPEC.with_options(
        steps=9,
        outputs="argmax",
        state=True,
        batch=2,
        lanes=12,
        elementwise=3,
        packing="5trits",
        memory="sram",
        offset_bits=2,
        name="other",
    )
    assert (built.steps, built.outputs, built.state, built.batch) == (9, "argmax", True, 2)
    assert (built.lanes, built.elementwise, built.packing) == (12, 3, "5trits")
    assert (built.memory, built.loadable, built.offset_bits, built.name) == (
        "sram", True, 2, "other",
    )  # fmt: skip
    assert built.layers is SPEC.layers and built.with_options() is not SPEC
    assert SPEC.with_options(state="yes").state is SPEC.with_options(state=1).state is True
    assert built.with_options(state="no").state is built.with_options(state=0).state is False
    with pytest.raises(UserError, match="^State must be yes or no, not 'maybe'$"):
        SPEC.with_options(state="maybe")
    with pytest.raises(UserError, match="^Memory must be one of rom, sram, stream, not 'disk'$"):
        SPEC.with_options(memory="disk")


def test_formats_of_vectors():
    spec = random_spec(1, (5, 8, 6, 3), batch=2, state=True, steps=7)
    assert spec.input_format.fields == (
        Field(name="dense", count=1, width=1, signed=False),
        Field(name="layer0.h", count=16, width=8, signed=True),
        Field(name="layer0.c", count=16, width=16, signed=True),
        Field(name="layer1.h", count=12, width=8, signed=True),
        Field(name="layer1.c", count=12, width=16, signed=True),
    )
    assert spec.input_format.repeated == (Field(name="input", count=10, width=8, signed=True),)
    assert (spec.input_format.repeats, spec.input_format.data_width) == (7, 16)
    names = [field.name for field in spec.output_format.fields]
    answers, states = ["score", "argmax"] * 2, ["layer0.h", "layer0.c", "layer1.h", "layer1.c"]
    assert names == [*answers, *states, "taken", "skipped", "clocks"]
    assert not spec.output_format.repeated and spec.output_format.data_width == 32


def test_formats_of_symbols():
    spec = random_spec(1, (5, 8, 3), one_hot=True, every_step=True, outputs="argmax", steps=7)
    (symbol,) = spec.input_format.repeated
    assert (symbol.name, symbol.count, symbol.width, symbol.most) == ("symbol", 1, 3, 4)
    assert random_spec(1, (8, 8, 3), one_hot=True).input_format.repeated[0].most is None
    out = spec.output_format
    assert not out.fields and [field.name for field in out.repeated] == ["argmax"]
    assert [field.name for field in out.tail] == ["taken", "skipped", "clocks"]
    assert out.length(3) == 6


@pytest.mark.parametrize(
    "options",
    [
        {"norm": True, "state": True},
        {"kind": "int12", "head_kind": "binary", "memory": "sram", "name": "chip"},
        {"scale_kind": "power", "one_hot": True, "every_step": True, "outputs": "argmax"},
        {"packing": "5trits", "memory": "stream", "batch": 3, "offset_bits": 7},
    ],
)
def test_load_undoes_save(options, tmp_path):
    spec = random_spec(2, (5, 8, 4, 3), **options)
    spec.save(tmp_path / "a.safetensors")
    again = LSTMSpec.load(tmp_path / "a.safetensors")
    again.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    frames = spec.input_format.random(np.random.default_rng(0), 4)
    for one, other in zip((spec, again), (again, spec), strict=True):
        assert np.array_equal(golden(one, frames).outputs, golden(other, frames).outputs)


@pytest.mark.parametrize("what", ["family", "layers", "lanes", "threshold", "head", "packing"])
def test_rejects_damaged_file(what, tmp_path):
    path = tmp_path / "spec.safetensors"
    SPEC.save(path)
    meta, arrays = read_store(path, "gatesmith-spec")
    if what == "threshold":
        del meta["layers"][0][what]
        del arrays["layer0.bias"]
    else:
        del meta[what]
    for key in ("format", "version"):
        meta.pop(key, None)
    write_store(path, "gatesmith-spec", meta, arrays)
    with pytest.raises(UserError, match=f"^{re.escape(str(path))}: not the Spec of an LSTM: "):
        LSTMSpec.load(path)


@pytest.mark.parametrize(
    ("key", "name"), [("speed", None), (None, "layer7.bias")], ids=["key", "tensor"]
)
def test_rejects_what_it_does_not_know(key, name, tmp_path):
    path = tmp_path / "spec.safetensors"
    SPEC.save(path)
    meta, arrays = read_store(path, "gatesmith-spec")
    meta = {k: v for k, v in meta.items() if k not in ("format", "version")}
    meta |= {key: 1} if key else {}
    arrays |= {name: np.zeros(1)} if name else {}
    write_store(path, "gatesmith-spec", meta, arrays)
    with pytest.raises(UserError, match=f"^{re.escape(str(path))}.* '{key or name}' is not known$"):
        LSTMSpec.load(path)


def test_rejects_file_of_another_family(tmp_path):
    path = tmp_path / "spec.safetensors"
    SPEC.save(path)
    meta, arrays = read_store(path, "gatesmith-spec")
    meta["family"] = "sparse-mlp"
    write_store(path, "gatesmith-spec", {k: v for k, v in meta.items() if k != "format"}, arrays)
    with pytest.raises(UserError, match="not the Spec of an LSTM: "):
        LSTMSpec.load(path)
