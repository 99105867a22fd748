"""The golden model against the decoder of Sionna, which nobody here wrote: every posterior."""

from functools import cache

import numpy as np
import pytest
from minsum_designs import code_spec
from minsum_sionna import sionna

from gatesmith.models.codes import code
from gatesmith.models.minsum import decode

FRAMES = 10_000
CODES = {"bch-63-36": 5, "ccsds-128-64": 5, "nr-64-128": 3}  # iterations
LAYERS = {"bch-63-36": (1, 9), "ccsds-128-64": (4, 16), "nr-64-128": (11,)}  # rows at once
the_code = cache(code)


def _llrs(spec, name, count, reach):
    """Uniform small LLRs with many zeros, and noisy code words in small steps; a half each."""
    rng = np.random.default_rng(7)
    llrs = rng.integers(-reach, reach, (count, spec.variables), endpoint=True)
    half = count // 2
    sent = the_code(name).encode(rng.integers(0, 2, (half, the_code(name).k)))
    noisy = (1 - 2.0 * sent) * reach / 2 + rng.normal(0, reach / 2.5, sent.shape)
    llrs[:half] = np.clip(np.rint(noisy), -reach, reach)
    return llrs


def _equal(name, count, reach, saturate=False, precision="double", **options):
    """Compare all frames whose messages do not saturate, or all of them; how many those were."""
    values = dict(message_bits=8, early_stop=False, iterations=CODES[name]) | options
    spec = code_spec(the_code(name), **values)
    llrs = _llrs(spec, name, count, reach)
    wanted, largest = sionna(spec, llrs, saturate=saturate, precision=precision)
    found = decode(spec, llrs).posteriors
    sound = largest <= spec.most
    assert np.array_equal(found[sound], wanted[sound])
    if saturate:
        assert np.array_equal(found, wanted)
    return int(sound.sum())


@pytest.mark.parametrize("update", ["offset", "plain"])
@pytest.mark.parametrize("name", CODES)
def test_flooding_equals_sionna(name, update):
    """Messages so wide and LLRs so small that nothing saturates, which Sionna itself proves."""
    sound = _equal(name, 500, 2, update=update)
    assert sound >= 490 or update == "plain"


@pytest.mark.parametrize(("name", "rows"), [(k, r) for k in CODES for r in LAYERS[k]])
def test_layered_equals_sionna(name, rows):
    assert _equal(name, 100, 2, iterations=2, schedule="layered", rows_per_clock=rows) >= 98


@pytest.mark.slow
@pytest.mark.parametrize("name", CODES)
def test_flooding_equals_sionna_on_many_frames(name):
    assert _equal(name, FRAMES + 200, 2) >= FRAMES


@pytest.mark.slow
@pytest.mark.parametrize("name", CODES)
def test_layered_equals_sionna_on_many_frames(name):
    """In single precision: a 5G code has 42 layers, for each of which Sionna sums all messages."""
    sound = _equal(
        name, FRAMES + 200, 2, iterations=2, schedule="layered", rows_per_clock=LAYERS[name][-1],
        precision="single",
    )  # fmt: skip
    assert sound >= FRAMES


@pytest.mark.parametrize("message_bits", [3, 4, 5, 6])
@pytest.mark.parametrize("name", ["bch-63-36", "ccsds-128-64"])
@pytest.mark.parametrize("schedule", ["flooding", "layered"])
def test_saturated_messages_equal_those_that_sionna_clamps(schedule, name, message_bits):
    for update in ("offset", "plain"):
        sound = _equal(
            name, 200, (1 << message_bits - 1) - 1, True, message_bits=message_bits,
            update=update, schedule=schedule, rows_per_clock=the_code(name).lifting,
        )  # fmt: skip
    assert sound < 200, "some saturate"
