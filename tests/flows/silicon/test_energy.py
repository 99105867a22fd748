"""Energy of a ring of flip-flops by hand, of nothing at all, and against a reference by clock."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_cells import netlist, tiny_library

from gatesmith.flows.silicon.activity import evaluate
from gatesmith.flows.silicon.energy import KINDS, energy_of
from gatesmith.flows.silicon.timing import analyse

PERIOD = 10.0
SQUARE = 4.0  # volt squared


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return tiny_library(tmp_path_factory.mktemp("cells"))


def measured(design, states, begin, end):
    """Energy of all cells by kind, fJ."""
    activity = evaluate(design, states, begin, end)
    found = energy_of(design, analyse(design), activity, voltage=2.0, period=PERIOD)
    return {kind: sum(float(e.kinds[kind].sum()) for e in found) for kind in KINDS}


def ring(library, count):
    """Flip-flops in a ring, each fed by the one before, the first through an inverter."""
    q = list(range(10, 10 + count))
    cells = {f"f{k}": ("DFF", {"CK": 2, "D": q[k - 1], "Q": q[k]}) for k in range(1, count)}
    cells["f0"] = ("DFF", {"CK": 2, "D": 9, "Q": q[0]})
    cells["inv"] = ("INV", {"A": q[-1], "Y": 9})
    names = {f"q{k}": net for k, net in enumerate(q)}
    return netlist(library, {"clk": ("input", [2])}, cells, names)


def states_of(design, waves):
    """States of nets by name, of the shape that ``evaluate`` takes."""
    clocks = len(next(iter(waves.values())))
    states = np.zeros((design.nets, clocks), dtype=bool)
    for name, bits in waves.items():
        states[design.net_names.index(name)] = bits
    return states


def test_ring_by_hand(library):
    count, clocks = 4, 80
    design = ring(library, count)
    # A Johnson counter: each output has a period of twice as many clocks as there are flip-flops.
    waves = {
        f"q{k}": [(t - k) % (2 * count) < count for t in range(clocks + 1)] for k in range(count)
    }
    found = measured(design, states_of(design, waves), 1, clocks + 1)
    edges = clocks // count  # of each output; half of them are rises
    changes = edges * count  # of all outputs together: one a clock
    # On a rise of the clock those flip-flops differ from their input that are about to change, on
    # its fall those that will change at the next.
    will = changes
    next_changes = sum(
        waves[f"q{k}"][t] != (waves[f"q{k - 1}"][t] if k else not waves[f"q{count - 1}"][t])
        for t in range(1, clocks + 1)
        for k in range(count)
    )
    same = count * clocks
    assert found["clock"] == pytest.approx(
        same * 6 * SQUARE
        + will * 11
        + (same - will) * 17
        + next_changes * 13
        + (same - next_changes) * 19
    )
    # Each change costs 3 or 5 at the output, and 1 or 2 at the input that it drives.
    assert found["flip_flop"] == pytest.approx(changes / 2 * (3 + 5) + changes / 2 * (1 + 2))
    assert found["logic"] == pytest.approx(edges / 2 * (3 + 5))
    # Three outputs drive a data pin of 1 fF, one the inverter's 2 fF, which drives 1 fF.
    charge = 3 * 1 + 2 + 1
    assert found["switching"] == pytest.approx(edges * charge * SQUARE / 2)
    assert found["leakage"] == pytest.approx((count * 20 + 7) * PERIOD * clocks * 1e-3)


def test_no_activity_is_leakage_and_clock_only(library):
    design = netlist(
        library,
        {"a": ("input", [2]), "b": ("input", [3]), "y": ("output", [5])},
        {"n": ("NAND2", {"A": 2, "B": 3, "Y": 4}), "i": ("INV", {"A": 4, "Y": 5})},
    )
    states = states_of(design, {"a": [True] * 101, "b": [True] * 101})
    found = measured(design, states, 1, 101)
    assert {kind for kind, energy in found.items() if energy} == {"leakage"}
    assert found["leakage"] == pytest.approx((4 + 7) * PERIOD * 100 * 1e-3)
    # Where A is 0 the NAND leaks 10, where no condition holds 6.
    states = states_of(design, {"a": [False] * 101, "b": [True] * 101})
    assert measured(design, states, 1, 101)["leakage"] == pytest.approx((10 + 7) * PERIOD * 0.1)
    states = states_of(design, {"a": [True] * 101, "b": [False] * 101})
    assert measured(design, states, 1, 101)["leakage"] == pytest.approx((6 + 7) * PERIOD * 0.1)


@given(seed=st.integers(0, 1000), clocks=st.integers(2, 200), cut=st.floats(0.01, 0.99))
@settings(max_examples=25, deadline=None)
def test_energy_is_additive_over_time(library, seed, clocks, cut):
    design = ring(library, 5)
    rng = np.random.default_rng(seed)
    states = states_of(design, {f"q{k}": rng.random(clocks + 1) < 0.5 for k in range(5)})
    middle = min(max(2, round(cut * clocks)), clocks)
    whole = measured(design, states, 1, clocks + 1)
    parts = [measured(design, states, 1, middle), measured(design, states, middle, clocks + 1)]
    for kind in KINDS:
        assert whole[kind] == pytest.approx(parts[0][kind] + parts[1][kind])


@given(seed=st.integers(0, 1000), clocks=st.integers(1, 150))
@settings(max_examples=25, deadline=None)
def test_gates_clock_by_clock(library, seed, clocks):
    """A NAND and what it drives, with the rule for shared causes applied edge by edge."""
    design = netlist(
        library,
        {"a": ("input", [2]), "b": ("input", [3]), "y": ("output", [5])},
        {"n": ("NAND2", {"A": 2, "B": 3, "Y": 4}), "i": ("INV", {"A": 4, "Y": 5})},
    )
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, clocks + 1)) < 0.5
    found = measured(design, states_of(design, {"a": a, "b": b}), 1, clocks + 1)
    logic = switching = leakage = 0.0
    for t in range(1, clocks + 1):
        nand, before = not (a[t] and b[t]), not (a[t - 1] and b[t - 1])
        if nand != before:
            logic += 3 + 5  # the inverter goes the other way
            switching += 2 * SQUARE / 2  # the inverter's pin; its own output drives nothing
        leakage += 4 if a[t] and b[t] else 10 if not a[t] else 6
        leakage += 7
    assert found["logic"] == pytest.approx(logic)
    assert found["switching"] == pytest.approx(switching)
    assert found["leakage"] == pytest.approx(leakage * PERIOD * 1e-3)
