"""The contract that every family of the table fulfils."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Elaboratable, Fragment

from gatesmith.families import FAMILIES, Family, family
from gatesmith.models.errors import UserError

ROOT = Path(__file__).parents[1]
everyone = pytest.mark.parametrize("entry", FAMILIES.values(), ids=FAMILIES)


def _exists(folder: str, name: str) -> bool:
    base = ROOT / folder / name
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def test_table_is_keyed_by_name() -> None:
    assert all(name == entry.name for name, entry in FAMILIES.items())


def test_unknown_family_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"^Unknown family 'sparsemlp': did you mean 'sparse-mlp'"):
        family("sparsemlp")
    with pytest.raises(UserError, match=r"^Unknown family 'x': there is lstm, minsum, sparse-mlp"):
        family("x")


@everyone
def test_one_module_in_every_layer(entry: Family) -> None:
    for folder, name in (("models", ""), ("models", "_net"), ("hw", "")):
        assert _exists(folder, entry.module + name), f"{folder}/{entry.module}{name}"
    tests = [path.name for path in (ROOT / "tests").rglob(f"*{entry.module}*")]
    assert tests, "a family has tests of its own name"


@everyone
def test_models_load_neither_torch_nor_amaranth(entry: Family) -> None:
    code = (
        "import sys\nfrom gatesmith.families import FAMILIES\n"
        f"entry = FAMILIES[{entry.name!r}]\nentry.spec, entry.models.golden\n"
        "assert not {'torch', 'amaranth'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@everyone
def test_models_bring_what_the_flows_call(entry: Family) -> None:
    assert entry.spec.family == entry.name
    for name in ("golden", "timing", "faults", "predictions"):
        assert callable(getattr(entry.models, name)), name
    for name in ("save", "load", "with_options", "config_words"):
        assert callable(getattr(entry.spec, name)), name
    for name in ("input_format", "output_format", "config_format", "weight_port"):
        assert isinstance(inspect.getattr_static(entry.spec, name), property), name


@everyone
def test_net_brings_what_the_flows_call(entry: Family) -> None:
    for name in ("train", "lower", "load_checkpoint", "save_checkpoint", "read_metrics"):
        assert callable(getattr(entry.net, name)), name
    config = getattr(entry.net, f"{entry.prefix}Config")
    assert config() == config.from_json(config().to_json()), "defaults and a round trip"
    for recipe in entry.net.RECIPES.values():
        assert config.from_json(recipe.to_json()) == recipe


@everyone
def test_core_has_streams_and_its_verilog_is_the_same_twice(entry: Family) -> None:
    net = entry.net
    config = getattr(net, f"{entry.prefix}Config")
    small = {"minsum": "code=bch-15-11"}.get(entry.name, "hidden=4")
    spec = net.lower(getattr(net, entry.network)(config.parse([small])).eval())
    core = entry.core(spec)
    assert {"i", "o"} <= set(core.signature.members)
    for module in (core, *core.shared.values()):
        if isinstance(module, Elaboratable):
            Fragment.get(module, None)  # Amaranth complains about one that is never elaborated
    assert entry.verilog(spec) == entry.verilog(spec)
    assert entry.models.faults(spec)


@everyone
def test_readme_names_the_family(entry: Family) -> None:
    assert entry.name in (ROOT / "README.md").read_text()
