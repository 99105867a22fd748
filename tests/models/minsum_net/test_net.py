"""The net: what it computes, and that its Spec computes the same."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatesmith.models.codes import Code, bch, code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum.decoding import decode
from gatesmith.models.minsum.inputs import quantise
from gatesmith.models.minsum_net import MinSumConfig, MinSumDecoder, lower
from gatesmith.models.minsum_net.channel import draw
from gatesmith.models.minsum_net.config import TYINGS

SMALL = bch(15, 7)


def net_of(graph=SMALL, **values):
    return MinSumDecoder(MinSumConfig(code=graph.name, **values), graph).eval()


def noisy(graph, frames=200, ebn0=3.0, seed=1):
    return draw(graph, ebn0, frames, np.random.default_rng(seed)).llr


def check_equal(net, llr, **options):
    """Posteriors, iterations and syndromes of the net are those of the golden model of its Spec."""
    for early in (False, True):
        spec = lower(net, early_stop=early, **options)
        golden = decode(spec, quantise(spec, llr).T)
        found = net.decode(torch.from_numpy(llr), early)
        assert np.array_equal(golden.posteriors.T, found.posterior.numpy())
        assert np.array_equal(golden.bits.T, found.bits.numpy())
        assert np.array_equal(golden.iterations, found.iterations.numpy())
        assert np.array_equal(golden.satisfied, found.satisfied.numpy())


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
@pytest.mark.parametrize("tying", TYINGS)
@pytest.mark.parametrize("update", ["plain", "offset", "normalised"])
def test_equals_golden(update, tying, schedule):
    for bits in (3, 5, 8):
        net = net_of(update=update, tying=tying, schedule=schedule, message_bits=bits, spread=0.7)
        check_equal(net, noisy(SMALL))


@pytest.mark.parametrize("name", ["bch-63-36", "ccsds-128-64", "wifi-648-r12"])
def test_equals_golden_of_a_real_code(name):
    graph = code(name)
    for schedule in ("flooding", "layered"):
        net = net_of(graph, tying="iteration", schedule=schedule, spread=0.4, llr_step=0.5)
        check_equal(net, noisy(graph, 50))


@st.composite
def matrices(draw_):
    """Small matrices without empty rows or columns; rows of degree 1 and dependent ones come."""
    rows, columns = draw_(st.integers(1, 6)), draw_(st.integers(2, 9))
    seed = draw_(st.integers(0, 1 << 20))
    random = np.random.default_rng(seed)
    matrix = (random.random((rows, columns)) < draw_(st.floats(0.1, 0.9))).astype(np.uint8)
    matrix[random.integers(rows, size=columns), np.arange(columns)] = 1
    matrix[np.arange(rows), random.integers(columns, size=rows)] = 1
    return matrix, random


@settings(max_examples=40, deadline=None)
@given(
    matrices(),
    st.sampled_from(["plain", "offset", "normalised"]),
    st.sampled_from(TYINGS),
    st.sampled_from(["flooding", "layered"]),
    st.integers(3, 8),
    st.integers(1, 4),
)
def test_equals_golden_of_any_matrix(found, update, tying, schedule, bits, iterations):
    matrix, random = found
    graph = Code.from_matrix(matrix)
    rows = int(random.integers(1, graph.m + 1)) if schedule == "layered" else None
    net = net_of(
        graph, update=update, tying=tying, schedule=schedule, message_bits=bits, rows=rows,
        iterations=iterations, spread=1.0, seed=int(random.integers(1 << 20)),
    )  # fmt: skip
    check_equal(net, (6 * random.standard_normal((graph.n, 30))).astype(np.float32))


def test_training_computes_what_evaluation_does():
    """The quantiser is in the loop: training's last posteriors are the chip's, times the step."""
    for update in ("offset", "normalised"):
        net = net_of(update=update, spread=0.5)
        llr = torch.from_numpy(noisy(SMALL))
        last = net(llr)
        assert torch.equal(net.train()(llr)[-1], net.config.llr_step * last)


def test_plain_is_offset_zero_and_factor_one():
    llr = torch.from_numpy(noisy(SMALL))
    plain = net_of(update="plain")(llr)
    zero = {"positivity": "relu", "tying": "scalar"}
    assert torch.equal(plain, net_of(update="offset", start=0.0, **zero)(llr))
    assert torch.equal(plain, net_of(update="normalised", start=1.0, **zero)(llr))


def test_tie_goes_to_bit_zero():
    """Pitfall 1: a posterior of 0 is bit 0."""
    found = net_of().decode(torch.zeros(15, 1))
    assert not found.posterior.any() and not found.bits.any() and found.satisfied.all()


def test_codeword_symmetry_but_for_ties():
    """Pitfall 2: posteriors turn with the word, so all-zero words differ in ties alone.

    Those all fall to the right bit of the all-zero word.
    """
    random = np.random.default_rng(3)
    net = net_of(message_bits=3, llr_step=1.5)
    channel = 1.5 * torch.from_numpy(random.integers(-3, 4, (15, 400)).astype(np.float32))
    words = SMALL.encode(random.integers(0, 2, (400, SMALL.k))).T
    signs = torch.from_numpy(1 - 2 * words.astype(np.float32))
    zero, turned = net.decode(channel), net.decode(channel * signs)
    assert torch.equal(zero.posterior * signs, turned.posterior)
    tied = (zero.posterior == 0).numpy()
    assert tied.any()
    differs = (turned.bits.numpy() ^ words) != zero.bits.numpy()
    assert np.array_equal(differs, tied & (words == 1))


def test_offset_is_not_free_of_scale():
    """Pitfall 6: min-sum and normalised do not see a scale of the LLRs, offset does."""
    llr = torch.from_numpy(noisy(SMALL))
    one = {"message_bits": None, "tying": "scalar"}
    for update, free in (("plain", True), ("normalised", True), ("offset", False)):
        net = net_of(update=update, **one)
        assert torch.equal(net.decode(4 * llr).bits, net.decode(llr).bits) is free


def test_offset_above_the_most_erases_an_edge():
    """Pitfall 5: subtract, then clamp at 0, then the sign."""
    net = net_of(tying="scalar", start=100.0)
    assert net.values().item() == net.most
    llr = torch.from_numpy(noisy(SMALL))
    assert torch.equal(net(llr), net.quantise(llr))


def test_posterior_does_not_saturate():
    """Pitfall 9: messages saturate, the sum of them does not."""
    graph = bch(63, 36)
    net = net_of(graph, update="plain", message_bits=3)
    sure = torch.full((63, 1), 100.0)
    found = net.decode(sure).posterior
    assert found.max() == 3 * (1 + graph.variable_degrees.max()) and found.min() >= 6


def test_quantises_by_step():
    net = net_of(llr_step=0.5, message_bits=4)
    llr = torch.tensor([0.0, 0.25, 0.26, -0.3, 99.0, -99.0] + 9 * [0.0])[:, None]
    assert net.quantise(llr).flatten().tolist()[:6] == [0, 0, 1, -1, 7, -7]


def test_early_stop_sees_the_syndrome_before_and_after_iterations():
    """Pitfall 10: a codeword needs no iteration, and stopping never undoes a decision."""
    net = net_of()
    assert net.decode(torch.ones(15, 1), True).iterations.item() == 0
    llr = torch.from_numpy(noisy(SMALL, 500, 2.0))
    early, late = net.decode(llr, True), net.decode(llr)
    assert torch.equal(early.satisfied, early.iterations < 5) or early.satisfied.any()
    assert set(early.iterations.tolist()) >= {0, 1, 5} and (late.iterations == 5).all()
    stopped = early.iterations < 5
    assert early.satisfied[stopped].all()


def test_to_bits_keeps_what_was_learnt():
    net = net_of(message_bits=None, spread=0.3)
    found = net.to_bits(6, 0.25)
    assert torch.equal(found.master, net.master) and found.config.message_bits == 6
    assert (found.values() * 0.25 - net.values()).abs().max() <= 0.125 + 1e-6


def test_relaxation():
    """The filter starts from 0 messages, and is learnt."""
    net = net_of(message_bits=None, relaxation=True, tying="scalar").train()
    llr = torch.from_numpy(noisy(SMALL))
    net(llr).square().mean().backward()
    assert net.relax.grad.abs() > 0
    with torch.no_grad():
        net.relax.fill_(-100.0)
    plain = net_of(message_bits=None, tying="scalar").train()
    assert torch.allclose(net(llr), plain(llr))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"relaxation": True, "message_bits": None}, "Relaxation must be false to lower"),
        ({"update": "sum-product", "message_bits": None}, "Update must be plain, offset or norm"),
        ({"message_bits": None}, "Message bits must be 3 to 8 to lower, not none"),
    ],
)
def test_lower_refuses(values, message):
    with pytest.raises(UserError, match=f"^{message}") as caught:
        lower(net_of(**values))
    assert "\n" not in str(caught.value)


def test_lower_takes_options():
    net = net_of(tying="check", llr_step=0.75, schedule="layered", rows=2)
    spec = lower(net, name="mine", posteriors=True)
    assert (spec.llr_step_num, spec.llr_step_den) == (3, 4)
    assert (spec.schedule, spec.rows_per_clock, spec.name, spec.posteriors) == (
        "layered", 2, "mine", True,
    )  # fmt: skip
    assert spec.parameters.shape == (5, SMALL.m)
    assert lower(net, schedule="flooding").schedule == "flooding"


def test_rejects_llrs():
    with pytest.raises(UserError, match=r"^LLRs must have shape \[15, frames\], not \[3, 2\]$"):
        net_of()(torch.zeros(3, 2))


def test_gradients_reach_every_value():
    for tying in TYINGS:
        net = net_of(tying=tying, message_bits=None, iterations=3).train()
        net(torch.from_numpy(noisy(SMALL))).square().mean().backward()
        assert (net.master.grad != 0).float().mean() > 0.9


@pytest.mark.parametrize("bits", [None, 5])
def test_rejects_nan(bits):
    net = MinSumDecoder(MinSumConfig(code="bch-15-11", message_bits=bits))
    with pytest.raises(UserError, match="^LLRs must be numbers, but there is NaN among them$"):
        net.decode(torch.full((15, 2), torch.nan))


def test_rejects_rows_that_no_chip_can_have():
    config = MinSumConfig(code="ccsds-128-64", schedule="layered", rows=3)
    with pytest.raises(UserError, match="^Rows must be a divisor of the lifting 16, not 3$"):
        MinSumDecoder(config)
