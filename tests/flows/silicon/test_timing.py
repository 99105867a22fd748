"""Arrivals and slews against figures by hand, and against OpenSTA where it is installed."""

import os

import numpy as np
import pytest
from designs import random_spec
from tiny_cells import netlist, tiny_library

from gatesmith.families import family
from gatesmith.flows.silicon import opensta
from gatesmith.flows.silicon.liberty import read_library
from gatesmith.flows.silicon.netlist import read_netlist
from gatesmith.flows.silicon.timing import analyse
from gatesmith.flows.synth import mapping_of
from gatesmith.models.errors import UserError

REAL = os.environ.get("GATESMITH_LIBERTY")


@pytest.fixture
def library(tmp_path):
    return tiny_library(tmp_path)


def loop(library):
    """A flip-flop whose output comes back through a NAND: a divider by two, with an enable."""
    return netlist(
        library,
        {"clk": ("input", [2]), "en": ("input", [3]), "y": ("output", [4])},
        {
            "core.state": ("DFF", {"CK": 2, "D": 5, "Q": 4}),
            "core.gate": ("NAND2", {"A": 4, "B": 3, "Y": 5}),
        },
        {"core.next": 5},
    )


def test_register_to_register_by_hand(library):
    timing = analyse(loop(library))
    # The NAND's pin A loads the flip-flop with 2 fF on a rise and 4 fF on a fall.
    assert timing.arrivals[:, 4].tolist() == pytest.approx([0.1 + 0.02, 0.1 + 0.04])
    assert timing.slews[:, 4].tolist() == pytest.approx([0.04, 0.08])
    # The NAND drives 1 fF; it falls on a rise of A at twice the delay, and rises on a fall of A.
    rise = 0.14 + (0.1 + 0.08 + 0.01)
    fall = 0.12 + 2 * (0.1 + 0.04 + 0.01)
    assert timing.arrivals[:, 5].tolist() == pytest.approx([rise, fall])
    # Setup: 0.3 and 0.5, and a tenth of the data's slew of 0.02.
    period = max(rise + 0.302, fall + 0.502)
    assert timing.period == pytest.approx(period)
    path = timing.path()
    assert (path.kind, path.end, path.part) == ("register to register", "core.state/D", "core")
    assert [(step.instance, step.edge) for step in path.steps] == [
        ("core.state", "rise"),
        ("core.gate", "fall"),
    ]
    assert path.steps[-1].net == "core.next" and path.steps[0].fanout == 1
    assert path.steps[-1].arrival + path.setup == pytest.approx(path.period)
    assert sum(step.delay for step in path.steps) == pytest.approx(path.steps[-1].arrival)
    assert timing.parts == pytest.approx({"": 0.14, "core": period})


def test_ports_start_and_end_paths(library):
    chain = netlist(
        library,
        {"a": ("input", [2]), "y": ("output", [4])},
        {"u.one": ("INV", {"A": 2, "Y": 3}), "u.two": ("INV", {"A": 3, "Y": 4})},
    )
    path = analyse(chain).path()
    assert path.kind == "input to output" and path.end == "y"
    # No load outside; the first inverter drives 2 fF, its slew is 0.04.
    assert path.period == pytest.approx(0.12 + 0.14)
    assert [step.instance for step in path.steps] == ["", "u.one", "u.two"]


def test_constants_and_dangling_outputs(library):
    tied = netlist(
        library,
        {"clk": ("input", [2])},
        {
            "f": ("DFF", {"CK": 2, "D": 3, "Q": 4}),
            "g": ("NAND2", {"A": "0", "B": "1", "Y": 3}),
            "h": ("INV", {"A": 4}),
        },
    )
    timing = analyse(tied)
    assert timing.path() is None and timing.period == 0.0


def test_rejects_a_loop_of_gates(library):
    ring = netlist(
        library,
        {"y": ("output", [2])},
        {"a": ("INV", {"A": 2, "Y": 3}), "b": ("INV", {"A": 3, "Y": 2})},
    )
    with pytest.raises(
        UserError, match=r"^Netlist of top must have no loop of gates, but has one$"
    ):
        analyse(ring)


def test_rejects_a_gated_clock(library):
    gated = netlist(
        library,
        {"clk": ("input", [2]), "en": ("input", [3])},
        {
            "g": ("NAND2", {"A": 2, "B": 3, "Y": 4}),
            "f": ("DFF", {"CK": 4, "D": 3, "Q": 5}),
        },
    )
    with pytest.raises(UserError, match="Flip-flops must have one input as their clock, not"):
        analyse(gated)


@pytest.mark.skipif(not opensta.available(), reason="OpenSTA is not installed")
@pytest.mark.skipif(not REAL, reason="GATESMITH_LIBERTY does not name a library")
def test_period_is_that_of_opensta(tmp_path):
    spec = random_spec(3, (6, 5, 3), lanes=2)
    text = family("sparse-mlp").verilog(spec)
    mapping = mapping_of(text, spec.name, liberty=REAL, log=tmp_path / "log")
    library = read_library(REAL)
    design = read_netlist(mapping.netlist, spec.name, library)
    opinion = opensta.opinion(design, library)
    assert "error" not in opinion
    assert opinion["period_ns"] == pytest.approx(analyse(design).period, rel=2e-4)


def test_levels_put_inputs_first(library):
    design = loop(library)
    for number, level in enumerate(design.levels):
        before = {
            int(net)
            for earlier in design.levels[number:]
            for group, index in earlier
            for pin in group.cell.outputs
            for net in group.pins[pin.name][index]
        }
        for group, index in level:
            for pin in group.cell.inputs:
                assert not before & set(group.pins[pin.name][index].tolist())
    assert np.array_equal(design.loads[:, 4], [2.0, 4.0])
