import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minsum_designs import UPDATES, block_specs, code_spec, matrix_spec, random_frames, specs

from gatesmith.models.codes import code
from gatesmith.models.minsum import faults, golden, made_frames

BCH = code("bch-63-36")


@settings(max_examples=100)
@given(st.one_of(specs(), block_specs()))
def test_faults_keep_the_frames(spec):
    for name, one in faults(spec).items():
        assert one.input_format == spec.input_format, name
        assert one.output_format == spec.output_format, name
        golden(one, random_frames(spec, 2))


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
@pytest.mark.parametrize("update", UPDATES)
def test_faults_show_on_noisy_code_words(update, schedule):
    spec = matrix_spec(
        BCH.matrix(), 1, update=update, tying="edge", schedule=schedule, iterations=5,
        outputs="information",
    )  # fmt: skip
    frames, _ = made_frames(spec, 60, 1)
    right = golden(spec, frames).outputs
    found = faults(spec)
    missed = {name for name, one in found.items() if (golden(one, frames).outputs == right).all()}
    assert missed <= {"parameters: one offset", "parameters: one numerator"}, "one of 2,430"
    named = ["edges", "iterations", "schedule", "early stop", "outputs"]
    named += ["update"] if update == "plain" else ["parameters", "update", "of the iteration"]
    for part in named:
        assert any(part in name for name in found), part


def test_faults_at_the_ends_of_their_ranges():
    spec = code_spec(BCH, 15, iterations=1)
    assert faults(spec)["parameters: one offset"].parameters.tolist() == [[14]]
    assert not any("iterations" in name for name in faults(spec))
    for iterations, other in ((2, 3), (4, 5), (5, 4), (1024, None)):
        found = faults(code_spec(BCH, iterations=iterations))
        assert [one.iterations for name, one in found.items() if "iterations" in name] == [
            other for other in [other] if other
        ]
    spec = code_spec(BCH, 3, update="normalised", scale_bits=1)
    assert faults(spec)["parameters: one numerator"].parameters.tolist() == [[2]]
    full = matrix_spec(np.ones((2, 3), dtype=int))
    assert not any("edges" in name for name in faults(full)), "each check has all variables"
