"""Where min-sum decoders go wrong, each with a test of the integer model.

Of the twelve pitfalls that are known, five belong to training and measuring, and are tested there:
the objective that lowers bit errors and raises frame errors (7; that frame errors are counted at
all is tested with the answers), iterations that make up for training (8), gradients that explode
(11), rivals that drift (12); and where the learned scale meets the wire (the other half of 6).
"""

from dataclasses import replace

import numpy as np
import pytest
from minsum_designs import code_spec, matrix_spec
from minsum_sionna import sionna

from gatesmith.models.codes import code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum import count_errors, decode, golden, noisy_frames
from gatesmith.models.minsum.golden import llrs_of

BCH = code("bch-63-36")
both_schedules = pytest.mark.parametrize("schedule", ["flooding", "layered"])
every_update = pytest.mark.parametrize("update", ["plain", "offset", "normalised"])


def _llrs(spec, count, reach, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(-reach, reach, (count, spec.variables), endpoint=True)


@both_schedules
def test_1_a_posterior_of_zero_decides_for_bit_0(schedule):
    """Sionna decides for 1, and differs in those bits only."""
    spec = code_spec(BCH, message_bits=8, schedule=schedule, early_stop=False)
    llrs = _llrs(spec, 200, 2)
    found = decode(spec, llrs)
    theirs, largest = sionna(spec, llrs, hard=True)
    ties = found.posteriors == 0
    assert ties.any() and not found.bits[ties].any() and (largest <= spec.most).all()
    assert np.array_equal(found.bits != theirs, ties)


@every_update
@both_schedules
def test_2_other_words_than_zero_are_as_hard_but_for_ties(schedule, update):
    """Turning the signs of a code word's LLRs around turns those of the posteriors, exactly."""
    spec = code_spec(BCH, 5, update=update, schedule=schedule, early_stop=False)
    llrs = _llrs(spec, 300, 15)
    sent = BCH.encode(np.random.default_rng(1).integers(0, 2, (300, BCH.k)))
    signs = 1 - 2 * sent.astype(int)
    zero, random = decode(spec, llrs), decode(spec, llrs * signs)
    assert np.array_equal(random.posteriors, zero.posteriors * signs)
    ties = zero.posteriors == 0
    wrong = random.bits != sent
    assert np.array_equal(wrong != (zero.bits == 1), ties & (sent == 1))


def test_2_the_word_of_zeros_flatters():
    """The same noise with 4 bits: fewer errors when the word is all zero. Frames made here are."""
    spec = code_spec(BCH, message_bits=4, llr_step_num=3, llr_step_den=2, early_stop=False)
    made = noisy_frames(spec, 4000, ebn0_db=5.0, seed=3)
    assert 0.45 < made.sent.mean() < 0.55 and len(np.unique(made.sent, axis=0)) == 4000
    random = count_errors(spec, golden(spec, made.frames).outputs, made.sent)
    llrs = llrs_of(spec, made.frames) * (1 - 2 * made.sent.astype(np.int8))
    zero = int(decode(spec, llrs).bits.sum())
    assert zero < 0.85 * random.bit_errors


@every_update
def test_3_zero_counts_as_positive_or_as_nothing(update):
    """With sign(0) = 0 and the product over the other edges the answers are the same."""
    spec = code_spec(BCH, 3, update=update, iterations=1, early_stop=False)
    llrs = _llrs(spec, 100, 2)
    sent = llrs[:, spec.edge_variable]  # [frames, edges]
    rows = sent.reshape(len(llrs), spec.checks, -1)
    assert (rows == 0).any()
    parameter, most = int(spec.parameters.item()), spec.most
    back = np.zeros_like(rows)
    for edge in range(rows.shape[2]):
        others = np.delete(rows, edge, axis=2)
        size = abs(others).min(axis=2)
        if update == "offset":
            size = np.maximum(size - parameter, 0)
        elif update == "normalised":
            size = np.minimum((size * parameter + 8) >> 4, most)
        back[:, :, edge] = np.sign(others).prod(axis=2) * size
    wanted = llrs.copy()
    np.add.at(wanted.T, spec.edge_variable, back.reshape(sent.shape).T)
    assert np.array_equal(decode(spec, llrs).posteriors, wanted)


def test_3_negative_offsets_are_refused():
    """With them the two rules of the sign of zero would differ."""
    spec = code_spec(BCH)
    with pytest.raises(UserError, match=r"^Parameters must be between 0 and 15, not \[-1\]$"):
        replace(spec, parameters=np.array([[-1]]))


def test_4_equal_minima_send_the_minimum_to_everyone():
    """As the index of the minimum and the second minimum would have it."""
    spec = matrix_spec(np.ones((1, 4), dtype=int), update="plain", iterations=1, early_stop=False)
    llrs = np.array([[3, 3, 7, 9], [3, -3, 3, 9], [2, 3, 3, 9], [0, 0, 5, 5], [0, 4, -5, 5]])
    rows = abs(llrs)
    place = rows.argmin(axis=1)
    ordered = np.sort(rows, axis=1)
    size = np.where(np.arange(4) == place[:, None], ordered[:, 1:2], ordered[:, :1])
    negative = (llrs < 0).sum(axis=1, keepdims=True) - (llrs < 0)
    wanted = llrs + np.where(negative % 2 == 1, -size, size)
    assert np.array_equal(decode(spec, llrs).posteriors, wanted)


@both_schedules
def test_5_offsets_are_subtracted_before_the_sign_and_never_below_zero(schedule):
    """The largest offset erases an edge: what it leads to does not matter for the others."""
    matrix = np.array([[1, 1, 1, 0], [0, 1, 1, 1]])
    spec = matrix_spec(
        matrix, early_stop=False, schedule=schedule, iterations=4, rows_per_clock=1,
        parameters=np.array([[0, 15]]), groups=np.array([0, 0, 0, 1, 1, 1]),
    )  # fmt: skip
    alone = matrix_spec(matrix[:1, :3], early_stop=False, iterations=4, parameters=np.array([[0]]))
    llrs = _llrs(spec, 100, 15)
    found = decode(spec, llrs).posteriors
    assert np.array_equal(found[:, :3], decode(alone, llrs[:, :3]).posteriors)
    assert np.array_equal(found[:, 3], llrs[:, 3])
    for offset in range(16):
        one = replace(alone, parameters=np.array([[offset]]), iterations=1)
        sent = decode(one, np.array([[9, -7, 12]])).posteriors[0] - [9, -7, 12]
        less = [max(7 - offset, 0), max(9 - offset, 0), max(7 - offset, 0)]
        assert sent.tolist() == [-less[0], less[1], -less[2]]


@both_schedules
def test_6_offsets_depend_on_the_scale_of_llrs(schedule):
    """Twice the LLRs are twice the posteriors without offsets; with them, only twice those are."""
    plain = code_spec(BCH, message_bits=8, update="plain", schedule=schedule, iterations=2,
                      early_stop=False)  # fmt: skip
    llrs = _llrs(plain, 100, 1)
    half, whole = decode(plain, llrs).posteriors, decode(plain, 2 * llrs).posteriors
    assert np.array_equal(whole, 2 * half)
    offset = replace(plain, update="offset", parameters=np.array([[1]]))
    llrs = 2 * llrs
    half, whole = decode(offset, llrs).posteriors, decode(offset, 2 * llrs).posteriors
    assert not np.array_equal(whole, 2 * half)
    doubled = replace(offset, parameters=np.array([[2]]))
    assert np.array_equal(decode(doubled, 2 * llrs).posteriors, 2 * half)


@pytest.mark.parametrize("message_bits", range(3, 9))
@both_schedules
def test_9_posteriors_never_saturate_and_messages_do(schedule, message_bits):
    spec = code_spec(
        BCH, update="plain", message_bits=message_bits, schedule=schedule, early_stop=False,
        posteriors=True,
    )  # fmt: skip
    degrees, most = BCH.variable_degrees, spec.most
    found = decode(spec, np.full((1, 63), most)).posteriors[0]
    assert np.array_equal(found, (degrees + 1) * most)
    assert np.array_equal(decode(spec, np.full((1, 63), -most - 1)).bits, np.ones((1, 63)))
    field = spec.output_format.fields[-1]
    assert field.low <= -found.max() and found.max() <= field.high
    # M from the channel and from 12 checks is still M on the way out: one check can undo one.
    back = decode(spec, np.where(np.arange(63) == 31, -most, most)[None]).posteriors[0]
    assert abs(back).max() <= (degrees.max() + 1) * most


@both_schedules
@pytest.mark.parametrize("name", ["bch-63-36", "ccsds-128-64"])
def test_10_the_syndrome_is_that_of_the_decision_after_whole_iterations(name, schedule):
    """Each frame ends at the first iteration after which its decision is a code word."""
    the_code = code(name)
    spec = code_spec(
        the_code, schedule=schedule, rows_per_clock=the_code.lifting, iterations=8,
        llr_step_num=1, llr_step_den=2,
    )  # fmt: skip
    llrs = llrs_of(spec, noisy_frames(spec, 600, ebn0_db=np.resize([2, 4, 8], 600), seed=1).frames)
    found = decode(spec, llrs)
    assert set(range(6)) <= set(found.iterations.tolist()), "none, some and all iterations"
    ended = np.zeros(len(llrs), dtype=bool)
    for time in range(9):
        if time:
            fixed = replace(spec, iterations=time, early_stop=False)
            fixed = decode(fixed, llrs)
            assert (fixed.iterations == time).all()
            posteriors = fixed.posteriors
        else:
            posteriors = llrs
        sound = ~the_code.syndrome((posteriors < 0).astype(np.uint8)).any(axis=1)
        now = ~ended & (sound | (time == 8))
        assert np.array_equal(np.flatnonzero(now), np.flatnonzero(found.iterations == time) if
                              time < 8 else np.flatnonzero(~ended))  # fmt: skip
        assert np.array_equal(found.posteriors[now], posteriors[now])
        assert np.array_equal(found.satisfied[now], sound[now])
        ended |= now
