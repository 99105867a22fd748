"""The Verilog of whole decoders: equal to the golden model, clean, and without multipliers."""

import pytest
from equality import differs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from minsum_designs import random_frames, specs

from gatesmith.families import FAMILIES

FAMILY = FAMILIES["minsum"]

tmp_path_is_fine = HealthCheck.function_scoped_fixture
HAMMING = [[1, 1, 0, 1, 1, 0, 0], [1, 0, 1, 1, 0, 1, 0], [0, 1, 1, 1, 0, 0, 1]]


def check_equal(spec, stall, folder, count=8, simulator="icarus"):
    frames = random_frames(spec, count)
    assert not differs(FAMILY.verilog(spec), spec, frames, folder, simulator, stall=stall)


@settings(max_examples=6, suppress_health_check=[tmp_path_is_fine])
@given(specs(), st.sampled_from([0.0, 0.3, 0.7]))
def test_verilog_matches_golden(tmp_path, spec, stall):
    check_equal(spec, stall, tmp_path)


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[tmp_path_is_fine])
@given(specs(), st.sampled_from([0.0, 0.3, 0.7]))
def test_verilog_matches_golden_at_length(tmp_path, spec, stall):
    check_equal(spec, stall, tmp_path)
