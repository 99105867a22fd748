import numpy as np
import pytest
from hypothesis import given, settings
from minsum_designs import code_spec, random_frames, specs

from gatesmith.models.codes import code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum import (
    Errors,
    count_errors,
    counters,
    decode,
    golden,
    noisy_frames,
    posteriors,
    predictions,
)
from gatesmith.models.minsum.golden import llrs_of

BCH = code("bch-63-36")


@settings(max_examples=50)
@given(specs())
def test_answers_are_what_was_decoded(spec):
    frames = random_frames(spec, 5)
    outputs = golden(spec, frames).outputs
    decoded = decode(spec, llrs_of(spec, frames))
    chosen = spec.information if spec.outputs == "information" else np.arange(spec.variables)
    found = predictions(spec, outputs)
    assert found.dtype == np.uint8 and np.array_equal(found, decoded.bits[:, chosen])
    assert np.array_equal(counters(spec, outputs)["iterations"], decoded.iterations)
    assert np.array_equal(counters(spec, outputs)["satisfied"], decoded.satisfied)
    if spec.posteriors:
        assert np.array_equal(posteriors(spec, outputs), decoded.posteriors)
    else:
        with pytest.raises(UserError, match="^Posteriors must be in the frames, not 'left out'$"):
            posteriors(spec, outputs)


@pytest.mark.parametrize("outputs", ["word", "information"])
def test_errors_are_counted_among_the_bits_that_go_out(outputs):
    spec = code_spec(BCH, outputs=outputs, llr_step_den=2)
    made = noisy_frames(spec, 500, ebn0_db=4.0, seed=2)
    words = golden(spec, made.frames).outputs
    found = count_errors(spec, words, made.sent)
    bits, wrong, frames, undetected = 0, 0, 0, 0
    for number in range(500):
        sent = made.sent[number, spec.out_variables].tolist()
        got = predictions(spec, words)[number].tolist()
        different = sum(a != b for a, b in zip(sent, got, strict=True))
        bits += len(sent)
        wrong += different
        frames += different > 0
        undetected += different > 0 and words[number, 1] == 1
    assert found == Errors(
        frames=500, bits=bits, bit_errors=wrong, frame_errors=frames, undetected=undetected
    )
    assert 0 < frames < 500
    assert found + found == count_errors(
        spec, np.concatenate([words] * 2), np.concatenate([made.sent] * 2)
    )


def test_a_wrong_code_word_is_an_undetected_error():
    spec = code_spec(BCH)
    zero = np.zeros((1, 63), dtype=np.uint8)
    other = BCH.encode(np.eye(1, 36, dtype=np.uint8))
    outputs = golden(spec, noisy_frames(spec, 1, ebn0_db=90.0, seed=1).frames).outputs
    sent = predictions(spec, outputs)
    assert count_errors(spec, outputs, sent).frame_errors == 0
    wrong = count_errors(spec, outputs, sent ^ other)
    assert (wrong.undetected, wrong.bit_errors) == (1, int(other.sum())) and not zero.any()


def test_rejects_words_sent():
    spec = code_spec(BCH, outputs="information")
    outputs = np.zeros((2, spec.output_format.words), dtype=int)
    with pytest.raises(UserError, match=r"^Words sent must have shape \(2, 63\), not \(2, 36\)$"):
        count_errors(spec, outputs, np.zeros((2, 36), dtype=np.uint8))
