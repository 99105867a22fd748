"""Checkpoints that are damaged, foreign or hostile are refused in one line."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack

from gatesmith.models.errors import UserError
from gatesmith.models.sparse_mlp_net import (
    SparseMLP,
    SparseMLPConfig,
    load_checkpoint,
    lower,
    read_metrics,
    save_checkpoint,
)

CONFIG = SparseMLPConfig(hidden=(12, 8), sparsity=0.75, classifier_sparsity=0)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "net.safetensors"
    save_checkpoint(SparseMLP(CONFIG), path, {"test_accuracy": 0.5})
    return path


def parts(path):
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return json.loads(header["__metadata__"]["gatesmith"]), unpack(data)


def rewrite(path, change):
    """Change metadata and tensors of a file, in place."""
    meta, arrays = parts(path)
    change(meta, arrays)
    path.write_bytes(pack(arrays, metadata={"gatesmith": json.dumps(meta)}))


def set_item(container, key, value):
    container[key] = value


def test_round_trip(checkpoint, tmp_path):
    net, again = SparseMLP(CONFIG).eval(), load_checkpoint(checkpoint)
    x = torch.randint(0, 16, (30, 64))
    assert torch.equal(net(x), again(x))
    assert read_metrics(checkpoint) == {"test_accuracy": 0.5}
    save_checkpoint(again, tmp_path / "b.safetensors", {"test_accuracy": 0.5})
    assert (tmp_path / "b.safetensors").read_bytes() == checkpoint.read_bytes()
    lower(net).save(tmp_path / "one")
    lower(again).save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("code of a checkpoint was run",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x08",
        b"\xff" * 64,
        pickle.dumps(Bomb()),
        b"PK\x03\x04" + bytes(60),
        b"\x02\0\0\0\0\0\0\0{}",
        b"\x10\0\0\0\0\0\0\0" + b"[" * 16,
    ],
)
def test_rejects_what_is_not_a_checkpoint(tmp_path, content):
    path = tmp_path / "net.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_checkpoint(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_rejects_a_pickle_written_by_torch(tmp_path):
    path = tmp_path / "net.pt"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(UserError, match="is a pickle, as torch.save writes it"):
        load_checkpoint(path)


def test_rejects_missing_file_and_foreign_safetensors(tmp_path):
    with pytest.raises(UserError, match="no such file$"):
        load_checkpoint(tmp_path / "none.safetensors")
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(pack({"weight": np.zeros(3, dtype=np.float32)}))
    with pytest.raises(UserError, match="expected a gatesmith-checkpoint, found a foreign"):
        load_checkpoint(path)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_rejects_truncated(checkpoint, keep):
    data = checkpoint.read_bytes()
    checkpoint.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(UserError, match="not a readable safetensors file"):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, a: set_item(m, "family", "resnet"), "family must be sparse-mlp, not 'resnet'"),
        (lambda m, a: set_item(m, "version", 2), "version must be 1, not 2"),
        (lambda m, a: set_item(m, "extra", 1), "metadata keys must be .*, see 'extra'"),
        (lambda m, a: m.pop("lfsrs"), "metadata keys must be .*, see 'lfsrs'"),
        (lambda m, a: set_item(m, "config", 3), "config must be an object, not 3"),
        (lambda m, a: set_item(m["config"], "colour", 3), "Configuration key must be one of"),
        (lambda m, a: set_item(m["config"], "hidden", [12, 9]), "tensor .* must be"),
        (lambda m, a: set_item(m["config"], "hidden", [65536, 65536]), "tensor .* must be"),
        (lambda m, a: set_item(m["config"], "hidden", "12"), "Hidden must be a tuple"),
        (lambda m, a: set_item(m["config"], "hidden", [12]), "tensor .* must be|not known"),
        (lambda m, a: set_item(m["config"], "sparsity", 1), "Sparsity must be at least 0"),
        (lambda m, a: set_item(m["config"], "activation_bits", "4"), "Activation bits must be"),
        (lambda m, a: set_item(m, "lfsrs", []), "lfsrs must be a list of 3"),
        (lambda m, a: set_item(m["lfsrs"], 0, None), "LFSR 0 is damaged"),
        (lambda m, a: set_item(m["lfsrs"][0], "taps", [16, 1]), "taps must be a known primitive"),
        (lambda m, a: set_item(m["lfsrs"][0], "taps", [1e9]), "taps must be a known primitive"),
        (lambda m, a: set_item(m["lfsrs"][0], "leap", 10**9), "leap must be between 1 and 4096"),
        (lambda m, a: set_item(m["lfsrs"][0], "threshold", 0), "threshold must be between 1 and"),
        (lambda m, a: set_item(m["lfsrs"][2], "threshold", 5), "must be empty for a dense layer"),
        (lambda m, a: a["linears.0.seeds"].__setitem__(3, 0), "seeds must be between 1 and 65535"),
        (lambda m, a: a["linears.0.seeds"].__setitem__(3, 65536), "seeds must be .* not 65536"),
        (lambda m, a: a.pop("tails.1.mean"), "tensor 'tails.1.mean' is missing"),
        (lambda m, a: set_item(a, "spare", np.zeros(1)), "tensor 'spare' is not known"),
        (lambda m, a: set_item(a, "tails.0.mean", np.zeros(3)), "tensor 'tails.0.mean' must be"),
        (
            lambda m, a: set_item(a, "linears.0.weight", np.zeros((12, 64))),
            "tensor 'linears.0.weight' must be .*float32.*not .*float64",
        ),
        (lambda m, a: a["linears.0.weight"].__setitem__((0, 0), np.nan), "must be finite"),
        (lambda m, a: a["linears.0.weight"].__setitem__((0, 0), 1.5), "must be between -1 and 1"),
        (lambda m, a: a["tails.0.offset"].__setitem__(0, np.inf), "must be finite"),
        (lambda m, a: a["tails.0.offset"].__setitem__(0, 1e9), "'tails.0.offset' must be between"),
        (lambda m, a: a["tails.0.shift"].__setitem__(0, 99), "'tails.0.shift' must be between 0"),
    ],
)
def test_rejects_change(checkpoint, change, message):
    rewrite(checkpoint, change)
    with pytest.raises(UserError, match=message) as caught:
        load_checkpoint(checkpoint)
    assert str(checkpoint) in str(caught.value) and "\n" not in str(caught.value)


def test_rejects_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        save_checkpoint(SparseMLP(CONFIG), tmp_path / "file" / "net.safetensors")
