"""Costs of a Spec: memories as in the Verilog, counts that grow with what they count."""

from dataclasses import replace

import numpy as np
import pytest
from designs import random_spec

from gatesmith.families import FAMILIES
from gatesmith.flows.design import memories
from gatesmith.models.sparse_mlp import examples, features, kind, memory_bits
from gatesmith.models.sparse_mlp.cost import DATAPATHS
from gatesmith.models.sparse_mlp.spec import MEMORIES


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("datapath", DATAPATHS)
@pytest.mark.parametrize("lanes", [1, 3, 9])
def test_memory_bits_are_those_of_the_verilog(datapath, memory, lanes):
    spec = random_spec(lanes, (12, 9, 5), datapath=datapath, memory=memory, lanes=lanes)
    found = dict.fromkeys(("rom", "flipflop", "sram"), 0)
    for entry in memories(FAMILIES["sparse-mlp"].verilog(spec), spec.name):
        found[entry.kind] += entry.depth * entry.width
    assert found == {key: bits for key, bits in memory_bits(spec).items() if key != "table"}


def test_unrolled_counts():
    """A neuron that is always 0 costs nothing, and neither do its adders."""
    spec = random_spec(1, (2, 2, 2), datapath="unrolled", sparsity=0.0, weight_kind="binary")
    assert not any(memory_bits(spec).values()) and kind(spec) == "unrolled, rom"
    few = features(replace(spec, layers=(_biased(spec.layers[0], -(1 << 20)), spec.layers[1])))
    many = features(replace(spec, layers=(_biased(spec.layers[0], 0), spec.layers[1])))
    assert few["sum_bits"] < many["sum_bits"] and few["stage_bits"] == 0 < many["stage_bits"]
    assert features(replace(spec, pipeline=2))["stage_bits"] > features(spec)["stage_bits"]
    narrow = features(random_spec(1, (9, 3), datapath="unrolled", input_bits=1))
    wide = features(random_spec(1, (9, 3), datapath="unrolled", input_bits=3))
    assert narrow["full_adders"] > 0 == wide["full_adders"]
    assert narrow["sum_bits"] < wide["sum_bits"]
    assert narrow["constant"] == narrow["register_bits"] == narrow["adder_bits"] == 0


def _biased(layer, bias):
    return replace(layer, bias=np.full(layer.outputs, bias))


@pytest.mark.parametrize("datapath", DATAPATHS)
def test_counts_have_the_same_names_and_grow_with_the_lanes(datapath):
    few = features(random_spec(1, (12, 8, 4), datapath=datapath, lanes=1))
    many = features(random_spec(1, (12, 8, 4), datapath=datapath, lanes=4))
    assert list(few) == list(many) == list(features(random_spec(2, (3, 2))))
    assert all(value >= 0 for value in few.values())
    for name in ("register_bits", "adder_bits", "select_bits", "compare_bits", "xors"):
        assert many[name] > few[name], name


def test_known_counts():
    """A dense layer has no LFSR; int8 weights have partial products, others have none."""
    dense = features(random_spec(1, (8, 4), sparsity=0.0, weight_kind="int8", lanes=2))
    assert dense["xors"] == dense["table_terms"] == 0
    assert dense["product_bits"] == 2 * 8 * 4
    sparse = features(random_spec(1, (8, 4), leap=1, lanes=2, width=8))
    # Four taps of a step of the LFSR: three XORs a lane. Two banks of eight words of four bits.
    assert sparse["xors"] == 2 * 3 and sparse["product_bits"] == 0
    assert sparse["memory_bits"] == 2 * 8 * 4


def test_macros_cost_no_memory_cells():
    spec = random_spec(1, (8, 4), memory="sram", lanes=2)
    found = features(spec)
    assert found["memory_bits"] == found["rom_terms"] == 0 and found["macro_bits"] > 0
    assert kind(spec) == "gate, sram"
    assert kind(replace(spec, datapath="index", memory="rom")) == "index, rom"


def test_examples_are_the_same_every_time_and_of_every_kind():
    first, second = list(examples(8, 3)), list(examples(8, 3))
    assert [features(spec) for spec in first] == [features(spec) for spec in second]
    assert len({kind(spec) for spec in first}) == 7
    for one, other in zip(first, second, strict=True):
        for a, b in zip(one.layers, other.layers, strict=True):
            assert np.array_equal(a.weights, b.weights) and np.array_equal(a.seeds, b.seeds)
