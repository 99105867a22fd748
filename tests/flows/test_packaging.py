"""What is installed, and what importing it loads."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import gatesmith

ROOT = Path(__file__).parents[2]
LAYERS = ("flows", "hw", "models", "sim")


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("layer", LAYERS)
def test_links_resolve(layer: str) -> None:
    link = ROOT / "src" / "gatesmith" / layer
    assert link.is_symlink() and os.readlink(link) == f"../../{layer}"
    assert (link / "__init__.py").samefile(ROOT / layer / "__init__.py")


@pytest.mark.parametrize(
    "statement, banned",
    [
        ("import gatesmith.models.sparse_mlp", {"torch", "amaranth", "cocotb"}),
        ("import gatesmith.models.codes", {"torch", "scipy", "amaranth", "cocotb"}),
        ("import gatesmith.hw.sparse_mlp", {"torch", "cocotb"}),
        ("import gatesmith.models.sparse_mlp_net", {"amaranth", "cocotb"}),
        ("import gatesmith, gatesmith.flows, gatesmith.families", {"torch", "amaranth", "numpy"}),
        ("from gatesmith import pack, unpack", {"torch", "amaranth", "cocotb"}),
    ],
)
def test_import_stays_light(statement: str, banned: set[str]) -> None:
    _run(f"{statement}\nimport sys\nfound = {banned} & set(sys.modules)\nassert not found, found")


@pytest.mark.parametrize(
    "layer, allowed",
    [("models", {"models"}), ("hw", {"models", "hw"}), ("sim", {"models", "sim"})],
)
def test_imports_point_downward(layer: str, allowed: set[str]) -> None:
    for path in (ROOT / layer).rglob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1].startswith("gatesmith."):
                assert words[1].split(".")[1] in allowed, f"{path.name}: {line}"


def test_unknown_attribute() -> None:
    with pytest.raises(AttributeError, match="'gatesmith' has no attribute 'unpacked'"):
        _ = gatesmith.unpacked  # type: ignore[attr-defined]


def test_wheel_holds_the_package_only(tmp_path: Path) -> None:
    # Built from a copy, so that the build leaves nothing in the checkout.
    copy = tmp_path / "source"
    copy.mkdir()
    names = ("LICENSE", "README.md", "pyproject.toml", "src", *LAYERS)
    subprocess.run(["cp", "-a", *(str(ROOT / name) for name in names), str(copy)], check=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path), "."],
        cwd=copy,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = tuple(archive.namelist())
        (info,) = {name.split("/")[0] for name in names} - {"gatesmith"}
        assert archive.read(f"{info}/top_level.txt").decode().split() == ["gatesmith"]
    assert info.endswith(".dist-info")
    for layer in LAYERS:
        for path in (ROOT / layer).rglob("*.py"):
            assert f"gatesmith/{path.relative_to(ROOT)}" in names, "a module is missing"
    for data in ("py.typed", "flows/silicon/generic.lib", "flows/schemas/design.schema.json"):
        assert f"gatesmith/{data}" in names
    for path in (ROOT / "models" / "codes" / "tables").iterdir():
        assert f"gatesmith/{path.relative_to(ROOT)}" in names
    for path in (ROOT / "models" / "checkpoints").glob("*.safetensors"):
        assert f"gatesmith/{path.relative_to(ROOT)}" in names
        assert path.stat().st_size < 1_000_000
