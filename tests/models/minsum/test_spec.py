import re
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from minsum_designs import block_specs, code_spec, matrix_spec, random_frames, specs

from gatesmith.models.codes import code
from gatesmith.models.errors import UserError
from gatesmith.models.frames import Field
from gatesmith.models.minsum import MinSumSpec, golden
from gatesmith.models.store import read_store, write_store

MATRIX = np.array([[1, 1, 0, 1], [0, 1, 1, 1]])
SPEC = matrix_spec(MATRIX)
EDGES = SPEC.edge_variable
RING = matrix_spec(np.roll(np.eye(6, dtype=int), 1, axis=1) + np.eye(6, dtype=int), lifting=6)

NO_SRAM = "flipflop unless the schedule is layered and the lifting above 1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variables": 0}, "Variables must be between 1 and 65536, not 0"),
        ({"checks": 70_000}, "Checks must be between 1 and 65536, not 70000"),
        ({"message_bits": 2}, "Message bits must be between 3 and 8, not 2"),
        ({"message_bits": 9}, "Message bits must be between 3 and 8, not 9"),
        ({"message_bits": 5.0}, "Message bits must be between 3 and 8, not 5.0"),
        ({"iterations": True}, "Iterations must be between 1 and 1024, not True"),
        ({"iterations": 0}, "Iterations must be between 1 and 1024, not 0"),
        ({"scale_bits": 0}, "Scale bits must be between 1 and 8, not 0"),
        ({"llr_step_den": 0}, "Llr step den must be between 1 and 65536, not 0"),
        ({"stages": 3}, "Stages must be between 1 and 2, not 3"),
        ({"update": "sum"}, "Update must be one of plain, offset, normalised, not 'sum'"),
        ({"schedule": "random"}, "Schedule must be one of flooding, layered, not 'random'"),
        ({"memory": "rom"}, "Memory must be one of flipflop, sram, not 'rom'"),
        ({"outputs": "soft"}, "Outputs must be one of word, information, not 'soft'"),
        ({"early_stop": 1}, "Early stop must be yes or no, not 1"),
        ({"posteriors": None}, "Posteriors must be yes or no, not None"),
        ({"edge_variable": EDGES * 1.0}, "Edge variable must be integers, not 'float64'"),
        ({"edge_variable": EDGES[None]}, "Edge variable must be of 1 axes, not (1, 6)"),
        ({"edge_variable": EDGES[:5]}, "Edge variable must be of 6 edges, not 5"),
        ({"edge_variable": EDGES + 1}, "Edge variable must be between 0 and 3, not [4]"),
        ({"edge_check": EDGES * 0 - 1}, "Edge check must be between 0 and 1, not [-1]"),
        ({"edge_check": EDGES + np.int64(1 << 40)}, "Edge check must be between -2147483648 and"),
        (
            {"edge_check": EDGES[:0], "edge_variable": EDGES[:0]},
            "Edges must be at least 1, not 0",
        ),
        (
            {"edge_variable": np.array([0, 3, 1, 1, 2, 3])},
            "Edges must ascend by check and, within it, by variable, not as edge 2 does",
        ),
        (
            {"edge_variable": np.array([0, 1, 1, 1, 2, 3])},
            "Edges must ascend by check and, within it, by variable, not as edge 2 does",
        ),
        ({"checks": 3}, "Every check must have an edge, but check 2 has none"),
        ({"variables": 5}, "Every variable must have an edge, but variable 4 has none"),
        ({"lifting": 2}, "Lifting must be 1 unless all blocks are sums of cyclic shifts, not 2"),
        ({"information": np.array([4])}, "Information must be between 0 and 3, not [4]"),
        ({"information": np.array([1, 1])}, "Information must be distinct variables, not [1, 1]"),
        (
            {"information": EDGES[:0], "outputs": "information"},
            "Information must be at least 1 bit for outputs of information, not 0",
        ),
        ({"parameters": np.array([1])}, "Parameters must be of 2 axes, not (1,)"),
        ({"parameters": np.ones((2, 1), int)}, "Times of parameters must be 1 or the 3 iterations"),
        ({"parameters": np.ones((1, 0), int)}, "Columns of parameters must be at least 1, not 0"),
        ({"parameters": np.array([[16]])}, "Parameters must be between 0 and 15, not [16]"),
        ({"parameters": np.array([[0.5]])}, "Parameters must be integers, not 'float64'"),
        (
            {"update": "normalised", "parameters": np.array([[32]])},
            "Parameters must be between 0 and 31, not [32]",
        ),
        (
            {"update": "plain", "parameters": np.array([[1]])},
            "Parameters must be one 0 for the plain update, not [[1]]",
        ),
        ({"groups": EDGES * 0 + 1}, "Groups must be between 0 and 0, not [1]"),
        ({"groups": EDGES[:2] * 0}, "Groups must be of 6 edges, not 2"),
        ({"llrs_per_beat": 13}, "Llrs per beat must be at most 12 of 5 bits, not 13"),
        ({"llrs_per_beat": 65}, "Llrs per beat must be between 1 and 64, not 65"),
        ({"bits_per_beat": 65}, "Bits per beat must be between 1 and 64, not 65"),
        ({"rows_per_clock": 3}, "Rows per clock must be at most the 2 checks, not 3"),
        ({"name": "wire"}, "Name must be a Verilog identifier, no keyword and not tb or gate"),
    ],
)  # fmt: skip
def test_rejects(change, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        replace(SPEC, **change)


def test_rejects_rows_that_do_not_divide_the_lifting():
    message = "^Rows per clock must be a divisor of the lifting 6, not 4$"
    with pytest.raises(UserError, match=message):
        replace(RING, rows_per_clock=4)
    for rows in (1, 2, 3, 6):
        assert replace(RING, rows_per_clock=rows).rows_per_clock == rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schedule": "flooding"}, f"Memory must be {NO_SRAM}, not 'sram'"),
        ({"lifting": 1}, f"Memory must be {NO_SRAM}, not 'sram'"),
        ({"rows_per_clock": 3}, "Rows per clock must be the lifting 6 with memory sram, not 3"),
        (
            {"llrs_per_beat": 7},
            "Llrs per beat must be at most the lifting 6 with memory sram, not 7",
        ),
        ({"posteriors": True}, "Posteriors must be no with memory sram, not 'yes'"),
    ],
)
def test_rejects_with_sram(change, message):
    spec = RING.with_options(schedule="layered", memory="sram")
    with pytest.raises(UserError, match="^" + re.escape(message) + "$"):
        replace(spec, **change)


def test_sram_takes_all_rows_of_a_block():
    spec = RING.with_options(schedule="layered", memory="sram")
    assert (spec.memory, spec.rows_per_clock) == ("sram", 6)
    with pytest.raises(UserError, match="^Rows per clock must be the lifting 6 with"):
        RING.with_options(schedule="layered", memory="sram", rows_per_clock=2)


@given(block_specs())
def test_sram_changes_no_answer(spec):
    plain, frames = spec.with_options(memory="flipflop"), random_frames(spec, 3)
    assert np.array_equal(golden(spec, frames).outputs, golden(plain, frames).outputs)


def test_frames():
    spec = replace(
        SPEC, llrs_per_beat=3, outputs="information", bits_per_beat=1, posteriors=True,
        information=np.array([3, 0]),
    )  # fmt: skip
    assert spec.input_format.fields == (Field(name="llr", count=2, width=15, signed=False),)
    assert spec.output_format.fields == (
        Field(name="iterations", count=1, width=2, signed=False),
        Field(name="satisfied", count=1, width=1, signed=False),
        Field(name="bits", count=2, width=1, signed=False),
        Field(name="posterior", count=4, width=7, signed=True),
    )
    wide = replace(SPEC, message_bits=8, llrs_per_beat=8, bits_per_beat=64)
    assert wide.input_format.data_width == wide.output_format.data_width == 64
    assert wide.input_format.fields[0].signed, "64 bits without a sign do not fit int64"
    assert spec.config_format is None and spec.config_words() is None and spec.weight_port is None


@pytest.mark.parametrize(("degree", "bits"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4)])
def test_width_of_posteriors_is_that_of_their_largest_sum(degree, bits):
    spec = matrix_spec(np.ones((degree, 2), dtype=int))
    assert spec.posterior_bits == 5 + bits
    assert (degree + 1) * spec.most < 1 << 4 + bits


def test_widths_of_iterations():
    for iterations, width in ((1, 1), (2, 2), (3, 2), (4, 3), (1024, 11)):
        spec = replace(SPEC, iterations=iterations)
        assert spec.output_format.fields[0].width == width


def test_cyclic_matrices():
    assert code_spec(code("bch-63-36")).cyclic and RING.cyclic
    assert not code_spec(code("ccsds-128-64")).cyclic and not SPEC.cyclic
    flipped = np.fliplr(code("bch-63-36").matrix())
    assert not matrix_spec(flipped).cyclic, "moved on the other way"


@settings(max_examples=50)
@given(specs())
def test_round_trip(tmp_path_factory, spec):
    path = tmp_path_factory.mktemp("spec") / "spec.safetensors"
    spec.save(path)
    again = MinSumSpec.load(path)
    for field in fields(MinSumSpec):
        before, after = getattr(spec, field.name), getattr(again, field.name)
        assert np.array_equal(before, after) and type(before) is type(after), field.name
        assert not isinstance(before, np.ndarray) or before.dtype == after.dtype
    frames = random_frames(spec, 3)
    assert np.array_equal(golden(again, frames).outputs, golden(spec, frames).outputs)
    first = path.read_bytes()
    again.save(path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("missing", ["family", "iterations", "edge_check"])
def test_load_rejects_what_is_no_spec(tmp_path, missing):
    path = tmp_path / "spec.safetensors"
    SPEC.save(path)
    meta, arrays = read_store(path, "gatesmith-spec")
    meta.pop(missing, None)
    arrays.pop(missing, None)
    meta = {key: value for key, value in meta.items() if key not in ("format", "version")}
    write_store(path, "gatesmith-spec", meta, arrays)
    with pytest.raises(UserError, match=f"^{path}: not the Spec of a min-sum decoder: .*{missing}"):
        MinSumSpec.load(path)


def test_options():
    spec = SPEC.with_options(
        schedule="layered", rows_per_clock=2, early_stop="no", llrs_per_beat=4,
        outputs="information", posteriors=1, bits_per_beat=3, name="chip",
    )  # fmt: skip
    assert (spec.schedule, spec.rows_per_clock) == ("layered", 2)
    assert (spec.early_stop, spec.posteriors, spec.outputs) == (False, True, "information")
    assert (spec.llrs_per_beat, spec.bits_per_beat, spec.name) == (4, 3, "chip")
    same = spec.with_options()
    assert all(np.array_equal(getattr(same, f.name), getattr(spec, f.name)) for f in fields(spec))
    with pytest.raises(UserError, match="^Posteriors must be yes or no, not 'maybe'$"):
        spec.with_options(posteriors="maybe")
    with pytest.raises(UserError, match="^Iterations must be between 1 and 1024, not 'many'$"):
        spec.with_options(iterations="many")


def test_more_iterations_use_the_last_parameters_and_fewer_the_first():
    spec = matrix_spec(MATRIX, 3, tying="edge", iterations=3, early_stop=False)
    longer, shorter = spec.with_options(iterations=5), spec.with_options(iterations=2)
    assert np.array_equal(longer.parameters[:3], spec.parameters)
    assert np.array_equal(longer.parameters[3:], spec.parameters[[2, 2]])
    assert np.array_equal(shorter.parameters, spec.parameters[:2])
    one = SPEC.with_options(iterations=9)
    assert np.array_equal(one.parameters, SPEC.parameters) and one.iterations == 9


def test_options_of_the_hardware_do_not_change_what_is_decoded():
    spec = matrix_spec(MATRIX, tying="edge", early_stop=False)
    frames = random_frames(spec, 20)
    right = golden(spec, frames).outputs
    for options in ({"stages": 2}, {"llrs_per_beat": 1}, {"name": "other"}):
        assert np.array_equal(golden(spec.with_options(**options), frames).outputs, right)
    layered = spec.with_options(schedule="layered", rows_per_clock=2)
    assert np.array_equal(golden(layered, frames).outputs, right), "all rows at once: flooding"


def test_options_of_the_other_schedule_are_refused():
    spec = SPEC.with_options(schedule="flooding")
    with pytest.raises(UserError, match="^Rows per clock must be 1 for flooding, not 2: add sched"):
        spec.with_options(rows_per_clock=2)
    with pytest.raises(UserError, match="^Stages must be 1 for layered, not 2$"):
        spec.with_options(schedule="layered", stages=2)
    assert spec.with_options(schedule="layered", rows_per_clock=2).rows_per_clock == 2
