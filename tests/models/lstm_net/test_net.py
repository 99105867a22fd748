"""The net: equality with the golden model bit for bit, each gate alone, options of lower."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatesmith.models.errors import UserError
from gatesmith.models.lstm import golden, trace
from gatesmith.models.lstm_net import LowBitLSTM, LSTMConfig, lower

VOCABULARY = tuple("abcdefghi")


def make(**values) -> LowBitLSTM:
    """A small net with gains and biases that make its gates move."""
    text = values.get("data") == "war-and-peace"
    shape = {"inputs": 9, "classes": 9} if text else {"inputs": 5, "classes": 3, "steps": 7}
    net = LowBitLSTM(LSTMConfig(**{"data": "own", **shape, **values}), VOCABULARY if text else ())
    random = np.random.default_rng(net.config.seed)
    with torch.no_grad():
        for name, value in net.named_parameters():
            drawn = torch.from_numpy(random.uniform(0, 1, value.shape)).float()
            if "gain" in name and not name.endswith("_c"):
                value.mul_(6 * drawn)
            if "bias" in name:
                value.add_(4 * drawn - 2)
    return net


def inputs_of(net: LowBitLSTM, steps: int, batch: int, seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    if net.config.symbols:
        return torch.from_numpy(random.integers(0, 9, (steps, batch)))
    return torch.from_numpy(random.integers(-128, 128, (steps, batch, 5)))


def assert_equals_golden(net: LowBitLSTM, x: torch.Tensor) -> None:
    """Every state and cell of every step, every score."""
    steps, batch = x.shape[:2]
    net.eval()
    spec = lower(net, steps=steps, state=False)
    words = x.transpose(0, 1).reshape(batch, -1).numpy()
    frames = np.concatenate([np.zeros((batch, 1), dtype=np.int64), words], axis=1)
    ours, theirs = net.trace(x), trace(spec, frames)
    for index, layer in enumerate(theirs):
        for a, b in ((ours.states, layer.states), (ours.cells, layer.cells)):
            assert np.array_equal(a[index].numpy().swapaxes(0, 1), b[:, :, 0]), f"layer {index}"
    classes = spec.head.classes
    outputs = golden(spec, frames).outputs[:, : (classes + 1) * (steps if net.every_step else 1)]
    outputs = outputs.reshape(batch, -1, classes + 1)
    scores = ours.scores.numpy()
    scores = scores.swapaxes(0, 1) if net.every_step else scores[:, None]
    assert np.array_equal(scores, outputs[..., :-1])
    assert np.array_equal(scores.argmax(axis=-1), outputs[..., -1])
    assert torch.equal(net(x), ours.scores)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(7, 3, 6, dtype=torch.int64), r"shape \[T, B, 5\], not \[7, 3, 6\]"),
        (torch.zeros(7, 5, dtype=torch.int64), r"shape \[T, B, 5\], not \[7, 5\]"),
        (torch.zeros(7, 3, 5), "be integers, not torch.float32: see codes_of"),
        (torch.full((7, 3, 5), 128), "be between -128 and 127, not 128 to 128"),
    ],
)
def test_rejects_inputs(x, message):
    with pytest.raises(UserError, match=f"^Inputs must (have )?{message}$"):
        make().eval()(x)


def test_rejects_symbols():
    net = make(data="war-and-peace").eval()
    with pytest.raises(UserError, match=r"^Inputs must have shape \[T, B\] of symbols, not \[7\]$"):
        net(torch.zeros(7, dtype=torch.int64))
    with pytest.raises(UserError, match="^Inputs must be between 0 and 8, not 9 to 9$"):
        net(torch.full((7, 2), 9))


@settings(max_examples=40, deadline=None)
@given(
    data=st.sampled_from(["own", "war-and-peace"]),
    kinds=st.lists(st.sampled_from(["binary", "ternary", "int8", "int12"]), min_size=1, max_size=2),
    head=st.sampled_from(["binary", "ternary", "int8", "int12"]),
    norm=st.sampled_from(["weight", "shared-bn"]),
    scales=st.sampled_from(["integer", "power"]),
    scale_bits=st.integers(6, 16),
    threshold=st.sampled_from([0.0, 0.01, 0.2, 0.9]),
    steps=st.integers(1, 7),
    seed=st.integers(0, 1000),
)
def test_net_equals_golden(data, kinds, head, norm, scales, scale_bits, threshold, steps, seed):
    net = make(
        data=data,
        hidden=tuple(4 * (3 + k) for k in range(len(kinds))),
        weights=tuple(kinds),
        head_weights=head,
        norm=norm,
        scales=scales,
        scale_bits=scale_bits if scales == "integer" else 12,
        state_threshold=threshold,
        seed=seed,
    )
    x = inputs_of(net, steps, 3, seed)
    for _ in range(3 if norm == "shared-bn" else 0):
        net.estimate(x if net.config.symbols else x.float())
    assert_equals_golden(net, x)


def test_net_equals_golden_beyond_float32():
    """12-bit weights of one sign: sums pass 2**24, where float32 would round."""
    net = make(hidden=(200,), weights="int12", scale_bits=16)
    with torch.no_grad():
        net.layers[0].weight_h.fill_(0.9)
        net.layers[0].weight_h[:, ::2] = 1.0
        net.layers[0].bias.fill_(6)
    x = inputs_of(net, 7, 2)
    assert float(net.layers[0].fold().codes_h.abs().sum(1).max()) * 127 > 1 << 24
    assert_equals_golden(net, x)


@pytest.mark.parametrize("gate", range(4))
def test_each_gate_alone(gate):
    """Opening or closing one gate by its bias does what that gate of an LSTM does."""
    net = make(hidden=(4,), weights="int8").eval()
    layer = net.layers[0]
    with torch.no_grad():
        layer.gain_x.zero_()
        layer.gain_h.zero_()
        layer.gain_x += 1e-3
        bias = torch.zeros(4, 4)
        bias[2] = 1.0  # the candidate is tanh(1) = 97/128 unless it is the gate looked at
        bias[gate] = 7.9
        layer.bias.copy_(bias.view(-1))
    x = torch.zeros(2, 1, 5, dtype=torch.int64)
    found = net.trace(x)
    i, f, g, o = (256 if k == gate else 128 for k in range(4))
    g = 127 if gate == 2 else 97
    first = i * g * 32 // 256
    assert found.cells[0][0].flatten().tolist() == [first] * 4
    second = (f * first + i * g * 32 + 128) // 256
    assert found.cells[0][1].flatten().tolist() == [second] * 4
    tanh = np.floor(128 * np.tanh(((second + 32) >> 6) / 64) + 0.5)
    assert found.states[0][1].flatten().tolist() == [np.floor((o * tanh + 128) / 256)] * 4


def test_state_is_carried_on():
    net = make(data="war-and-peace", hidden=(12, 8), weights=("ternary", "int8")).eval()
    x = inputs_of(net, 9, 3)
    whole, first = net.trace(x), net.trace(x[:4])
    rest = net.trace(x[4:], first.final)
    assert torch.equal(whole.scores[4:], rest.scores)
    for a, b in zip(whole.final, rest.final, strict=True):
        assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])


def test_training_computes_the_same_scores():
    """In training the sum before a gate may be rounded otherwise, hardly ever another way."""
    net = make(hidden=(24,), weights="int8", state_threshold=0.1)
    x = inputs_of(net, 7, 200)
    logits = net.train()(x)
    scores = net.eval()(x) * 2.0 ** -int(net.head.fraction)
    assert ((logits - scores).abs() < 2e-2).float().mean() > 0.99


def test_shorter_sequences_answer_after_their_last_step():
    net = make(hidden=(8,)).eval()
    x = inputs_of(net, 7, 3)
    found = net(x, torch.tensor([7, 2, 1]))
    assert torch.equal(found[1], net(x[:2, 1:2])[0]) and torch.equal(found[2], net(x[:1, 2:])[0])


def test_lower_options():
    net = make(hidden=(24, 8), weights=("ternary", "binary"))
    spec = lower(net)
    assert (spec.lanes, spec.elementwise, spec.steps, spec.state) == (32, 4, 7, False)
    spec = lower(net, lanes=8, batch=3, memory="sram", packing="5trits", offset_bits=2, state=True,
                 outputs="argmax", steps=3, name="tiny")  # fmt: skip
    assert (spec.lanes, spec.elementwise, spec.batch, spec.memory) == (8, 2, 3, "sram")
    assert (spec.packing, spec.offset_bits, spec.state, spec.steps) == ("5trits", 2, True, 3)
    assert lower(make(data="war-and-peace")).state
    with pytest.raises(UserError, match="^Lanes must be a multiple of 4, as 4, not 6$"):
        lower(net, lanes=6)
    with pytest.raises(UserError, match="^Elementwise must be .*, not 3$"):
        lower(net, elementwise=3)


def test_powers_of_two_have_no_multiplier():
    spec = lower(make(hidden=(8,), scales="power"))
    assert spec.layers[0].scale_kind == "power"
    assert spec.layers[0].scale_h.min() >= 0 and spec.layers[0].scale_h.max() <= 15


def test_lower_rejects_missing_statistics():
    net = make(norm="shared-bn")
    with pytest.raises(UserError, match="^Layer 0 must have batch normalisation statistics, not"):
        lower(net)


def test_lower_rejects_weights_that_are_not_frozen():
    net = make(quantiser="stochastic")
    with pytest.raises(UserError, match="^Layer 0 must be frozen to one sample of its stochastic"):
        lower(net)
    net.freeze()
    first, second = lower(net), lower(net)
    assert np.array_equal(first.layers[0].weight_h, second.layers[0].weight_h)
    with pytest.raises(UserError, match="^Net must not be frozen to be trained"):
        net.train()(inputs_of(net, 7, 2))
