"""Checkpoints that are damaged, foreign or hostile are refused in one line."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import load as unpack_file
from safetensors.numpy import save as pack_file

from gatesmith.models.errors import UserError
from gatesmith.models.lstm_net import (
    LowBitLSTM,
    LSTMConfig,
    load_checkpoint,
    lower,
    read_metrics,
    save_checkpoint,
)
from gatesmith.models.lstm_net.checkpoint import pack, unpack

SYMBOLS = tuple("abcdefg")
CONFIG = LSTMConfig(
    data="austen",
    inputs=7,
    classes=7,
    hidden=(12, 8),
    weights=("ternary", "binary"),
    state_threshold=0.1,
)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "net.safetensors"
    save_checkpoint(LowBitLSTM(CONFIG, SYMBOLS), path, {"test_bpc": 2.5})
    return path


def rewrite(path, change):
    """Change metadata and tensors of a file, in place."""
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    meta, arrays = json.loads(header["__metadata__"]["gatesmith"]), unpack_file(data)
    change(meta, arrays)
    path.write_bytes(pack_file(arrays, metadata={"gatesmith": json.dumps(meta)}))


def put(container, key, value):
    container[key] = value


@pytest.mark.parametrize("kind", ["binary", "ternary", "int8", "int12"])
@pytest.mark.parametrize("norm", ["weight", "shared-bn"])
def test_round_trip(tmp_path, kind, norm):
    """A loaded net computes the same, and is written again as the same bytes."""
    config = LSTMConfig(
        data="own", inputs=5, classes=3, steps=6, hidden=(12, 8), weights=kind, norm=norm,
        head_weights=kind,
    )  # fmt: skip
    net = LowBitLSTM(config)
    x = torch.randint(-128, 128, (6, 20, 5))
    if norm == "shared-bn":
        net.estimate(x.float())
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_checkpoint(net.eval(), path, {"test_accuracy": 0.5})
    again = load_checkpoint(path)
    assert torch.equal(net(x), again(x)) and again.config == config and not again.training
    assert read_metrics(path) == {"test_accuracy": 0.5}
    save_checkpoint(again, other, {"test_accuracy": 0.5})
    assert path.read_bytes() == other.read_bytes()
    lower(net).save(tmp_path / "one")
    lower(again).save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_round_trip_of_a_frozen_sample(tmp_path):
    config = LSTMConfig(quantiser="stochastic", hidden=(8,))
    net = LowBitLSTM(config)
    with pytest.raises(UserError, match="^Layer 0 must be frozen to one sample"):
        save_checkpoint(net, tmp_path / "a.safetensors")
    net.freeze()
    save_checkpoint(net, tmp_path / "a.safetensors")
    again = load_checkpoint(tmp_path / "a.safetensors")
    x = torch.randint(-128, 128, (8, 20, 8))
    assert torch.equal(net.eval()(x), again(x))


def test_vocabulary_is_kept(checkpoint):
    assert load_checkpoint(checkpoint).vocabulary == SYMBOLS


def test_ternary_512_is_small(tmp_path):
    config = LSTMConfig(data="austen", inputs=83, classes=83, hidden=(512,))
    symbols = tuple(chr(200 + k) for k in range(83))
    save_checkpoint(LowBitLSTM(config, symbols), tmp_path / "net.safetensors")
    assert (tmp_path / "net.safetensors").stat().st_size < 400_000


@pytest.mark.parametrize("kind", ["binary", "ternary", "int8", "int12"])
@pytest.mark.parametrize("shape", [(1, 1), (4, 5), (3, 7), (8, 5)])
def test_packing_is_exact(kind, shape):
    random = np.random.default_rng(1)
    most = {"binary": 1, "ternary": 1, "int8": 127, "int12": 2047}[kind]
    codes = random.integers(-most, most + 1, shape)
    codes = np.where(codes == 0, 1, codes) if kind == "binary" else codes
    assert np.array_equal(unpack(pack(codes, kind), kind, shape), codes)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("code of a checkpoint was run",))


@pytest.mark.parametrize(
    "content",
    [b"", b"\x08", b"\xff" * 64, pickle.dumps(Bomb()), b"PK\x03\x04" + bytes(60),
     b"\x02\0\0\0\0\0\0\0{}", b"\x10\0\0\0\0\0\0\0" + b"[" * 16],
)  # fmt: skip
def test_rejects_what_is_not_a_checkpoint(tmp_path, content):
    path = tmp_path / "net.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_checkpoint(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_rejects_truncated(checkpoint):
    data = checkpoint.read_bytes()
    for keep in (0.1, 0.5, 0.99):
        checkpoint.write_bytes(data[: int(keep * len(data))])
        with pytest.raises(UserError, match="not a readable safetensors file"):
            load_checkpoint(checkpoint)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, a: put(m, "family", "sparse-mlp"), "family must be lstm, not 'sparse-mlp'"),
        (lambda m, a: put(m, "version", 2), "version must be 1, not 2"),
        (lambda m, a: put(m, "extra", 1), "metadata keys must be .*, see 'extra'"),
        (lambda m, a: m.pop("vocabulary"), "metadata keys must be .*, see 'vocabulary'"),
        (lambda m, a: put(m, "config", 3), "config must be an object, not 3"),
        (lambda m, a: put(m["config"], "colour", 3), "Configuration key must be one of"),
        (lambda m, a: put(m["config"], "inputs", None), "Inputs must be the symbols of austen"),
        (lambda m, a: put(m["config"], "hidden", [12, 9]), "tensor .* must be"),
        (lambda m, a: put(m["config"], "hidden", [4096, 4096]), "tensor .* must be"),
        (lambda m, a: put(m["config"], "hidden", "12"), "Hidden must be a tuple"),
        (lambda m, a: put(m["config"], "hidden", [[1], 2]), "Hidden must be a tuple"),
        (lambda m, a: put(m["config"], "weights", "ternary"), "tensor .* must be"),
        (lambda m, a: put(m["config"], "weights", [3, {}]), "Weights must be one of"),
        (lambda m, a: put(m["config"], "state_threshold", "1"), "State threshold must be at least"),
        (lambda m, a: put(m, "vocabulary", "abcdefg"), "vocabulary must be a list of 7 different"),
        (lambda m, a: put(m, "vocabulary", list("abcdef")), "vocabulary must be a list of 7"),
        (lambda m, a: put(m, "vocabulary", list("abcdeff")), "vocabulary must be a list of 7"),
        (lambda m, a: put(m, "vocabulary", [*"abcdef", 3]), "vocabulary must be a list of 7"),
        (lambda m, a: put(m, "vocabulary", [*"abcdef", "gh"]), "vocabulary must be a list of 7"),
        (lambda m, a: put(m, "history", [{"loss": "1"}]), "history must be a list of objects of n"),
        (lambda m, a: a.pop("layers.1.bias"), "tensor 'layers.1.bias' is missing"),
        (lambda m, a: put(a, "spare", np.zeros(1)), "tensor 'spare' is not known"),
        (lambda m, a: put(a, "head.bias", np.zeros(7)), "'head.bias' must be .*float32.*float64"),
        (lambda m, a: a["layers.0.gain_x"].__setitem__(0, np.nan), "must be finite"),
        (lambda m, a: a["layers.0.gain_x"].__setitem__(0, 1e9), "'layers.0.gain_x' must be betw"),
        (lambda m, a: a["layers.0.bias"].__setitem__(3, -1e9), "'layers.0.bias' must be between"),
        (lambda m, a: a["head.fraction"].__setitem__(0, 21), "'head.fraction' must be between 0"),
        (lambda m, a: a["layers.0.weight_h"].__setitem__(0, 243), "bytes must be below 243, not"),
        (lambda m, a: a["layers.0.weight_x"].__setitem__(-1, 0), "after the end must be 0"),
        (lambda m, a: a["head.weight"].__setitem__((0, 0), -128), "between -127 and 127"),
    ],
)
def test_rejects_change(checkpoint, change, message):
    rewrite(checkpoint, change)
    with pytest.raises(UserError, match=message) as caught:
        load_checkpoint(checkpoint)
    assert str(checkpoint) in str(caught.value) and "\n" not in str(caught.value)
