"""Estimates: near what synthesis finds, from the Spec alone, with an error that is true."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from time import process_time

import numpy as np
import pytest
from designs import random_spec
from rich.console import Console
from schemas import check_schema

from gatesmith.families import FAMILIES
from gatesmith.flows.estimate import estimate, estimate_spec
from gatesmith.flows.silicon.calibration import TARGETS, points, remember
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY
from gatesmith.flows.synth import mapping_of
from gatesmith.models.errors import UserError


@pytest.fixture(autouse=True)
def fresh_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def design(tmp_path):
    """A design folder as far as estimate reads it: no Verilog is looked into."""
    spec = random_spec(4, (20, 10, 4), lanes=3)
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl" / f"{spec.name}.v").write_text("no Verilog")
    spec.save(tmp_path / "spec.safetensors")
    content = {"format": "gatesmith-design", "version": 1, "name": spec.name}
    content |= {"family": "sparse-mlp", "streams": {}, "memories": [], "verilog_sha256": ""}
    (tmp_path / "design.json").write_text(json.dumps(content))
    return tmp_path


def quiet():
    return Console(file=open(os.devnull, "w"))


def doubled(tmp_path, name):
    """Our generic library under another name, in um2, its NAND2 of 2."""
    text = GENERIC_LIBRARY.read_text().replace("library (gatesmith_generic)", f"library ({name})")
    lines = []
    for line in text.splitlines():
        key, _, value = line.partition(" : ")
        area = key.strip() == "area"
        lines.append(f"{key} : {2 * float(value.rstrip(';'))};" if area else line)
    path = tmp_path / f"{name}.lib"
    path.write_text("\n".join(lines))
    return path


def test_rejects_folder_and_family(tmp_path, design):
    with pytest.raises(UserError, match="not a design folder"):
        estimate(tmp_path / "nowhere")
    content = json.loads((design / "design.json").read_text())
    (design / "design.json").write_text(json.dumps(content | {"family": "sparse-mpl"}))
    with pytest.raises(UserError, match="did you mean 'sparse-mlp'"):
        estimate(design)


@pytest.mark.parametrize("arguments", [(), ("DIR", "--calibrate", "x.json")])
def test_command_refuses(arguments, gatesmith):
    gatesmith("estimate", *arguments).check_refused("Give a design folder DIR, or --calibrate")


def test_rejects_broken_library(design, tmp_path):
    with pytest.raises(UserError, match=r"^Liberty library \S+ cannot be read: No such file"):
        estimate(design, liberty=tmp_path / "missing.lib")
    assert not (design / "reports").exists()


def test_unwritable_reports(design):
    (design / "reports").write_text("in the way")
    with pytest.raises(UserError, match="reports: cannot be made"):
        estimate(design, console=quiet())


@pytest.mark.parametrize("kind", [("gate", "rom"), ("index", "sram"), ("unrolled", "rom")])
def test_is_near_the_synthesis(kind, tmp_path):
    """A design that was not measured for the fit, within the worst error stated, and a bit."""
    datapath, memory = kind
    spec = random_spec(
        7, (40, 24, 10), datapath=datapath, memory=memory, lanes=4, width=10, lookahead=8
    )
    found = estimate_spec(spec)
    report = mapping_of(
        FAMILIES["sparse-mlp"].verilog(spec),
        spec.name,
        liberty=GENERIC_LIBRARY,
        log=tmp_path / "log",
    ).report
    actual = {
        "gate_equivalents": report.gate_equivalents(report.total.area),
        "cells": report.total.mapped_cells,
        "flip_flops": report.total.flip_flops,
    }
    assert found.outside == [] and found.measured >= 5
    for target, value in actual.items():
        error = getattr(found, target) / value - 1
        assert abs(error) < 1.5 * found.errors[target][1] + 0.05, (target, error, found.errors)


def test_largest_unrolled_layer_is_quick():
    spec = random_spec(1, (256, 256), datapath="unrolled", sparsity=0.0, weight_kind="binary")
    start = process_time()
    found = estimate_spec(spec)
    assert process_time() - start < 30 and found.outside and found.gate_equivalents > 100_000


def test_stated_errors_are_small_enough_to_be_of_use():
    for kind in sorted({point.kind for point in points("sparse-mlp")}):
        datapath, memory = kind.split(", ")
        found = estimate_spec(random_spec(1, (12, 6), datapath=datapath, memory=memory))
        assert found.errors["gate_equivalents"][0] < 0.15, kind
        assert found.errors["flip_flops"][0] < 0.1, kind


def test_report_and_command(design, gatesmith):
    outcome = gatesmith("estimate", design)
    assert outcome.code == 0 and "gate equivalents" in outcome.out and "%" in outcome.out
    written = json.loads((design / "reports" / "estimate.json").read_text())
    check_schema("estimate", written)
    assert written["format"] == "gatesmith-estimate" and written["kind"] == "gate, rom"
    assert set(written["errors"]) == set(TARGETS) and written["area_um2"] is None
    spec = FAMILIES["sparse-mlp"].spec.load(design / "spec.safetensors")
    timing = FAMILIES["sparse-mlp"].models.timing(spec)
    assert written["latency_clocks"] == timing.latency
    assert written["interval_clocks"] == timing.interval


def test_area_in_a_library(design, tmp_path):
    path = doubled(tmp_path, "mine")
    found = estimate(design, liberty=path, console=quiet())
    assert found.area_um2 == pytest.approx(2 * found.gate_equivalents) and found.factor == 1
    # A synthesis of the user's with that library corrects the ratio: here it was half as large.
    spec = random_spec(1, (6, 3), lanes=2)
    verilog = FAMILIES["sparse-mlp"].verilog(spec)
    report = mapping_of(verilog, spec.name, liberty=path, log=tmp_path / "log").report
    halved = [replace(m, own=replace(m.own, area=m.own.area / 2)) for m in report.modules]
    memories = [replace(m, count=replace(m.count, area=m.count.area / 2)) for m in report.memories]
    remember(spec, replace(report, modules=tuple(halved), memories=tuple(memories)))
    assert 0.3 < estimate(design, liberty=path, console=quiet()).factor < 0.7
    check_schema("estimate", design / "reports" / "estimate.json")


def test_large_design_lies_outside():
    layer = random_spec(1, (2000, 300), lanes=300)
    found = estimate_spec(layer)
    assert found.outside and any("* Outside what was measured" in line for line in found.notes())
    check_schema("estimate", found.to_json())


def test_loads_neither_amaranth_nor_torch(design):
    code = (
        "import sys; from gatesmith.flows import estimate; "
        f"estimate({str(design)!r}); "
        "found = {'torch', 'amaranth', 'cocotb', 'pyosys'} & set(sys.modules); "
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    assert np.isfinite(json.loads((design / "reports/estimate.json").read_text())["cells"])
