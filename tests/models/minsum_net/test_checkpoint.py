"""Checkpoints that are damaged, foreign or hostile are refused in one line."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import load as unpack_file
from safetensors.numpy import save as pack_file

from gatesmith.models.codes import bch, code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net import (
    MinSumConfig,
    MinSumDecoder,
    load_checkpoint,
    lower,
    read_metrics,
    save_checkpoint,
)
from gatesmith.models.minsum_net.config import TYINGS

CONFIG = MinSumConfig(code="bch-15-7", iterations=3, spread=0.5)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "net.safetensors"
    save_checkpoint(MinSumDecoder(CONFIG), path, {"test_fer": {"5 dB": 0.1}})
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


@pytest.mark.parametrize("tying", TYINGS)
@pytest.mark.parametrize("update", ["plain", "offset", "normalised", "sum-product"])
def test_round_trip(tmp_path, update, tying):
    """A loaded net computes the same, and is written again as the same bytes."""
    bits = None if update == "sum-product" else 5
    config = MinSumConfig(
        code="bch-15-7", update=update, tying=tying, message_bits=bits, spread=0.5
    )
    net = MinSumDecoder(config).eval()
    net.history = [{"epoch": 1, "loss": 0.25}]
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_checkpoint(net, path, {"steps": 3})
    again = load_checkpoint(path)
    llr = 3 * torch.randn(15, 100)
    assert torch.equal(net(llr), again(llr)) and again.config == config and not again.training
    assert again.history == net.history and read_metrics(path) == {"steps": 3}
    save_checkpoint(again, other, {"steps": 3})
    assert path.read_bytes() == other.read_bytes()


def test_float_and_relaxed_nets(tmp_path):
    config = MinSumConfig(code="bch-15-7", message_bits=None, relaxation=True)
    net = MinSumDecoder(config)
    with torch.no_grad():
        net.relax.fill_(0.5)
    save_checkpoint(net, tmp_path / "a.safetensors")
    assert load_checkpoint(tmp_path / "a.safetensors").relax.item() == 0.5


def test_code_travels_along(tmp_path):
    """A checkpoint of an alist file needs that file no more, and knows what is not sent."""
    alist, path = tmp_path / "mine.alist", tmp_path / "a.safetensors"
    bch(15, 7).to_alist(alist)
    save_checkpoint(MinSumDecoder(MinSumConfig(code=str(alist))), path)
    alist.unlink()
    net = load_checkpoint(path)
    assert np.array_equal(net.code.matrix(), bch(15, 7).matrix())
    assert lower(net).information.tolist() == net.code.information.tolist()


def test_small(tmp_path):
    net = MinSumDecoder(MinSumConfig(code="wifi-648-r12", iterations=10, tying="check"))
    save_checkpoint(net, tmp_path / "a.safetensors")
    assert (tmp_path / "a.safetensors").stat().st_size < 100_000
    assert code("wifi-648-r12").edges == load_checkpoint(tmp_path / "a.safetensors").code.edges


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
        (lambda m, a: put(m, "family", "lstm"), "family must be minsum, not 'lstm'"),
        (lambda m, a: put(m, "version", 2), "version must be 1, not 2"),
        (lambda m, a: put(m, "extra", 1), "metadata keys must be .*, see 'extra'"),
        (lambda m, a: m.pop("code"), "metadata keys must be .*, see 'code'"),
        (lambda m, a: put(m, "config", 3), "config must be an object, not 3"),
        (lambda m, a: put(m["config"], "colour", 3), "Configuration key must be one of"),
        (lambda m, a: put(m["config"], "tying", "check"), "'master' must be"),
        (lambda m, a: put(m["config"], "iterations", 1000), "'master' must be"),
        (lambda m, a: put(m["config"], "update", "plain"), "'master' is not known"),
        (lambda m, a: put(m["config"], "message_bits", 2), "Message bits must be between 3 and 8"),
        (lambda m, a: put(m["config"], "tying", ["edge"]), "Tying must be one of"),
        (lambda m, a: put(m, "code", "bch-15-7"), "code must be an object of lifting, n and name"),
        (lambda m, a: put(m["code"], "n", 0), "n must be between 1 and"),
        (lambda m, a: put(m["code"], "n", 10**12), "n must be between 1 and"),
        (lambda m, a: put(m["code"], "n", True), "n must be between 1 and"),
        (lambda m, a: put(m["code"], "n", 10), "damaged code: Variables must be from 0 to 9"),
        (lambda m, a: put(m["code"], "n", 16), "damaged code: .*column 15 .*has none"),
        (lambda m, a: put(m["code"], "lifting", 5), "damaged code: .*blocks of 5 rows"),
        (lambda m, a: put(m["code"], "name", 3), "name of the code must be a text, not 3"),
        (lambda m, a: put(m, "history", [{"loss": "1"}]), "history must be a list of objects of n"),
        (lambda m, a: a.pop("master"), "tensor 'master' is missing"),
        (lambda m, a: a.pop("code.checks"), "tensor 'code.checks' is missing"),
        (lambda m, a: put(a, "spare", np.zeros(1)), "tensor 'spare' is not known"),
        (lambda m, a: put(a, "code.spare", np.zeros(1)), "tensor 'code.spare' is not known"),
        (lambda m, a: put(a, "master", a["master"].astype(float)), "'master' must be .*float64"),
        (lambda m, a: put(a, "code.checks", np.zeros(3)), "'code.checks' must be .*int32.*float64"),
        (lambda m, a: put(a, "code.checks", a["code.checks"][1:]), "damaged code: Checks and var"),
        (lambda m, a: a["code.checks"].__setitem__(-1, 2**31 - 1), "checks must be between 0 and"),
        (lambda m, a: a["code.checks"].__setitem__(0, -1), "checks must be between 0 and"),
        (lambda m, a: a["code.variables"].__setitem__(0, 99), "damaged code: Variables must be"),
        (lambda m, a: a["code.variables"].__setitem__(0, 7), "damaged code: Edges must be asc"),
        (lambda m, a: a["code.information"].__setitem__(0, 99), "damaged code: Information must"),
        (lambda m, a: put(a, "code.information", np.arange(4, dtype=np.int32)),
         "damaged code: .*these information positions do not fix a word"),
        (lambda m, a: a["master"].__setitem__((0, 0), np.nan), "must be finite"),
        (lambda m, a: a["master"].__setitem__((0, 0), np.inf), "must be finite"),
        (lambda m, a: a["master"].__setitem__((0, 0), 1e9), "'master' must be between"),
    ],
)
def test_rejects_change(checkpoint, change, message):
    rewrite(checkpoint, change)
    with pytest.raises(UserError, match=message) as caught:
        load_checkpoint(checkpoint)
    assert str(checkpoint) in str(caught.value) and "\n" not in str(caught.value)
