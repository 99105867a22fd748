"""Fitted prices: known ones are found again, strange designs are told, the user's runs count."""

import json
from importlib import import_module

import numpy as np
import pytest
from designs import random_spec

from gatesmith.families import FAMILIES
from gatesmith.flows.silicon import calibration as module
from gatesmith.flows.silicon.calibration import TARGETS, Model, Point, calibrate, points, remember
from gatesmith.flows.synth import mapping_of
from gatesmith.models.errors import UserError
from gatesmith.sim.cache import cache_folder


@pytest.fixture(autouse=True)
def fresh_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))


def synthetic(noise=0.0):
    """Designs of which a register costs 6 gates and an adder bit 9."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(20):
        registers, adders = rng.integers(50, 500, 2).tolist()
        gates = (6 * registers + 9 * adders) * (1 + noise * rng.standard_normal())
        measured = {"gate_equivalents": gates, "cells": gates / 2, "flip_flops": registers}
        counts = {"register_bits": registers, "adder_bits": adders}
        found.append(Point(kind="gate, rom", features=counts, measured=measured, library="x"))
    return found


def test_finds_known_prices():
    model = Model(synthetic())
    found = model.predict({"register_bits": 1.0, "adder_bits": 10.0})
    assert found["gate_equivalents"] == pytest.approx(96)
    assert found["cells"] == pytest.approx(48) and found["flip_flops"] == pytest.approx(1)
    for target in TARGETS:
        assert abs(model.errors(target, "gate, rom")).max() < 1e-9
    assert model.errors("cells", "index, rom").size == 0


def test_errors_are_as_large_as_the_noise():
    found = abs(Model(synthetic(noise=0.1)).errors("gate_equivalents", "gate, rom"))
    assert 0.03 < np.median(found) < 0.2


def test_tells_what_lies_outside():
    model = Model(synthetic())
    assert model.outside({"register_bits": 100.0, "adder_bits": 100.0}, "gate, rom") == []
    (reason,) = model.outside({"register_bits": 9999.0, "adder_bits": 100.0}, "gate, rom")
    assert reason.startswith("9,999 register bits are more than the ")
    assert model.outside({}, "unrolled") == ["no design of kind unrolled was measured"]


def test_shipped_points_are_whole():
    known = points("sparse-mlp")
    assert len(known) >= 30 and len({point.kind for point in known}) == 7
    names = set(FAMILIES["sparse-mlp"].models.features(random_spec(1, (3, 2))))
    for point in known:
        assert set(point.features) == names and set(point.measured) == set(TARGETS)


@pytest.mark.parametrize(
    "text, reason",
    [("", "is damaged"), ("{}", "is damaged"), ('{"families": {"sparse-mlp": 3}}', "is damaged")],
)
def test_rejects_damaged_calibration(text, reason, tmp_path, monkeypatch):
    path = tmp_path / "calibration.json"
    path.write_text(text)
    monkeypatch.setattr(module, "CALIBRATION", path)
    with pytest.raises(UserError, match=reason) as caught:
        points("sparse-mlp")
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_rejects_calibration_of_another_version(tmp_path, monkeypatch):
    path = tmp_path / "calibration.json"
    entry = {"features_version": 0, "points": []}
    path.write_text(json.dumps({"families": {"sparse-mlp": entry}}))
    monkeypatch.setattr(module, "CALIBRATION", path)
    with pytest.raises(UserError, match=r"of another version: gatesmith estimate --calibrate$"):
        points("sparse-mlp")


def test_remembers_the_users_designs(tmp_path, monkeypatch):
    spec = random_spec(1, (6, 3), lanes=2)
    verilog = FAMILIES["sparse-mlp"].verilog(spec)
    report = mapping_of(verilog, spec.name, log=tmp_path / "log").report
    before = len(points("sparse-mlp"))
    remember(spec, report)
    remember(spec, report)
    (mine,) = points("sparse-mlp")[before:]
    assert mine.kind == "gate, rom" and mine.library == report.library
    assert mine.measured["flip_flops"] == report.total.flip_flops
    broken = cache_folder() / "estimate" / "0.json"
    for text in ("", "3", '{"tag": {}}'):
        broken.write_text(text)
        assert len(points("sparse-mlp")) == before + 1
    with monkeypatch.context() as patch:
        patch.setitem(module.SCRIPTS, "default", ("another",))
        assert len(points("sparse-mlp")) == before


def test_family_without_counts_is_passed_over():
    class Foreign:
        family = "none"

    remember(Foreign(), None)
    assert not (cache_folder() / "estimate").exists()


def test_calibrate_writes_what_points_reads(tmp_path, monkeypatch):
    small = [random_spec(seed, (5, 3), lanes=1) for seed in range(2)]
    models = FAMILIES["sparse-mlp"].models
    monkeypatch.setattr(models, "examples", lambda count, seed: small[:count])
    path = tmp_path / "calibration.json"
    calibrate(path, count=2)
    monkeypatch.setattr(module, "CALIBRATION", path)
    known = points("sparse-mlp")
    assert [point.features for point in known] == [models.features(spec) for spec in small]
    first = path.read_bytes()
    monkeypatch.setattr(import_module("gatesmith.flows.synth"), "map_design", None)
    calibrate(path, count=2)
    assert path.read_bytes() == first


def test_calibrate_refuses_a_bad_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is not a folder"):
        calibrate(tmp_path / "file" / "calibration.json")
