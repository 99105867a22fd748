import numpy as np
import pytest
from hypothesis import given, settings
from minsum_designs import code_spec, matrix_spec, random_matrix, specs
from minsum_reference import llrs_of as plain_llrs

from gatesmith.families import FAMILIES
from gatesmith.flows.verify import choose_frames
from gatesmith.models.codes import code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum import llr_frames, made_frames, noisy_frames, quantise
from gatesmith.models.minsum.golden import llrs_of

BCH = code("bch-63-36")


@settings(max_examples=50)
@given(specs())
def test_llrs_come_back_out_of_frames(spec):
    shape = (3, spec.variables)
    llrs = np.random.default_rng(1).integers(-spec.most - 1, spec.most, shape, endpoint=True)
    frames = spec.input_format.check(llr_frames(spec, llrs))
    assert [plain_llrs(spec, frame) for frame in frames.tolist()] == llrs.tolist()
    assert np.array_equal(llrs_of(spec, frames), np.maximum(llrs, -spec.most))


def test_quantise():
    """To the nearest step of 3/4, ties to even, and no further than M."""
    spec = code_spec(BCH, llr_step_num=3, llr_step_den=4)
    llrs = np.array([[0.0, 0.37, 0.38, -0.38, 0.375, 1.125, -11.3, -1e9, np.inf, -np.inf]])
    wanted = [[0, 0, 1, -1, 0, 2, -15, -15, 15, -15]]
    assert quantise(spec, llrs).tolist() == wanted
    with pytest.raises(UserError, match="^LLRs must be numbers, not NaN$"):
        quantise(spec, np.array([0.0, np.nan]))


def test_noisy_frames_are_code_words_with_the_noise_that_was_asked_for():
    spec = code_spec(BCH, message_bits=8, llr_step_den=8)
    for ebn0_db in (0.0, 4.0):
        made = noisy_frames(spec, 3000, ebn0_db=ebn0_db, seed=5)
        assert not BCH.syndrome(made.sent).any()
        llrs = llrs_of(spec, made.frames) / 8
        signal = llrs * (1 - 2.0 * made.sent)
        # An LLR has mean 2 / variance = 4 R Eb/N0 and variance 4 / variance.
        mean = 4 * 36 / 63 * 10 ** (ebn0_db / 10)
        assert signal.mean() == pytest.approx(mean, rel=0.02)
        assert signal.var() == pytest.approx(2 * mean, rel=0.03)
    again = noisy_frames(spec, 3000, ebn0_db=4.0, seed=5)
    assert np.array_equal(again.frames, made.frames) and np.array_equal(again.sent, made.sent)
    other = noisy_frames(spec, 3000, ebn0_db=4.0, seed=6)
    assert not np.array_equal(other.frames, made.frames)


def test_noise_may_differ_from_frame_to_frame():
    spec = code_spec(BCH)
    made = noisy_frames(spec, 400, ebn0_db=np.repeat([0.0, 8.0], 200), seed=1)
    wrong = (llrs_of(spec, made.frames) < 0) != made.sent
    assert wrong[:200].mean() > 5 * wrong[200:].mean()


def test_punctured_bits_are_unknown_and_shortened_ones_are_known():
    nr = code("nr-64-128")
    spec = code_spec(nr)
    made = noisy_frames(spec, 50, ebn0_db=3.0, seed=1, code=nr)
    llrs = llrs_of(spec, made.frames)
    assert len(nr.punctured) and not llrs[:, nr.punctured].any()
    assert len(nr.shortened) and (llrs[:, nr.shortened] == spec.most).all()
    assert not made.sent[:, nr.shortened].any() and not nr.syndrome(made.sent).any()
    assert np.count_nonzero(llrs) / 50 > 0.9 * (len(nr.sent) + len(nr.shortened))
    plain = llrs_of(spec, noisy_frames(spec, 50, ebn0_db=3.0, seed=1).frames)
    assert np.count_nonzero(plain[:, nr.punctured]), "a Spec does not know what is punctured"


def test_any_matrix_has_code_words():
    """Rows that depend on others, and a code of the word of zeros alone."""
    for seed in range(20):
        spec = matrix_spec(random_matrix(np.random.default_rng(seed), 6, 8))
        made = noisy_frames(spec, 30, ebn0_db=3.0, seed=1)
        for row in range(spec.checks):
            mine = spec.edge_variable[spec.edge_check == row]
            assert not (made.sent[:, mine].sum(axis=1) % 2).any()
    spec = matrix_spec(np.eye(4, dtype=int))
    assert not noisy_frames(spec, 5, ebn0_db=3.0, seed=1).sent.any()


@pytest.mark.parametrize("ebn0_db", [np.nan, np.inf, 101.0, -1000.0])
def test_rejects_ebn0_db(ebn0_db):
    with pytest.raises(UserError, match="^Eb/N0 must be between -100 and 100 dB, not "):
        noisy_frames(code_spec(BCH), 2, ebn0_db=ebn0_db, seed=1)


def test_rejects_another_code():
    with pytest.raises(UserError, match="^Code 'bch-63-45' must have the matrix of 'minsum'$"):
        noisy_frames(code_spec(BCH), 2, ebn0_db=3.0, seed=1, code=code("bch-63-45"))


def test_verify_sends_noisy_code_words():
    """And what is random or extreme beside them."""
    spec = code_spec(BCH, llrs_per_beat=12)
    frames, source = choose_frames(FAMILIES["minsum"], spec, "bch-63-36", 40, 3, None)
    assert source == "30 noisy code words at 1 to 6 dB, 10 random or extreme"
    assert np.array_equal(frames[:30], made_frames(spec, 30, 3)[0])
    assert frames[38].tolist() == [(1 << 60) - 1] * 6 and not frames[39].any()
    frames, source = choose_frames(FAMILIES["minsum"], spec, None, 1, 3, None)
    assert source == "1 noisy code words at 1 to 6 dB" and frames.shape == (1, 6)
