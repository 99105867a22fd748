import os
import pickle

import numpy as np
import pytest
from safetensors.numpy import save_file

from gatesmith.models.errors import UserError
from gatesmith.models.store import read_store, write_store


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("hacked",)


def test_round_trip_is_byte_identical(tmp_path):
    arrays = {"b": np.arange(3), "a": np.ones((2, 2), np.float32)}
    for name in ("one", "two"):
        write_store(tmp_path / name, "thing", {"key": [1, "x"]}, arrays)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    meta, found = read_store(tmp_path / "one", "thing")
    assert meta["key"] == [1, "x"] and found["b"].tolist() == [0, 1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_no_length_of_the_head_is_taken_for_a_pickle(tmp_path):
    """The first bytes of safetensors are the length of their head, of any value."""
    looks_like = set()
    for padding in range(0, 700):
        write_store(tmp_path / "x", "thing", {"pad": "x" * padding}, {"a": np.arange(3)})
        looks_like.add((tmp_path / "x").read_bytes()[:2])
        read_store(tmp_path / "x", "thing")
    assert b"\x80\x02" in looks_like


@pytest.mark.parametrize("damage", ["pickle", "truncated", "text", "empty", "folder"])
def test_rejects_what_is_not_safetensors(tmp_path, monkeypatch, damage):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x"
    write_store(path, "thing", {}, {"a": np.arange(100)})
    match damage:
        case "pickle":
            path.write_bytes(pickle.dumps(Hostile()))
        case "truncated":
            path.write_bytes(path.read_bytes()[:-9])
        case "text":
            path.write_text("hello, I am no checkpoint at all")
        case "empty":
            path.write_bytes(b"")
        case "folder":
            path.unlink()
            path.mkdir()
    reason = {"pickle": "is a pickle", "folder": "is a folder"}
    expected = reason.get(damage, "not a readable safetensors file")
    with pytest.raises(UserError, match=f"{expected}.*expected a thing( in safetensors)?$"):
        read_store(path, "thing")
    assert not (tmp_path / "hacked").exists()


def test_rejects_missing_foreign_other_and_nan(tmp_path):
    with pytest.raises(UserError, match="no such file$"):
        read_store(tmp_path / "none", "thing")
    save_file({"a": np.arange(3)}, tmp_path / "foreign")
    with pytest.raises(UserError, match="expected a thing, found a foreign safetensors file$"):
        read_store(tmp_path / "foreign", "thing")
    write_store(tmp_path / "other", "other", {}, {})
    with pytest.raises(UserError, match="expected a thing, found other$"):
        read_store(tmp_path / "other", "thing")
    write_store(tmp_path / "nan", "thing", {}, {"w": np.array([1.0, np.nan])})
    with pytest.raises(UserError, match="tensor 'w' must be finite"):
        read_store(tmp_path / "nan", "thing")
    write_store(tmp_path / "old", "thing", {"version": 7}, {})
    with pytest.raises(UserError, match="version must be 1, not 7$"):
        read_store(tmp_path / "old", "thing")


def test_unwritable_folder_is_a_user_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_store(tmp_path / "file" / "x", "thing", {}, {})
