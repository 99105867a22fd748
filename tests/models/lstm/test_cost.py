"""Costs of a Spec: memories as in the Verilog, counts that grow with what they count."""

import numpy as np
import pytest
from lstm_designs import random_spec

from gatesmith.families import FAMILIES
from gatesmith.flows.design import memories
from gatesmith.models.lstm import golden
from gatesmith.models.lstm.cost import features, kind, memory_bits
from gatesmith.models.lstm.examples import examples
from gatesmith.models.lstm.layer import KINDS
from gatesmith.models.lstm.spec import MEMORIES


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"one_hot": True, "batch": 2, "sizes": (1, 2, 1), "steps": 1},
        {"state": True, "batch": 3, "norm": True, "head_kind": "int8"},
        {"packing": "5trits", "sizes": (5, 8, 4, 30), "lanes": 24, "scale_kind": "power"},
    ],
)
def test_memory_bits_are_those_of_the_verilog(options, memory):
    spec = random_spec(1, memory=memory, **options)
    found = dict.fromkeys(("rom", "flipflop", "sram"), 0)
    for entry in memories(FAMILIES["lstm"].verilog(spec), spec.name):
        found[entry.kind] += entry.depth * entry.width
    assert found == {key: bits for key, bits in memory_bits(spec).items() if key != "table"}


def test_counts_have_the_same_names_and_grow_with_the_lanes():
    few = features(random_spec(1, (12, 8, 4), lanes=8))
    many = features(random_spec(1, (12, 8, 4), lanes=16))
    assert list(few) == list(many) == list(features(random_spec(2, memory="sram", one_hot=True)))
    assert all(value >= 0 for value in few.values())
    for name in ("register_bits", "adder_bits", "select_bits"):
        assert many[name] > few[name], name


def test_known_counts():
    """Ternary weights have no multiplier, powers of two no scale that multiplies."""
    plain = features(random_spec(1, (12, 8, 4), lanes=8))
    assert plain["product_bits"] == plain["shift_bits"] == plain["trit_bytes"] == 0
    assert plain["scale_bits"] > 0 and plain["table_cells"] == 2
    power = features(random_spec(1, (12, 8, 4), lanes=8, scale_kind="power"))
    assert power["scale_bits"] == 0 < power["shift_bits"]
    int8 = features(random_spec(1, (12, 8, 4), lanes=8, kind="int8", batch=2))
    assert int8["product_bits"] == 8 * 2 * 8 * 8
    packed = features(random_spec(1, (12, 8, 4), lanes=8, packing="5trits"))
    assert packed["trit_bytes"] == 2 and packed["product_bits"] == 0
    norm = features(random_spec(1, (12, 8, 4), lanes=8, norm=True))
    assert norm["cell_bits"] - plain["cell_bits"] == 2 * 16 * 16
    loaded = features(random_spec(1, (12, 8, 4), lanes=8, memory="sram"))
    assert loaded["rom_terms"] == loaded["memory_bits"] == 0 < loaded["macro_bits"]
    outside = features(random_spec(1, (12, 8, 4), lanes=8, memory="stream"))
    assert 0 < outside["rom_terms"] < plain["rom_terms"]


def test_examples_are_of_all_sorts_and_the_same_twice():
    found = list(examples(24, 1))
    assert {kind(spec) for spec in found} == set(MEMORIES)
    assert {spec.layers[0].kind for spec in found} == set(KINDS)
    assert {spec.layers[0].scale_kind for spec in found} == {"integer", "power"}
    for name in ("one_hot", "every_step", "state"):
        assert {getattr(spec, name) for spec in found} == {False, True}
    again = list(examples(24, 1))
    for one, other in zip(found, again, strict=True):
        frames = one.input_format.random(np.random.default_rng(0), 3)
        assert np.array_equal(golden(one, frames).outputs, golden(other, frames).outputs)
