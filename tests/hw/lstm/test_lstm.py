"""The Verilog of whole LSTMs: equal to the golden model, clean, and without multipliers."""

import subprocess
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from equality import differs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lstm_designs import random_frames, random_spec, specs
from lstm_reference import entries

from gatesmith.families import FAMILIES
from gatesmith.flows.silicon.mapping import cells_of
from gatesmith.models.frames import PAD
from gatesmith.models.lstm.layer import KINDS
from gatesmith.models.lstm.layout import sum_width

FAMILY = FAMILIES["lstm"]


def check_equal(spec, stall, folder):
    frames = random_frames(spec, 6)
    assert not differs(FAMILY.verilog(spec), spec, frames, folder, stall=stall)


def check_clean(spec, folder):
    path = folder / "clean.v"
    path.write_text(FAMILY.verilog(spec))
    for command in (
        ["iverilog", "-g2005", "-Wall", "-o", str(folder / "out"), str(path)],
        ["verilator", "--lint-only", str(path)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


tmp_path_is_fine = HealthCheck.function_scoped_fixture


@settings(max_examples=10, suppress_health_check=[tmp_path_is_fine])
@given(specs(most=2), st.sampled_from([0.0, 0.3, 0.7]))
def test_verilog_matches_golden(tmp_path, spec, stall):
    check_equal(spec, stall, tmp_path)


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[tmp_path_is_fine])
@given(specs(), st.sampled_from([0.0, 0.3, 0.7]))
def test_verilog_matches_golden_at_length(tmp_path, spec, stall):
    check_equal(spec, stall, tmp_path)
    check_clean(spec, tmp_path)


def test_one_step_at_a_time_is_the_whole(tmp_path):
    """The final state of a frame, put into the next, continues the sequence.

    So the states and cells that the Verilog sends are those of every step.
    """
    spec = random_spec(3, (6, 8, 4, 3), state=True, every_step=True, steps=5, batch=2)
    golden, layout = FAMILY.models.golden, spec.input_format
    whole = layout.random(np.random.default_rng(1), 8)
    whole = whole[layout.repetitions(whole) == spec.steps][:1]
    states = layout.length(0) - 1
    each = layout.length(1) - layout.length(0)
    answers, singles, state = [], [], whole[:, 1 : 1 + states]
    for step in range(spec.steps):
        frame = np.full_like(whole, PAD)
        frame[:, 0], frame[:, 1 : 1 + states] = 0, state
        place = 1 + states + step * each
        frame[:, 1 + states : 1 + states + each] = whole[:, place : place + each]
        singles.append(frame)
        out = golden(spec, frame).outputs
        length = spec.output_format.lengths(out)[0]
        answers.append(out[:, : length - 3 - states])
        state = out[:, length - 3 - states : length - 3]
    at_once = golden(spec, whole).outputs
    assert np.array_equal(np.concatenate([*answers, state], axis=1), at_once[:, :-3])
    frames = np.concatenate([whole, *singles])
    assert not differs(FAMILY.verilog(spec), spec, frames, tmp_path)


def fill(frames, first, value):
    """All words from the first on, whatever the length of the frame."""
    frames[:, first:] = np.where(frames[:, first:] == PAD, PAD, value)


def corner(name):
    """A design and frames that drive it into a corner."""
    base = random_spec(11, (6, 8, 3), state=True, steps=4, offset_bits=1, threshold=0)
    layer = base.layers[0]
    zero, most = np.zeros_like(layer.bias), np.full_like(layer.bias, 2047)
    frames = random_frames(base, 4, seed=2)
    first, cells = 1, layer.hidden
    step = first + 2 * cells
    if name == "all states zero":  # nothing passes the greatest threshold
        return replace(base, layers=(replace(layer, threshold=127),)), frames
    if name == "no state zero":  # every gate is open
        layer = replace(layer, scale_x=zero, scale_h=zero, bias=most)
        return replace(base, layers=(layer,)), frames
    if name == "cell saturates":
        frames[:, first + cells : step] = np.resize([32767, -32768], cells)
        layer = replace(layer, scale_x=zero, scale_h=zero, bias=most)
        return replace(base, layers=(layer,)), frames
    if name == "longest run of zeros":
        frames[:, : first + cells] = 0
        fill(frames, step, 0)
        return base, frames
    assert name == "greatest sums"
    base = random_spec(11, (8, 8, 3), kind="int12", state=True, steps=4, scale_bits=16, shift=29)
    frames = random_frames(base, 4, seed=2)
    frames[:, : first + cells] = -128
    frames[:, 0] = 1
    fill(frames, step, -128)
    weights = np.where(np.arange(4 * cells) % 2, 2047, -2047)[:, None].repeat(cells, axis=1)
    scales = np.full_like(layer.scale_h, 32767)
    layer = replace(
        base.layers[0], weight_x=weights, weight_h=weights, scale_x=scales, scale_h=scales
    )
    bias = np.array([(1 << 30) - 1, 1 - (1 << 30), 0])
    head = replace(base.head, weight=weights[:3], bias=bias)
    return replace(base, layers=(layer,), head=head), frames


def fillers(spec, vector):
    """Entries of zeros that stand only because the offset before them can count no further."""
    found = entries([(int(value),) for value in vector], spec.offset_bits, False)
    return [place for place, (_, values, last) in enumerate(found) if not (any(values) or last)]


def spans(spec, sums):
    """Whether sums go both ways, so far that a bit less would not hold them."""
    least = 1 << sum_width(spec) - 2
    return bool(sums.max() >= least and sums.min() < -least)


CORNERS = [
    "all states zero", "no state zero", "cell saturates", "longest run of zeros", "greatest sums",
]  # fmt: skip


@pytest.mark.parametrize("name", CORNERS)
def test_corner(tmp_path, name):
    spec, frames = corner(name)
    trace, layer = FAMILY.models.trace(spec, frames)[0], spec.layers[0]
    running = trace.cells[:, 0]
    states = frames[:, 1 : 1 + layer.hidden]
    inputs = frames[:, 1 + 2 * layer.hidden :][:, : layer.inputs]
    lists = [states[0, lane :: spec.elementwise] for lane in range(spec.elementwise)]
    reached = {
        "all states zero": not trace.states.any(),
        "no state zero": bool(trace.states[:, 0].all()),
        "cell saturates": bool((running == 32767).any()),
        "longest run of zeros": all(fillers(spec, vector) for vector in (inputs[0], *lists)),
        "greatest sums": spans(spec, inputs @ layer.weight_x.T)
        and spans(spec, states @ layer.weight_h.T),
    }
    assert reached[name]
    assert not differs(FAMILY.verilog(spec), spec, frames, tmp_path, stall=0.3)


@pytest.mark.parametrize("memory", ["rom", "sram", "stream"])
def test_many_frames_on_the_compiled_engine(tmp_path, memory):
    spec = random_spec(5, (7, 16, 4), steps=9, batch=2, memory=memory)
    frames = random_frames(spec, 300)
    assert not differs(FAMILY.verilog(spec), spec, frames, tmp_path, "cxxrtl", stall=0.3)


def test_dense_mode_gives_the_same_answers():
    spec = random_spec(8, (40, 32, 10), steps=6, lanes=16, elementwise=4)
    frames = random_frames(spec, 20)
    sparse, dense = frames.copy(), frames.copy()
    sparse[:, 0], dense[:, 0] = 0, 1
    golden = FAMILY.models.golden
    few, all_ = golden(spec, sparse).outputs, golden(spec, dense).outputs
    assert np.array_equal(few[:, :-3], all_[:, :-3])
    columns = spec.input_format.repetitions(frames) * (40 + 32) + 32
    assert np.array_equal(few[:, -3] + few[:, -2], columns)
    assert np.array_equal(all_[:, -3], columns) and not all_[:, -2].any()
    assert (few[:, -1] < all_[:, -1]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale_kind", ["integer", "power"])
def test_what_multiplies(kind, scale_kind):
    """Powers of two leave a ternary chip the products of its gates: f c, i g, o tanh(c)."""
    spec = random_spec(6, (5, 2, 3), kind=kind, scale_kind=scale_kind, batch=2, elementwise=1)
    found = cells_of(FAMILY.verilog(spec), spec.name).get("$mul", 0)
    gates = 3 * spec.elementwise
    scales = 2 * 4 * spec.elementwise * (scale_kind == "integer")
    lanes = spec.lanes * spec.batch * kind.startswith("int")
    assert found == gates + scales + lanes


@pytest.mark.parametrize("memory", ["rom", "sram", "stream"])
@pytest.mark.parametrize(
    "options",
    [dict(), dict(one_hot=True, every_step=True, batch=2), dict(sizes=(1, 1, 1), lanes=4,
     elementwise=1), dict(sizes=(4, 4, 8, 5), state=True, norm=True, kind="int8", batch=2),
     dict(sizes=(3, 2, 4, 2), kind=["int12", "binary"], norm=[True, False], shift=[40, 0],
          threshold=[0, 127], wide=True, scale_bits=16)],
    ids=["plain", "symbols", "least", "stacked", "mixed"],
)  # fmt: skip
def test_verilog_is_clean(tmp_path, options, memory):
    check_clean(random_spec(4, memory=memory, **options), tmp_path)


def test_missing_saturation_is_seen(tmp_path):
    spec, frames = corner("cell saturates")
    with mock.patch("gatesmith.hw.lstm.elementwise.saturate", lambda value, bits: value[:bits]):
        text = FAMILY.verilog(spec)
    assert differs(text, spec, frames, tmp_path, brief=True)


def test_symbol_out_of_range_is_dropped(tmp_path):
    spec = random_spec(4, (5, 4, 3), one_hot=True, lanes=4, elementwise=1)
    step = spec.input_format.repeated[0]
    assert (step.width, step.most) == (3, 4)
    # The bench plays such frames, and asks for frame_error and no answer.
    assert not differs(FAMILY.verilog(spec), spec, random_frames(spec, 4), tmp_path)
    # A design that lets them through answers to a frame too many.
    with mock.patch("gatesmith.hw.axi.FrameGuard._above", lambda self, count: iter(())):
        text = FAMILY.verilog(spec)
    assert differs(text, spec, random_frames(spec, 4), tmp_path)


@pytest.mark.parametrize("sizes", [(5, 2, 4, 3), (5, 4, 2, 8, 3)])
def test_layers_of_one_group_beside_longer_ones(tmp_path, sizes):
    """A column of a single word is added to the same sums in every clock."""
    check_equal(random_spec(3, sizes, lanes=8, elementwise=1, threshold=0), 0.0, tmp_path)
