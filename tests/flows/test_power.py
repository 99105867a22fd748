"""Energy of whole designs: what is reported adds up, and wrong netlists are seen."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from designs import random_spec
from minsum_designs import code_spec
from rich.console import Console
from schemas import check_schema
from tiny_cells import tiny_library

from gatesmith.flows import synth, write_design
from gatesmith.flows.power import power
from gatesmith.models.codes import code
from gatesmith.models.errors import UserError

QUIET = Console(quiet=True)
FLOW = import_module("gatesmith.flows.power")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return tiny_library(tmp_path_factory.mktemp("cells")).path


@pytest.fixture(scope="module", autouse=True)
def fresh_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    folder = tmp_path_factory.mktemp("designs") / "d"
    return write_design(random_spec(1, (6, 4, 3), lanes=2), folder)


def test_report_adds_up(design, library):
    report = power(design, liberty=library, frames=3, clock_mhz=20, console=QUIET)
    written = json.loads((design / "reports" / "power.json").read_text())
    assert written == report.to_json()
    check_schema("power", written)
    assert written["frames"]["count"] == 3 and written["frames"]["words_equal"] == 3 * 4
    total = written["total"]
    parts = written["parts"]
    assert sum(part["pj_per_frame"] for part in parts) == pytest.approx(
        total["pj_per_frame"], rel=1e-4
    )
    for part in parts:
        kinds = part["kinds_pj_per_frame"]
        assert sum(kinds.values()) == pytest.approx(part["pj_per_frame"], rel=1e-4)
    clocks = written["frames"]["clocks"]
    assert total["power_mw"] == pytest.approx(total["pj_per_frame"] * 3 / (clocks * 50), rel=1e-4)
    labels = {part["instance"]: part["label"] for part in parts}
    assert labels["core.layer0"] == "layer 0: 6 to 4, 2 lanes"
    assert any(part["memory"] and "layer" in part["label"] for part in parts)
    assert any("random" in note for note in written["notes"])


def test_leakage_and_power_follow_the_clock(design, library):
    slow, fast = (
        power(design, liberty=library, frames=2, clock_mhz=mhz, console=QUIET) for mhz in (10, 20)
    )
    assert slow.kinds["leakage"] == pytest.approx(2 * fast.kinds["leakage"])
    for kind in ("logic", "switching"):
        assert slow.kinds[kind] == fast.kinds[kind]


def test_clock_is_100_mhz_or_the_fastest_whole_one(design, library):
    """The cells of the library take a nanosecond each."""
    report = power(design, liberty=library, frames=2, console=QUIET)
    assert report.clock_mhz < 100 and report.clock_mhz == int(report.clock_mhz)
    power(design, liberty=library, frames=2, clock_mhz=report.clock_mhz, console=QUIET)
    with pytest.raises(UserError, match="^Clock must be at most "):
        power(design, liberty=library, frames=2, clock_mhz=report.clock_mhz + 1, console=QUIET)


@pytest.mark.parametrize("memory", ["flipflop", "sram"])
def test_loadable_memories(tmp_path, library, memory):
    spec = random_spec(2, (5, 3), lanes=2, memory=memory)
    folder = write_design(spec, tmp_path / "d")
    report = power(folder, liberty=library, frames=2, clock_mhz=10, console=QUIET)
    assert report.words == 2 * 4
    kept = [part for part in report.parts if part.memory]
    assert bool(kept) == (memory == "flipflop") and bool(report.macros) == (memory == "sram")
    check_schema("power", folder / "reports" / "power.json")
    synth(folder, liberty=library, console=QUIET)
    for kind in ("area", "timing"):
        check_schema(kind, folder / "reports" / f"{kind}.json")
    timing = json.loads((folder / "reports" / "timing.json").read_text())
    assert timing["critical_path"] and timing["max_mhz"] == pytest.approx(report.max_mhz)


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
def test_what_wakes_up_unknown_does_not_spread(tmp_path, library, schedule):
    """Messages of a decoder are masked with 0 in the first iteration, so may begin as anything."""
    spec = code_spec(code("bch-15-11"), schedule=schedule, iterations=3)
    folder = write_design(spec, tmp_path / "d")
    assert power(folder, liberty=library, frames=3, console=QUIET).words == 3 * 4


def test_wrong_answers_are_refused(tmp_path, design, library, monkeypatch):
    vectors = FLOW.make_vectors

    def wrong(*arguments):
        right = vectors(*arguments)
        return replace(right, expected=right.expected ^ np.uint64(1))

    power(design, liberty=library, frames=2, clock_mhz=10, console=QUIET)
    monkeypatch.setattr(FLOW, "make_vectors", wrong)
    before = (design / "reports" / "power.json").read_bytes()
    with pytest.raises(UserError, match="The mapped netlist must answer as the golden model does"):
        power(design, liberty=library, frames=2, clock_mhz=10, console=QUIET)
    assert (design / "reports" / "power.json").read_bytes() == before


def test_waves_of_another_netlist_are_refused(design, library, monkeypatch):
    simulate = FLOW.simulate_gates

    def disturbed(*arguments):
        outcome, waves = simulate(*arguments)
        name = next(name for name in waves.values if name.startswith("r") and name != "rst")
        waves.values[name][waves.clocks // 2] ^= True
        return outcome, waves

    monkeypatch.setattr(FLOW, "simulate_gates", disturbed)
    with pytest.raises(UserError, match="^VCD must match the netlist, but a flip-flop ignored its"):
        power(design, liberty=library, frames=4, clock_mhz=10, console=QUIET)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"frames": 0}, r"^Frames must be at least 1, not 0$"),
        ({"clock_mhz": 0.0}, r"^Clock must be above 0 MHz, not 0\.0$"),
        ({"clock_mhz": float("nan")}, r"^Clock must be above 0 MHz, not nan$"),
        ({"clock_mhz": 1e6}, r"^Clock must be at most [\d.]+ MHz, not 1e\+06$"),
        ({"liberty": "generic"}, r"^Energy needs a cell library: --liberty LIB"),
        ({"memory": "drum"}, r"^Memory model must be flipflop, macro or the path of a .toml"),
        ({"timeout_seconds": 0.01, "frames": 9}, r"must finish within 0.01 s, and did not"),
    ],
)
def test_rejects(design, library, options, message):
    with pytest.raises(UserError, match=message):
        power(design, console=QUIET, **{"liberty": library, "clock_mhz": 10, **options})


def test_rejects_what_is_no_design(tmp_path, library):
    with pytest.raises(UserError, match="not a design folder"):
        power(tmp_path, liberty=library)
